package sshtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// GenerateKey makes a private key of type ed25519, ecdsa (P-256), ecdsa-384,
// ecdsa-521 or rsa (2048 bits).
func GenerateKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "ecdsa", "ecdsa-256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ecdsa-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ecdsa-521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "rsa":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("unknown key type %q", kind)
}

// GenerateHostKeys makes one host key of each type.
func GenerateHostKeys(kinds ...string) ([]ssh.Signer, error) {
	var keys []ssh.Signer
	for _, kind := range kinds {
		key, err := GenerateKey(kind)
		if err != nil {
			return nil, err
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, signer)
	}
	return keys, nil
}

// WriteKey writes a private key in OpenSSH's format, encrypted if there is a
// passphrase, and the public key beside it in file.pub.
func WriteKey(file string, key crypto.Signer, comment, passphrase string) error {
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, comment)
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, comment, []byte(passphrase))
	}
	if err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	return os.WriteFile(file+".pub", []byte(PublicLine(public, comment)), 0o644)
}

// PublicLine is the line of a .pub file, with its newline.
func PublicLine(key ssh.PublicKey, comment string) string {
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n")
	if comment != "" {
		line += " " + comment
	}
	return line + "\n"
}

// KnownHosts are the lines of a known_hosts file for a server, under the
// names given, or under its address if none is. Hashed hides the names, as
// HashKnownHosts does.
func (s *Server) KnownHosts(hashed bool, names ...string) string {
	if len(names) == 0 {
		names = []string{knownhosts.Normalize(s.Addr())}
	}
	var b strings.Builder
	for _, key := range s.HostKeys() {
		for _, name := range names {
			if hashed {
				name = knownhosts.HashHostname(name)
			}
			b.WriteString(knownhosts.Line([]string{name}, key) + "\n")
		}
	}
	return b.String()
}
