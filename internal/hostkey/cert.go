package hostkey

import (
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// checkCert judges a host certificate whose authority is known, for the name
// without a port. It returns ssh's words for what is wrong, or ""
// (sshkey_cert_check_host in sshkey.c).
func (v *Verifier) checkCert(cert *ssh.Certificate) string {
	name := v.host
	if v.policy.Alias != "" {
		name = v.policy.Alias
	}
	now := time.Now().Unix()
	switch {
	case cert.CertType != ssh.HostCert:
		return "Certificate invalid: not a host certificate"
	case now < 0 || uint64(now) < cert.ValidAfter:
		return "Certificate invalid: not yet valid"
	case uint64(now) >= cert.ValidBefore:
		return "Certificate invalid: expired"
	}
	// A certificate without principals is one for every host
	// (sshkey_cert_check_authority with require_principal 0). OpenSSH 10.6 no
	// longer takes it for one.
	if len(cert.ValidPrincipals) > 0 && !slices.Contains(cert.ValidPrincipals, name) {
		return "Certificate invalid: name is not a listed principal"
	}
	if len(cert.CriticalOptions) > 0 {
		return "Certificate contains unsupported critical options(s)"
	}
	if !v.signatureAllowed(cert.Signature.Format) {
		return "Certificate signed with disallowed algorithm"
	}
	if err := cert.SignatureKey.Verify(signedPart(cert), cert.Signature); err != nil {
		return "Certificate invalid: " + err.Error()
	}
	return ""
}

// signedPart is what the authority signs: the whole certificate but the
// signature, which is its last field (section 1 of OpenSSH's
// PROTOCOL.certkeys). ssh.CertChecker is of no use here: it refuses a
// certificate without principals, which ssh accepts.
func signedPart(cert *ssh.Certificate) []byte {
	unsigned := *cert
	unsigned.Signature = nil
	whole := unsigned.Marshal()
	return whole[:len(whole)-4] // the length of the empty signature
}

func (v *Verifier) signatureAllowed(format string) bool {
	if v.policy.CASignatureAlgorithms == nil {
		return format != ssh.KeyAlgoRSA && format != "ssh-dss"
	}
	return slices.Contains(v.policy.CASignatureAlgorithms, format)
}
