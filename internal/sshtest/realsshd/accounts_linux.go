package realsshd

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeAccounts prepares the lines that namespace.sh puts before those of
// /etc/passwd, shadow and group, and the homes.
func writeAccounts(stage string, cfg Config) error {
	homes := cfg.Homes
	if homes == "" {
		homes = filepath.Join(stage, "home")
	}
	dir := filepath.Join(stage, "accounts")
	for _, d := range []string{dir, filepath.Join(stage, "home")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	var passwd, shadow, group, shells strings.Builder
	for i, a := range cfg.Accounts {
		if a.Name == "" || strings.ContainsAny(a.Name, ":\n/ ") || strings.ContainsAny(a.Shell, ":\n") {
			return fmt.Errorf("account %q with shell %q", a.Name, a.Shell)
		}
		uid, home := firstUID+i, "/home/"+a.Name
		if a.Name == "root" {
			uid, home = 0, "/root"
		}
		shell := a.Shell
		if shell == "" {
			shell = "/bin/sh"
		}
		hash, err := hashPassword(a.Password)
		if err != nil {
			return fmt.Errorf("password of %s: %w", a.Name, err)
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:%s\n", a.Name, uid, uid, home, shell)
		fmt.Fprintf(&shadow, "%s:%s:19000:0:99999:7:::\n", a.Name, hash)
		fmt.Fprintf(&group, "%s:x:%d:\n", a.Name, uid)
		fmt.Fprintln(&shells, shell) // dropbear lets in only who has one of these
		if err := makeHome(filepath.Join(homes, a.Name), uid, a.Keys); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"passwd": passwd.String(), "shadow": shadow.String(),
		"group": group.String(), "shells": shells.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// makeHome makes a home directory as useradd would, and authorized_keys as
// ssh-copy-id would.
func makeHome(home string, uid int, keys []string) error {
	paths := []string{home}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	if keys != nil {
		dir := filepath.Join(home, ".ssh")
		file := filepath.Join(dir, "authorized_keys")
		paths = append(paths, dir, file)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		text := ""
		for _, key := range keys {
			text += strings.TrimSuffix(key, "\n") + "\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, path := range paths {
		if err := os.Chown(path, uid, uid); err != nil {
			return err
		}
	}
	return nil
}

// hashPassword makes the second field of a shadow line. It asks perl's crypt,
// because perl-base is on every Debian, and hands the password over on
// standard input. A password that is empty yields a field that no password
// matches and that sshd does not take for a locked account, as it does "!".
func hashPassword(password string) (string, error) {
	if password == "" {
		return "*", nil
	}
	if strings.ContainsAny(password, "\n\x00") {
		return "", errors.New("holds a newline or a NUL")
	}
	// SHA-512 with the fewest rounds crypt(5) allows: a test's password is no
	// secret, and slow hashing would be most of what a benchmark measures.
	cmd := exec.Command("perl", "-e", `$p = <STDIN>; chomp $p; $h = crypt($p, '$6$rounds=1000$'.$ARGV[0].'$'); print $h if $h;`, rand.Text()[:16])
	cmd.Stdin = strings.NewReader(password + "\n")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("perl: %v", err)
	}
	if !bytes.HasPrefix(out, []byte("$6$")) {
		return "", errors.New("this system's crypt knows no SHA-512")
	}
	return string(out), nil
}
