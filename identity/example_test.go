package identity_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/identity"
)

func ExampleReadFile() {
	ids, err := identity.ReadFile("testdata/ed25519.pub")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		bits, kind, fingerprint := identity.Describe(id.Entry.Key)
		fmt.Println(bits, fingerprint, id.Entry.Comment, kind)
	}
	// Output: 256 SHA256:GQA3I7qZGlCSsQssDwVuoEHGxTlh8m0g6Zs/h1YRSIg alice@laptop ED25519
}

func ExampleFileError() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "id.pub")
	if err := os.WriteFile(path, []byte("# my key\n-----BEGIN OPENSSH PRIVATE KEY-----\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	_, err = identity.ReadFile(path)
	var failed *identity.FileError
	if errors.As(err, &failed) {
		fmt.Println("line", failed.Line, failed.Err)
	}
	// Output: line 2 is a private key, not a public one; it was not sent anywhere
}

func ExampleReadPublicHalf() {
	ids, err := identity.ReadPublicHalf("testdata/putty/rsa-v3-encrypted.ppk")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range ids {
		bits, kind, fingerprint := identity.Describe(id.Entry.Key)
		fmt.Printf("%v: %d %s %s %s\n", id.Origin.Format, bits, fingerprint, id.Entry.Comment, kind)
	}
	// Output: PuTTY private key: 2048 SHA256:Yi3qeSPhzMklRmj3BxAACOQzA3lHiZrlgiC90Gl1byI rsa-key-20260102 RSA
}

func ExampleOpenPrivateKey() {
	// Nothing is asked before the key signs, and it signs only after a server
	// has said that it would let the key in.
	signer, err := identity.OpenPrivateKey("/home/alice/.ssh/id_ed25519", identity.PrivateKeyOptions{
		Passphrase: func() ([]byte, error) {
			fmt.Print("Enter passphrase: ")
			var line string
			_, err := fmt.Scanln(&line)
			return []byte(line), err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = ssh.ClientConfig{
		User: "alice",
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
	}
}
