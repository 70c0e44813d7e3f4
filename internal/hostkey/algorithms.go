package hostkey

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// plainTypes maps the host key algorithms that are no plain key types.
var plainTypes = map[string]string{
	ssh.KeyAlgoRSASHA256: ssh.KeyAlgoRSA,
	ssh.KeyAlgoRSASHA512: ssh.KeyAlgoRSA,
}

// certTypes maps certificate algorithms to the type of the certified key.
var certTypes = map[string]string{
	ssh.CertAlgoRSAv01:       ssh.KeyAlgoRSA,
	ssh.CertAlgoRSASHA256v01: ssh.KeyAlgoRSA,
	ssh.CertAlgoRSASHA512v01: ssh.KeyAlgoRSA,

	ssh.CertAlgoECDSA256v01:   ssh.KeyAlgoECDSA256,
	ssh.CertAlgoECDSA384v01:   ssh.KeyAlgoECDSA384,
	ssh.CertAlgoECDSA521v01:   ssh.KeyAlgoECDSA521,
	ssh.CertAlgoED25519v01:    ssh.KeyAlgoED25519,
	ssh.CertAlgoSKECDSA256v01: ssh.KeyAlgoSKECDSA256,
	ssh.CertAlgoSKED25519v01:  ssh.KeyAlgoSKED25519,
}

// keyTypes holds the names of the keys and certificates ssh.ParsePublicKey reads.
var keyTypes = func() map[string]bool {
	names := map[string]bool{}
	for cert, plain := range certTypes {
		names[cert], names[plain] = true, true
	}
	return names
}()

// DefaultAlgorithms lists host key algorithms in the order OpenSSH prefers them
// (KEX_DEFAULT_PK_ALG in myproposal.h), without those golang.org/x/crypto does
// not negotiate for servers.
func DefaultAlgorithms() []string {
	return []string{
		ssh.CertAlgoED25519v01,
		ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
		ssh.KeyAlgoED25519,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
}

// Algorithms orders preferred (nil: [DefaultAlgorithms]) so that the server
// shows a key the files can judge: algorithms of known keys, and of
// certificates if there is an @cert-authority, come first. A list whose first
// entry is of a known type stays as it is (order_hostkeyalgs in sshconnect2.c).
// Nothing is added or left out.
//
// KnownHostsCommand is asked for its lines; if it fails, the order follows the
// files, and the failure shows when the key is checked.
func (v *Verifier) Algorithms(preferred []string) []string {
	if preferred == nil {
		preferred = DefaultAlgorithms()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	entries := v.entries
	if more, err := v.command("ORDER", v.name, nil); err == nil {
		entries = append(slices.Clip(entries), more...)
	}
	known := func(alg string) bool {
		want := alg
		if t, ok := plainTypes[alg]; ok {
			want = t
		} else if t, ok := certTypes[alg]; ok {
			want = t
		}
		for i := range entries {
			if entries[i].marker == markNone && entries[i].key.Type() == want {
				return !revokedIn(entries, entries[i].key)
			}
		}
		return false
	}
	if len(preferred) == 0 || known(preferred[0]) {
		return slices.Clone(preferred)
	}
	authority := slices.ContainsFunc(entries, func(e entry) bool { return e.marker == markCA })
	var first, last []string
	for _, alg := range preferred {
		if _, cert := certTypes[alg]; cert && authority || known(alg) {
			first = append(first, alg)
		} else {
			last = append(last, alg)
		}
	}
	return append(first, last...)
}
