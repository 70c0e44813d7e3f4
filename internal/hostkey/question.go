package hostkey

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// unknown is the case of a host that no line names: refuse, ask, or note the key.
func (v *Verifier) unknown(s sight, key ssh.PublicKey, addressResult status) error {
	p := &v.policy
	e := &UnknownError{Host: s.name, Type: sshkey.TypeName(key), Fingerprint: fingerprint(key, p.FingerprintHash), Key: key}
	switch {
	case len(p.Pins) > 0:
		if !pinned(p.Pins, key) {
			e.Reason = PinMismatch
			return e
		}
		v.debug("host key has the fingerprint that was expected")
	case !v.writable:
		e.Reason = NotRecordable
		return e
	case p.Strict == "yes":
		e.Reason = Strict
		return e
	case p.Strict == "ask":
		yes, asked, err := v.ask(v.question(s, key, e.Fingerprint), e.Fingerprint)
		if !yes {
			e.Reason, e.Err = Declined, err
			if !asked {
				e.Reason = CannotAsk
			}
			return e
		}
	}
	v.trusted = len(p.Pins) > 0 || p.Strict == "ask"
	if v.writable {
		v.record(s, key, addressResult)
	}
	return nil
}

// record notes the key and says so.
func (v *Verifier) record(s sight, key ssh.PublicKey, addressResult status) {
	names := []string{s.name}
	if v.checkIP && addressResult == statusNew && s.ip != s.name {
		names = append(names, s.ip)
	}
	if err := v.add(key, names...); err != nil {
		v.debug("%v", err)
		v.notice("Failed to add the host to the list of known hosts (" + v.policy.UserFiles[0] + ").")
		return
	}
	v.notice(fmt.Sprintf("Warning: Permanently added '%s' (%s) to the list of known hosts.",
		strings.Join(names, ","), sshkey.TypeName(key)))
}

func pinned(pins []string, key ssh.PublicKey) bool {
	return slices.ContainsFunc(pins, func(pin string) bool {
		name, _, _ := strings.Cut(pin, ":")
		return pin == fingerprint(key, name)
	})
}

// addressDiffers is the case of a right key at an address known by another key.
func (v *Verifier) addressDiffers(s sight, key ssh.PublicKey, found, address *entry) error {
	e := &AddressError{
		Host: s.name, Type: sshkey.TypeName(key), IP: s.ip,
		File: address.file, Line: address.line,
	}
	if found != nil {
		e.MatchFile, e.MatchLine = found.file, found.line
	}
	switch v.policy.Strict {
	case "no":
		v.notice(e.warning())
		return nil
	case "ask":
		yes, asked, err := v.ask(e.warning()+"\nAre you sure you want to continue connecting (yes/no)? ", "")
		if yes {
			return nil
		}
		e.Asked, e.Err = asked, err
	}
	return e
}

// question is what ssh asks about an unknown host (check_host_key).
func (v *Verifier) question(s sight, key ssh.PublicKey, print string) string {
	lines := []string{
		fmt.Sprintf("The authenticity of host '%s (%s)' can't be established.", s.name, s.ip),
		fmt.Sprintf("%s key fingerprint is %s.", sshkey.TypeName(key), print),
	}
	if v.policy.VisualHostKey {
		lines = append(lines, randomart(key, v.policy.FingerprintHash))
	}
	if others := v.otherNames(s.name, key); len(others) == 0 {
		lines = append(lines, "This key is not known by any other names.")
	} else {
		const most = 8
		lines = append(lines, "This host key is known by the following other names/addresses:")
		for _, name := range others[:min(len(others), most)] {
			lines = append(lines, "    "+name)
		}
		if n := len(others) - most; n > 0 {
			lines = append(lines, fmt.Sprintf("    (%d additional names omitted)", n))
		}
	}
	return strings.Join(append(lines, "Are you sure you want to continue connecting (yes/no/[fingerprint])? "), "\n")
}

// otherNames lists the lines with the same key under other names
// (hostkeys_find_by_key in sshconnect.c).
func (v *Verifier) otherNames(name string, key ssh.PublicKey) []string {
	blob := []byte(base64.StdEncoding.EncodeToString(key.Marshal()))
	var others []string
	for _, file := range v.files() {
		shown := v.shorten(file)
		// What is wrong with the file was said when it was first read.
		_ = v.scanFile(file, func(l textLine) error {
			if l.marker != markNone || !bytes.Equal(l.blob, blob) {
				return nil
			}
			if same, err := matchNames(name, l.names); same || err != nil {
				return err
			}
			names := printable(string(l.names))
			if l.names[0] == '|' {
				names = "[hashed name]"
			}
			others = append(others, fmt.Sprintf("%s:%d: %s", shown, l.number, names))
			return nil
		})
	}
	return others
}

// shorten writes ~ for the home directory (try_tilde_unexpand in sshconnect.c).
func (v *Verifier) shorten(file string) string {
	if v.policy.Home == "" || !filepath.IsAbs(file) {
		return file
	}
	home := strings.TrimRight(v.policy.Home, `/\`)
	rest, ok := strings.CutPrefix(file, home)
	if !ok || rest == "" || !strings.ContainsAny(rest[:1], `/\`) {
		return file
	}
	return "~/" + filepath.ToSlash(rest[1:])
}

// printable keeps a damaged name from spoiling a question of several lines.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// ask repeats the question until the answer is one (confirm in sshconnect.c):
// "yes" or the fingerprint accept; "no", nothing, or the end of input refuse.
// Without a fingerprint only yes and no are answers.
func (v *Verifier) ask(prompt, print string) (yes, asked bool, err error) {
	if v.policy.Batch || v.policy.Ask == nil {
		return false, false, nil
	}
	again := "Please type 'yes' or 'no': "
	if print != "" {
		again = "Please type 'yes', 'no' or the fingerprint: "
	}
	// Someone who never answers is a program; ssh would ask it for ever.
	const most = 1000
	for range most {
		answer, err := v.policy.Ask(prompt)
		if err != nil {
			return false, true, err
		}
		answer = strings.TrimLeft(answer, " \t")
		if i := strings.IndexAny(answer, " \t\r\n"); i >= 0 {
			answer = answer[:i]
		}
		switch {
		case answer == "" || strings.EqualFold(answer, "no"):
			return false, true, nil
		case strings.EqualFold(answer, "yes") || print != "" && answer == print:
			return true, true, nil
		}
		prompt = again
	}
	return false, true, nil
}
