// Command demo shows one installation from beginning to end: it builds the
// binary, starts an SSH server on loopback with an account and a password,
// makes a key, lets the binary install it, and logs in with it. Everything is
// below one temporary directory, which it removes.
//
// Run it as scripts/demo.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest"
)

// passwordVariable tells a process of this program that it is the
// SSH_ASKPASS of the demo, and what to answer.
const passwordVariable = "SSHCOPYID_DEMO_PASSWORD"

// account is who lives on the demo's server.
const account = "alice"

// limit bounds the whole demo.
const limit = 5 * time.Minute

func main() {
	if password := os.Getenv(passwordVariable); password != "" {
		answer(strings.Join(os.Args[1:], " "), password)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// answer is the person at the keyboard: ssh-copy-id runs this program with its
// question as the argument and reads the answer. The question is shown, the
// password is not.
func answer(question, password string) {
	fmt.Fprint(os.Stderr, question)
	if strings.Contains(question, "(yes/no") {
		fmt.Fprintln(os.Stderr, "yes")
		fmt.Println("yes")
		return
	}
	fmt.Fprintln(os.Stderr, "********")
	fmt.Println(password)
}

// demo is the world of one run.
type demo struct {
	dir      string // the client's home and working directory
	remote   string // the account's home on the server
	binary   string
	password string
	server   *sshtest.Server
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ssh-copy-id-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{
		dir:      filepath.Join(dir, "client"),
		remote:   filepath.Join(dir, "server", account),
		binary:   filepath.Join(dir, "bin", "ssh-copy-id"),
		password: rand.Text(),
	}
	if runtime.GOOS == "windows" {
		d.binary += ".exe"
	}
	if err := os.MkdirAll(filepath.Join(d.dir, ".ssh"), 0o700); err != nil {
		return err
	}
	say("Building ssh-copy-id")
	build := exec.CommandContext(ctx, "go", "build", "-o", d.binary, "ssh-copy-id")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	if d.server, err = sshtest.StartAccount(filepath.Dir(d.remote), account, d.password); err != nil {
		return err
	}
	defer d.server.Close()
	say("Started an SSH server on %s, with the account %s and a password", d.server.Addr(), account)
	return d.tell(ctx)
}

// tell is the demo itself, step by step.
func (d *demo) tell(ctx context.Context) error {
	say("Making a key: id_ed25519 and id_ed25519.pub")
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		return err
	}
	if err := sshtest.WriteKey(filepath.Join(d.dir, "id_ed25519"), key, "demo key", ""); err != nil {
		return err
	}
	say("Installing it. The password is typed for you")
	if err := d.copyID(ctx); err != nil {
		return err
	}
	say("What the server has now")
	if err := d.list(); err != nil {
		return err
	}
	say("Logging in with the key, without a password")
	signer, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return err
	}
	if err := d.logIn(signer); err != nil {
		return fmt.Errorf("the key does not log in: %w", err)
	}
	say("Installing it once more: it is there already, and nobody is asked for anything")
	if err := d.copyID(ctx); err != nil {
		return err
	}
	say("Done. Nothing is left behind")
	return nil
}

// copyID runs the binary as a user would.
func (d *demo) copyID(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"-F", "none", "-i", "id_ed25519", "-p", strconv.Itoa(d.server.Port()), account + "@127.0.0.1"}
	fmt.Printf("$ ssh-copy-id %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.binary, args...)
	cmd.Args[0] = "ssh-copy-id"
	cmd.Dir = d.dir
	cmd.Env = append(withoutSSH(os.Environ()),
		"HOME="+d.dir, "USERPROFILE="+d.dir,
		"SSH_ASKPASS="+self, "SSH_ASKPASS_REQUIRE=force", passwordVariable+"="+d.password)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ssh-copy-id: %w", err)
	}
	return nil
}

// withoutSSH drops the caller's agent: the demo has but one key.
func withoutSSH(environ []string) []string {
	var kept []string
	for _, e := range environ {
		if !strings.HasPrefix(e, "SSH_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// list shows the account's files, their modes and the keys.
func (d *demo) list() error {
	err := filepath.WalkDir(d.remote, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, d.remote))
		fmt.Printf("  %s  ~%s\n", info.Mode(), name)
		return nil
	})
	if err != nil {
		return err
	}
	keys, err := os.ReadFile(filepath.Join(d.remote, ".ssh", "authorized_keys"))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(keys) {
		fmt.Printf("  %s", line)
	}
	return nil
}

// logIn opens a session with nothing but the key and runs a command.
func (d *demo) logIn(signer ssh.Signer) error {
	client, err := ssh.Dial("tcp", d.server.Addr(), &ssh.ClientConfig{
		User:            account,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(d.server.HostKeys()[0]),
		Timeout:         10 * time.Second,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	out, err := session.CombinedOutput("echo logged in")
	fmt.Printf("  %s", out)
	return err
}

func say(format string, args ...any) {
	fmt.Printf("\n# "+format+"\n", args...)
}
