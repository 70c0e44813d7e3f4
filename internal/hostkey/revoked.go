package hostkey

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// maxRevoked bounds a file of RevokedHostKeys, which is read whole.
const maxRevoked = 64 << 20

// checkRevokedFiles looks the key up in RevokedHostKeys (sshkey_check_revoked in
// authfile.c). A file that cannot be understood revokes everything.
func (v *Verifier) checkRevokedFiles(key ssh.PublicKey) error {
	for _, file := range v.policy.RevokedFiles {
		listed, err := revokedByFile(file, key)
		print := fingerprint(key, v.policy.FingerprintHash)
		if err != nil {
			return &FileError{File: file, Reason: reasonOf(err), Type: sshkey.TypeName(key), Fingerprint: print}
		}
		if listed {
			return &RevokedError{Host: v.name, Type: sshkey.TypeName(key), Fingerprint: print, File: file, Listed: true}
		}
	}
	return nil
}

func revokedByFile(file string, key ssh.PublicKey) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRevoked+1))
	if err != nil {
		return false, err
	}
	if len(data) > maxRevoked {
		return false, fmt.Errorf("larger than %d MiB", maxRevoked>>20)
	}
	if bytes.HasPrefix(data, []byte(krlMagic)) {
		return krlRevokes(data, key)
	}
	return listRevokes(data, key)
}

// listRevokes searches a list of public keys, one a line (sshkey_in_file in
// authfile.c). Keys and authorities are both listed by their key.
func listRevokes(data []byte, key ssh.PublicKey) (bool, error) {
	revoked := false
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		line = trimLine(line, number)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		var l textLine
		l.keyType, line = cutField(line)
		l.blob, _ = cutField(line)
		if !keyTypes[string(l.keyType)] && l.checkBlob() == nil {
			continue
		}
		listed, err := l.key()
		if err != nil {
			return false, fmt.Errorf("line %d: %w", number, err)
		}
		e := entry{key: listed}
		revoked = revoked || revokes(&e, key)
	}
	return revoked, nil
}
