package hostkey

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// errElsewhere and errComplex are reasons for leaving the file alone.
var (
	errElsewhere = errors.New("one of the keys stands under another name")
	errComplex   = errors.New("the host stands in a line with a marker, a pattern or several names")
)

// NewKeys picks those of the keys a server says it has that its known_hosts
// lines lack: what UpdateHostKeys is to learn once the server has proved them
// (client_input_hostkeys in clientloop.c). It is empty where nothing should be
// learned: the host's key was not found in a user file or confirmed by an
// answer, a certificate vouched for it, or its lines are not such as ssh
// writes. It reads the files, and only where a key is new.
//
// Unlike ssh it never has anything removed: a key the server no longer has
// stays where it is, and so does every other line.
func (v *Verifier) NewKeys(offered []ssh.PublicKey) []ssh.PublicKey {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.trusted || !v.writable || v.checkIP || v.accepted == nil {
		return nil
	}
	var fresh []ssh.PublicKey
	for _, key := range offered {
		if _, ok := key.(*ssh.Certificate); ok || sshkey.Equal(key, v.accepted) || slices.ContainsFunc(v.entries, func(e entry) bool {
			return e.marker == markNone && sshkey.Equal(e.key, key)
		}) || slices.ContainsFunc(fresh, func(k ssh.PublicKey) bool { return sshkey.Equal(k, key) }) {
			continue
		}
		fresh = append(fresh, key)
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, file := range v.policy.UserFiles {
		if err := v.scanFile(file, v.updatable(offered)); err != nil {
			v.debug("host keys are not updated: %v", err)
			return nil
		}
		if v.obstacle != nil {
			v.debug("host keys are not updated: %s: %v", file, v.obstacle)
			return nil
		}
	}
	return fresh
}

// updatable looks at each line for what speaks against an update
// (hostkeys_find in clientloop.c), and notes it in v.obstacle.
func (v *Verifier) updatable(offered []ssh.PublicKey) func(textLine) error {
	v.obstacle = nil
	blobs := make([][]byte, len(offered))
	for i, key := range offered {
		blobs[i] = []byte(base64.StdEncoding.EncodeToString(key.Marshal()))
	}
	return func(l textLine) error {
		named, err := matchNames(v.name, l.names)
		if err != nil || v.obstacle != nil {
			return err
		}
		switch {
		case !named && slices.ContainsFunc(blobs, func(b []byte) bool { return bytes.Equal(b, l.blob) }):
			v.obstacle = errElsewhere
		case named && (l.marker != markNone || bytes.ContainsAny(l.names, "*?") || bytes.Count(l.names, []byte(",")) > 1):
			v.obstacle = errComplex
		}
		return nil
	}
}

// Learn writes down keys that the server has proved to hold, a line each
// (update_known_hosts in clientloop.c).
func (v *Verifier) Learn(keys []ssh.PublicKey) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, key := range keys {
		v.debug("Learned new hostkey: %s %s", sshkey.TypeName(key), fingerprint(key, v.policy.FingerprintHash))
		if err := v.add(key, v.name); err != nil {
			return err
		}
	}
	return nil
}
