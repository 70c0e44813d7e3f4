package identity

import (
	"bytes"
	"errors"

	"golang.org/x/crypto/ssh"
)

// ErrNoCertificate: the file holds no certificate a person could log in with.
var ErrNoCertificate = errors.New("not a user certificate")

// ReadCertificate reads the user certificate of a file, as ssh-keygen -s writes
// it: one line, in the format of a public key file. Whether it is still valid
// is for the server to say. The error is a *[FileError].
func ReadCertificate(path string) (*ssh.Certificate, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, &FileError{Path: path, Err: ErrNoCertificate}
	}
	certificate, ok := key.(*ssh.Certificate)
	if !ok || certificate.CertType != ssh.UserCert {
		return nil, &FileError{Path: path, Err: ErrNoCertificate}
	}
	return certificate, nil
}

// PublicHalf is the public key that goes with an IdentityFile, for an agent
// that holds the private one: what the private key file shows in clear, the
// file itself where that is a public key, or the .pub file beside it
// (sshkey_load_public in authfile.c). nil where there is none. Comment is the
// one beside the public key.
func PublicHalf(path string) (key ssh.PublicKey, comment string) {
	if data, err := readBounded(path); err == nil {
		defer clear(data)
		if private, err := inspect(path, data); err == nil {
			key = private.public
			private.wipe()
		}
	}
	for _, file := range []string{path, path + ".pub"} {
		ids, err := ReadFile(file)
		if err != nil {
			continue
		}
		entry := ids[0].Entry
		if key == nil {
			key = entry.Key
		}
		if bytes.Equal(key.Marshal(), entry.Key.Marshal()) {
			return key, entry.Comment
		}
	}
	return key, ""
}
