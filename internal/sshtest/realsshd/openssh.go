package realsshd

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// serverDir is where namespace.sh puts what kind.prepare made.
const serverDir = "/run/realsshd"

// serverConfig is the sshd_config of a [Server]. What is set here is what a
// test host needs; MaxAuthTries, LoginGraceTime, StrictModes and the like stay
// the server's defaults, because they are what is tested.
func serverConfig(lines []string, hostKeys int) string {
	own := []string{
		"ListenAddress 127.0.0.1",
		"PidFile none",
		"UsePAM no",
		"PasswordAuthentication yes",
		"KbdInteractiveAuthentication no",
		"PermitRootLogin yes",
		"LogLevel VERBOSE",
		"PrintMotd no",
		"PrintLastLog no",
		"MaxStartups 200", // the default drops connections at random from 10 on
		"Subsystem sftp internal-sftp",
	}
	return joinConfig(lines, own, serverDir, hostKeys)
}

// joinConfig puts the caller's lines where they win: before our own, from a
// Match line on behind them.
func joinConfig(lines, own []string, keyDir string, hostKeys int) string {
	match := slices.IndexFunc(lines, func(line string) bool {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		return strings.EqualFold(word, "Match")
	})
	if match < 0 {
		match = len(lines)
	}
	for i := range hostKeys {
		own = append(own, "HostKey "+path.Join(keyDir, "hostkey"+strconv.Itoa(i)))
	}
	all := slices.Concat(lines[:match], own, lines[match:])
	return strings.Join(all, "\n") + "\n"
}

// opensshHostKeys writes hostkey0 and hostkey1: Ed25519 and ECDSA, the types
// that take no time to make.
func opensshHostKeys(dir string) ([]ssh.PublicKey, error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	var public []ssh.PublicKey
	for i, private := range []any{ed, ec} {
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return nil, err
		}
		signer, err := ssh.NewSignerFromKey(private)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, "hostkey"+strconv.Itoa(i))
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return nil, err
		}
		public = append(public, signer.PublicKey())
	}
	return public, nil
}
