package identity

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// How much work a private key file may ask for before its passphrase can be
// tried: the file says how much that is, and it may be a stranger's.
const (
	// maxScryptMemory is where OpenSSL, and so ssh, refuses (SCRYPT_MAX_MEM in
	// crypto/evp/pbe_scrypt.c). `openssl pkcs8 -scrypt` uses half of it.
	maxScryptMemory = 32 << 20
	// maxScryptCost is a limit to N·r·p: 64 times what openssl uses. OpenSSL
	// has none, but with p alone a file could ask for hours.
	maxScryptCost = 1 << 23
	// maxPBKDF2Rounds are some seconds. OpenSSL has no limit; it uses 2048 by
	// itself, and OWASP asks for 1.4 million at most.
	maxPBKDF2Rounds = 10_000_000
	// maxBcryptRounds is the limit of golang.org/x/crypto/ssh, some seconds as
	// well. OpenSSH has none; ssh-keygen uses 24 (DEFAULT_ROUNDS in sshkey.c).
	maxBcryptRounds = 2048
)

// DerivationError is returned for an encrypted private key whose file asks for
// more work than is spent on a passphrase. Nobody is asked for the passphrase.
type DerivationError struct {
	// Function is "scrypt", "PBKDF2" or "bcrypt".
	Function string
	// Asked and Limit are what the file asks for and what is spent at most, as
	// "16777216 rounds".
	Asked, Limit string
}

// Error names the function and both amounts.
func (e *DerivationError) Error() string {
	return fmt.Sprintf("the passphrase of this private key takes too much work: %s with %s; at most %s are accepted", e.Function, e.Asked, e.Limit)
}

// The algorithms of PKCS #5 (RFC 8018 appendix C, RFC 7914 section 7).
var (
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// pkcs8Derivation reports what is wrong with the amount of work that an
// encrypted PKCS #8 key asks for: a *[DerivationError], [ErrDamaged] for
// numbers that no program writes, or nil. A file that is made otherwise than
// RFC 8018 appendix A says is for the decoder to judge, which does no work
// then.
func pkcs8Derivation(der []byte) error {
	var file struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	var scheme struct{ Derivation, Cipher pkix.AlgorithmIdentifier }
	if _, err := asn1.Unmarshal(der, &file); err != nil {
		return nil
	}
	if _, err := asn1.Unmarshal(file.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil
	}
	parameters := scheme.Derivation.Parameters.FullBytes
	switch function := scheme.Derivation.Algorithm; {
	case function.Equal(oidPBKDF2):
		var p struct {
			Salt      []byte
			Rounds    int64
			KeyLength int                      `asn1:"optional"`
			PRF       pkix.AlgorithmIdentifier `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(parameters, &p); err != nil || p.Rounds < 1 {
			return ErrDamaged
		}
		if p.Rounds > maxPBKDF2Rounds {
			return &DerivationError{"PBKDF2", fmt.Sprintf("%d rounds", p.Rounds), fmt.Sprintf("%d", maxPBKDF2Rounds)}
		}
	case function.Equal(oidScrypt):
		var p struct {
			Salt      []byte
			N, R, P   int64
			KeyLength int `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(parameters, &p); err != nil || p.N < 2 || p.N&(p.N-1) != 0 || p.R < 1 || p.P < 1 {
			return ErrDamaged
		}
		return scryptWork(p.N, p.R, p.P)
	}
	return nil
}

// scryptWork counts as OpenSSL does: the blocks, and the table of N of them with
// two more to work in. Each number alone is bounded first, so that nothing
// overflows.
func scryptWork(n, r, p int64) error {
	asked := fmt.Sprintf("N=%d, r=%d, p=%d", n, r, p)
	if n > maxScryptMemory || r > maxScryptMemory || p > maxScryptMemory || 128*r*p+128*r*(n+2) > maxScryptMemory {
		return &DerivationError{"scrypt", asked, "32 MiB of memory"}
	}
	if n*r*p > maxScryptCost {
		return &DerivationError{"scrypt", asked, fmt.Sprintf("N*r*p=%d", maxScryptCost)}
	}
	return nil
}

// bcryptDerivation reports whether an OpenSSH private key asks for too much work
// (PROTOCOL.key in OpenSSH's sources).
func bcryptDerivation(header openSSHHeader) error {
	var options struct {
		Salt   []byte
		Rounds uint32
	}
	if header.KDF != "bcrypt" || ssh.Unmarshal([]byte(header.KDFOptions), &options) != nil || options.Rounds <= maxBcryptRounds {
		return nil
	}
	return &DerivationError{"bcrypt", fmt.Sprintf("%d rounds", options.Rounds), fmt.Sprintf("%d", maxBcryptRounds)}
}
