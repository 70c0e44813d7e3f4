package sshtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// authorized looks a key up in the account's file and returns the options of
// its line. It reads with x/crypto's own parser, not with package authkeys, so
// that a fault there does not agree with itself.
func (s *Server) authorized(a *Account, key ssh.PublicKey, from net.Addr) ([]string, error) {
	file := strings.NewReplacer("%h", a.Home, "%u", a.Name, "%%", "%").Replace(s.cfg.AuthorizedKeysFile)
	if !filepath.IsAbs(file) {
		file = filepath.Join(a.Home, file)
	}
	if s.cfg.StrictModes {
		if err := securePath(file, a.Home); err != nil {
			return nil, err
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	blob := key.Marshal()
	err = errors.New("key not in " + file)
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		k, _, options, _, perr := ssh.ParseAuthorizedKey(line)
		if perr != nil || !bytes.Equal(k.Marshal(), blob) {
			continue
		}
		if err = allowedFrom(options, from); err == nil {
			return options, nil
		}
	}
	return nil, err
}

// securePath is safe_path of OpenSSH's misc.c: the file and each directory
// from it up to the home belong to the account or to root, and nobody else may
// write them.
func securePath(file, home string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	if h, err := filepath.EvalSymlinks(home); err == nil {
		home = h
	}
	info, err := os.Stat(real)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", real)
	}
	for p := real; ; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if !ownedByUs(info) || modeCounts && info.Mode()&fs.FileMode(0o022) != 0 {
			return fmt.Errorf("authentication refused: bad ownership or modes for %s", p)
		}
		if p == home || p == filepath.Dir(p) {
			return nil
		}
	}
}

// allowedFrom applies from="…": patterns with * and ?, networks, and ! before
// either; a match of a negated one refuses.
func allowedFrom(options []string, from net.Addr) error {
	host, _, err := net.SplitHostPort(from.String())
	if err != nil {
		host = from.String()
	}
	ip, _ := netip.ParseAddr(host)
	for _, o := range options {
		list, ok := optionValue(o, "from")
		if !ok {
			continue
		}
		matched := false
		for p := range strings.SplitSeq(list, ",") {
			p, negated := strings.CutPrefix(p, "!")
			network, err := netip.ParsePrefix(p)
			hit := err == nil && network.Contains(ip)
			if err != nil {
				hit, _ = path.Match(p, host)
			}
			if hit && negated {
				matched = false
				break
			}
			matched = matched || hit
		}
		if !matched {
			return fmt.Errorf("key not allowed from %s", host)
		}
	}
	return nil
}

func forcedCommand(options []string) string {
	for _, o := range options {
		if c, ok := optionValue(o, "command"); ok {
			return c
		}
	}
	return ""
}

// optionValue is the value of name="value", with \" read as a quote.
func optionValue(option, name string) (string, bool) {
	key, value, ok := strings.Cut(option, "=")
	if !ok || !strings.EqualFold(key, name) {
		return "", false
	}
	value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
	return strings.ReplaceAll(value, `\"`, `"`), true
}
