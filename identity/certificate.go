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
