package cli

import (
	"os"
	"slices"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// This file finds out whether the ssh of the final hint would log in with one
// of the keys that were installed, and what it lacks if not. Which keys ssh
// offers, and in which order, is decided by pubkey_prepare in OpenSSH's
// sshconnect2.c.

// maxTries is sshd's default MaxAuthTries: the sixth key that is refused ends
// the connection.
const maxTries = 6

// offers are the keys that one call of ssh offers.
type offers struct {
	files []identityFile // -i first, then IdentityFile
	agent []string       // blobs
	only  bool           // IdentitiesOnly
}

// identityFile is an identity file as ssh sees it.
type identityFile struct {
	path    string
	blob    string // "" where the public half is not known
	private bool   // it holds a private key, or may
}

// logsIn reports whether one of the wanted keys is offered before the server
// ends the connection for keys that it refuses.
func (o offers) logsIn(wanted map[string]bool) bool {
	refused := 0
	for _, blob := range o.order() {
		if wanted[blob] {
			return true
		}
		if refused++; refused == maxTries {
			return false
		}
	}
	return false
}

// order are the blobs in the order in which they are offered: keys of the agent
// that an identity file names, the agent's others, and the other files.
func (o offers) order() []string {
	var named, others, files []string
	for _, blob := range o.agent {
		switch {
		case slices.ContainsFunc(o.files, func(f identityFile) bool { return f.blob == blob }):
			named = append(named, blob)
		case !o.only:
			others = append(others, blob)
		}
	}
	for _, f := range o.files {
		if f.private && (f.blob == "" || !slices.Contains(named, f.blob) && !slices.Contains(files, f.blob)) {
			files = append(files, f.blob)
		}
	}
	return slices.Concat(named, others, files)
}

// addition is what the hint needs beside the options of the command line.
type addition struct {
	nothing  bool     // no addition lets ssh log in with the key
	identity bool     // -i with the key's file
	options  []string // values of -o
	why      obstacle // the setting that makes it necessary
}

// reach finds the addition with which ssh logs in with a key that was
// installed: the smallest one, and none where nothing helps. file is what -i may
// name, "" for nothing; named reports whether the hint has it anyhow.
func (r *run) reach(report *copyid.Report, file string, named bool) addition {
	wanted := map[string]bool{}
	for _, id := range installedKeys(report) {
		wanted[id.Entry.Blob()] = true
	}
	login := report.Login
	var configured []identityFile
	for _, path := range login.IdentityFiles {
		configured = append(configured, readIdentityFile(path))
	}
	const no, yes, usual = "IdentitiesOnly=no", "IdentitiesOnly=yes", "IdentityAgent=SSH_AUTH_SOCK"
	for i, attempt := range []struct {
		identity bool
		agent    string
		only     bool
		options  []string
	}{
		{named, login.IdentityAgent, login.IdentitiesOnly, nil},
		{true, login.IdentityAgent, login.IdentitiesOnly, nil},
		{named, login.IdentityAgent, false, []string{no}},
		{true, login.IdentityAgent, true, []string{yes}},
		{named, "", login.IdentitiesOnly, []string{usual}},
		{named, "", false, []string{usual, no}},
		{true, "", true, []string{usual, yes}},
	} {
		if attempt.identity && file == "" {
			continue
		}
		o := offers{files: configured, agent: r.agentBlobs(attempt.agent), only: attempt.only}
		if attempt.identity {
			o.files = append([]identityFile{readIdentityFile(file)}, configured...)
		}
		if !o.logsIn(wanted) {
			continue
		}
		found := addition{identity: attempt.identity && !named, options: attempt.options}
		if i > 0 {
			found.why = r.obstacle(login, attempt.agent)
		}
		return found.pastMethods(login).pastAlgorithms(login, installedKeys(report))
	}
	return addition{nothing: true}
}

// pastMethods adds what makes ssh try keys at all.
func (a addition) pastMethods(login copyid.LoginSettings) addition {
	if !login.PubkeyAuthentication {
		a.options = append(a.options, "PubkeyAuthentication=yes")
		a.why = obstacle{kind: keysOff}
	}
	if login.Methods != nil && !slices.Contains(login.Methods, "publickey") {
		a.options = append(a.options, "PreferredAuthentications=publickey")
		a.why = obstacle{kind: otherMethods}
	}
	return a
}

// pastAlgorithms adds what makes ssh sign with one of the keys where
// PubkeyAcceptedAlgorithms leaves out all of them. RSA keys sign under the names
// of RFC 8332. Types that ssh accepts only where it is told to stay as they are,
// since newer releases no longer know some of them.
func (a addition) pastAlgorithms(login copyid.LoginSettings, keys []identity.Identity) addition {
	usual := copyid.DefaultKeyAlgorithms()
	add := ""
	for _, id := range keys {
		names := []string{id.Entry.Key.Type()}
		if names[0] == "ssh-rsa" {
			names = []string{"rsa-sha2-512", "rsa-sha2-256"}
		}
		if slices.ContainsFunc(names, func(name string) bool { return slices.Contains(login.KeyAlgorithms, name) }) {
			return a
		}
		if add == "" && slices.Contains(usual, names[0]) {
			add = names[0]
		}
	}
	if add != "" {
		a.options = append(a.options, "PubkeyAcceptedAlgorithms=+"+add)
		a.why = obstacle{kind: otherTypes, value: add}
	}
	return a
}

// obstacle names the setting that keeps ssh from offering the new key, which
// agent holds or which is in a file.
func (r *run) obstacle(login copyid.LoginSettings, agent string) obstacle {
	switch held := len(r.agentBlobs(login.IdentityAgent)); {
	case agent != login.IdentityAgent:
		return obstacle{kind: otherAgent, value: login.IdentityAgent}
	case held >= maxTries && !login.IdentitiesOnly:
		return obstacle{kind: agentFirst, keys: held}
	case login.IdentitiesOnly:
		return obstacle{kind: onlyIdentities}
	case login.IdentityFilesConfigured:
		return obstacle{kind: otherFiles}
	}
	return obstacle{kind: noDefault}
}

// installedKeys are the keys that the hint is about: those that were added and
// that the server accepts, or else all that were added.
func installedKeys(report *copyid.Report) []identity.Identity {
	added := report.Added()
	accepted := map[string]bool{}
	for _, id := range report.Verification.Accepted {
		accepted[id.Entry.Blob()] = true
	}
	good := slices.DeleteFunc(slices.Clone(added), func(id identity.Identity) bool { return !accepted[id.Entry.Blob()] })
	if len(good) > 0 {
		return good
	}
	return added
}

// readIdentityFile looks at an identity file. A public key file may be one: it
// names a key of the agent. A file of PuTTY's is none that ssh can use.
func readIdentityFile(path string) identityFile {
	f := identityFile{path: path}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		ids, err := identity.ReadPublicHalf(path)
		f.private = err != nil || ids[0].Origin.Format.Private() && ids[0].Origin.Format != identity.FormatPPK
		if err == nil && ids[0].Origin.Format != identity.FormatPPK {
			f.blob = ids[0].Entry.Blob()
		}
	}
	if key, _ := identity.PublicHalf(path); key != nil {
		f.blob = authkeys.NewEntry(key, "").Blob()
	}
	return f
}

// agentBlobs are the keys that ssh gets from an agent; none where it cannot ask
// it.
func (r *run) agentBlobs(identityAgent string) []string {
	if identityAgent == "none" {
		return nil
	}
	opened, err := r.agent.open(identityAgent)
	if err != nil || r.agent.opened[identityAgent].pageant {
		return nil
	}
	return blobsOf(opened)
}

// inPageant reports whether Pageant, found where nothing names an agent, holds
// one of the keys that were installed.
func (r *run) inPageant(report *copyid.Report) bool {
	const unnamed = ""
	opened, err := r.agent.open(unnamed)
	if report.Login.IdentityAgent != unnamed || err != nil || !r.agent.opened[unnamed].pageant {
		return false
	}
	held := blobsOf(opened)
	return slices.ContainsFunc(installedKeys(report), func(id identity.Identity) bool { return slices.Contains(held, id.Entry.Blob()) })
}

// blobsOf are the keys of an agent; none where it does not answer.
func blobsOf(opened agent.ExtendedAgent) []string {
	ids, _, err := identity.FromAgent(opened)
	if err != nil {
		return nil
	}
	var blobs []string
	for _, id := range ids {
		blobs = append(blobs, id.Entry.Blob())
	}
	return blobs
}
