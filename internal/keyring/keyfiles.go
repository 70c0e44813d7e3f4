package keyring

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// keyFile is an IdentityFile of which at least the public half is known.
type keyFile struct {
	path    string
	public  ssh.PublicKey
	private *fileKey // nil where only an agent can sign
	// certificate is the one of path-cert.pub; nil for none.
	certificate *ssh.Certificate
}

// key is the file as a way to log in.
func (f keyFile) key() sshclient.Key {
	return sshclient.Key{Signer: f.private, Asks: f.private.encrypted(), Origin: f.path}
}

// files are the IdentityFiles of a host.
func (l *Login) files(h *sshconfig.Host) []keyFile {
	var files []keyFile
	for _, path := range h.IdentityFiles {
		if f, ok := l.file(h, path); ok {
			files = append(files, f)
		}
	}
	return files
}

// file reads an IdentityFile, whose private half may be missing or out of
// reach: the agent may have it. A certificate beside it counts unless the
// configuration names certificates (load_public_identity_files in ssh.c).
func (l *Login) file(h *sshconfig.Host, path string) (keyFile, bool) {
	f := keyFile{path: path}
	if private, ok := l.privateKey(h, path); ok {
		f.private, f.public = private, private.PublicKey()
	} else {
		f.public, _ = identity.PublicHalf(path)
	}
	if f.public == nil {
		return f, false
	}
	if len(h.CertificateFiles) == 0 {
		if _, err := os.Stat(path + "-cert.pub"); err == nil {
			f.certificate = l.certificate(path + "-cert.pub")
		}
	}
	return f, true
}

// fileKey is a private key file as one host may use it: it signs, and decodes the
// key before that.
type fileKey struct {
	*heldFile
	login *Login
	host  *sshconfig.Host
}

var _ ssh.MultiAlgorithmSigner = (*fileKey)(nil)

// PublicKey implements [ssh.Signer]. It asks nobody.
func (k *fileKey) PublicKey() ssh.PublicKey { return k.private.PublicKey() }

// Algorithms implements [ssh.MultiAlgorithmSigner].
func (k *fileKey) Algorithms() []string { return k.private.Algorithms() }

// Sign implements [ssh.Signer].
func (k *fileKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm implements [ssh.AlgorithmSigner].
func (k *fileKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if err := k.ready(); err != nil {
		return nil, err
	}
	return k.private.SignWithAlgorithm(rand, data, algorithm)
}

// encrypted reports whether a passphrase protects the file, also after it was
// given.
func (k *fileKey) encrypted() bool { return k.private.Encrypted() }

// ready decodes the key and hands it to the agent where the host wants that.
// Another host that needs the key waits.
func (k *fileKey) ready() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.decode(k.login.passphrase(k.host, k.path)); err != nil {
		return err
	}
	k.addToAgent()
	return nil
}

// privateKey opens a private key file; not ok where there is none of use.
func (l *Login) privateKey(h *sshconfig.Host, path string) (*fileKey, bool) {
	f := l.ring.file(path)
	if f.err != nil && l.first(h, path) {
		l.unusable(path, f.err)
	}
	return &fileKey{f, l, h}, f.private != nil
}

// identityKeys are the private halves of the identities to install.
func (l *Login) identityKeys() []sshclient.Key {
	var keys []sshclient.Key
	for _, id := range l.o.Identities {
		if id.Origin.PrivateKey == "" {
			continue
		}
		private, ok := l.privateKey(l.o.Host, id.Origin.PrivateKey)
		if ok && sshkey.Equal(private.PublicKey(), id.Entry.Key) {
			keys = append(keys, keyFile{path: id.Origin.PrivateKey, private: private}.key())
		}
	}
	return keys
}

// certificates are those that CertificateFile names, each with whatever signs
// for it: the agent or one of the files.
func (l *Login) certificates(h *sshconfig.Host, files []keyFile, held []ssh.Signer) []sshclient.Key {
	var keys []sshclient.Key
	for _, path := range h.CertificateFiles {
		certificate := l.certificate(path)
		if certificate == nil {
			continue
		}
		owner := keyFile{public: certificate.Key}
		for _, f := range files {
			if f.private != nil && sshkey.Equal(f.public, certificate.Key) {
				owner = f
			}
		}
		before := len(keys)
		if keys = owner.appendCertified(keys, certificate, held, path); len(keys) == before {
			l.debug("certificate %s: no private key for it", path)
		}
	}
	return keys
}

// certificate reads a certificate; nil where there is none, which is reported with
// -v only, as in ssh.
func (l *Login) certificate(path string) *ssh.Certificate {
	certificate, err := identity.ReadCertificate(path)
	if err != nil {
		l.debug("certificate %v", err)
		return nil
	}
	return certificate
}

// appendCertified adds a certificate as a way to log in, if its private key is
// at hand: in the agent, or in the file.
func (f keyFile) appendCertified(keys []sshclient.Key, certificate *ssh.Certificate, held []ssh.Signer, path string) []sshclient.Key {
	signer := holding(held, certificate.Key)
	key := sshclient.Key{Agent: signer != nil, Origin: path}
	if f.private != nil && (signer == nil || !f.private.encrypted()) {
		signer, key.Agent, key.Asks = f.private, false, f.private.encrypted()
	}
	if signer == nil {
		return keys
	}
	certified, err := ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return keys // the certificate beside the file is of another key
	}
	key.Signer = certified
	return append(keys, key)
}

// holding is the agent's signer for a key; nil where it has none.
func holding(held []ssh.Signer, key ssh.PublicKey) ssh.Signer {
	for _, signer := range held {
		if sshkey.Equal(signer.PublicKey(), key) {
			return signer
		}
	}
	return nil
}

// addToAgent hands a key that is about to log in to the agent, where
// AddKeysToAgent wants that (maybe_add_key_to_agent in sshconnect2.c). What
// keeps it from being added is reported with -v only, as in ssh.
func (k *fileKey) addToAgent() {
	l, h := k.login, k.host
	confirm, lifetime, wanted := addKeysToAgent(h.AddKeysToAgent)
	held := l.ring.agent(h.IdentityAgent)
	if !wanted || l.verifying.Load() || l.o.KeepAgents || held == nil || k.offered[h.IdentityAgent] {
		return
	}
	k.offered[h.IdentityAgent] = true
	if held.err != nil {
		l.debug("no agent to add %s to: %v", k.path, held.err)
		return
	}
	_, comment := identity.PublicHalf(k.path)
	if comment == "" {
		comment = k.path
	}
	if h.AddKeysToAgent == "ask" && !l.confirmed("Add key "+k.path+" ("+comment+") to agent?") {
		l.debug("key %s is not added to the agent: permission was not given", k.path)
		return
	}
	key := agent.AddedKey{PrivateKey: k.raw, Comment: comment, LifetimeSecs: lifetime, ConfirmBeforeUse: confirm}
	if err := held.agent.Add(key); err != nil {
		l.debug("could not add %s to the agent: %v", k.path, err)
		return
	}
	l.debug("identity added to agent: %s", k.path)
}

// addKeysToAgent reads the setting as ssh -G prints it: true, ask, confirm, a
// number of seconds, or "confirm" and a number.
func addKeysToAgent(setting string) (confirm bool, lifetime uint32, wanted bool) {
	words := strings.Fields(setting)
	if len(words) > 0 && words[0] == "confirm" {
		confirm, words = true, words[1:]
	}
	if len(words) == 0 {
		return confirm, 0, confirm
	}
	if seconds, err := strconv.ParseUint(words[0], 10, 32); err == nil {
		return confirm, uint32(seconds), true
	}
	return confirm, 0, words[0] == "true" || words[0] == "ask"
}

func (l *Login) confirmed(prompt string) bool {
	return l.o.Confirm != nil && l.o.Confirm(prompt)
}
