package script

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// runOracle runs the stock script in place of our program, under our name.
func runOracle(file string) {
	status, err := oracle(file, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		status = 125
	}
	os.Exit(status)
}

func oracle(file string, args []string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	dir, err := sshWrapper()
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	// With -c the script's $0 is what we say; run as a file it is the file.
	cmd := exec.Command("/bin/sh", append([]string{"-c", string(text), "ssh-copy-id"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// sshWrapper makes the directory of an ssh whose home is $HOME: the real one
// takes its default identities from where the passwd entry says, which is not
// the story's home, and must not be looked at.
func sshWrapper() (string, error) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(wrapperText, ssh)
	return dir, os.WriteFile(filepath.Join(dir, "ssh"), []byte(text), 0o700)
}

const wrapperText = `#!/bin/sh
ssh=%s
config= previous=
for word; do
	case $word in -i|[Ii]dentity[Ff]ile*) exec "$ssh" "$@" ;; esac
	[ "$previous" = -F ] && config=$word
	previous=$word
done
if [ -n "$config" ] && grep -qi '^[[:blank:]]*IdentityFile' "$config"; then
	exec "$ssh" "$@"
fi
found=
for name in id_dsa id_ed25519_sk id_ed25519 id_ecdsa_sk id_ecdsa id_rsa; do
	if [ -e "$HOME/.ssh/$name" ]; then
		set -- -o "IdentityFile=\"$HOME/.ssh/$name\"" "$@"
		found=yes
	fi
done
[ -n "$found" ] || set -- -o IdentityFile=none "$@"
exec "$ssh" "$@"
`

// shortHome is another name of a story's home. The script's -s puts a socket
// there, and names of sockets are short.
func shortHome(env *testscript.Env, home string) (string, error) {
	dir, err := os.MkdirTemp("", "home")
	if err != nil {
		return "", err
	}
	env.Defer(func() { os.RemoveAll(dir) })
	short := filepath.Join(dir, "home")
	return short, os.Symlink(home, short)
}
