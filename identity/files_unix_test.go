//go:build unix

package identity

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"ssh-copy-id/authkeys"
)

// ssh-keygen -l must see the keys that ReadFile sees.
func TestDescribeAsKeygen(t *testing.T) {
	program := keygen(t)
	tests := []string{published(t, "dsa"), securityKey(t) + " yubi"}
	for _, name := range []string{"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa", "ed25519-cert", "rsa-cert"} {
		tests = append(tests, published(t, name))
	}
	for _, line := range tests {
		path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), line+"\n")
		out, err := exec.Command(program, "-l", "-f", path).Output()
		if err != nil {
			t.Errorf("ssh-keygen -l does not know the key %.30s: %v", line, err)
			continue
		}
		entry, err := authkeys.ParseEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := keygenLine(entry); got != strings.TrimSpace(string(out)) {
			t.Errorf("got  %s\nwant %s", got, out)
		}
	}
}

// Keys as ssh-keygen makes them, and the public half that it takes from them.
func TestSignerReadsKeygenKeys(t *testing.T) {
	program := keygen(t)
	tests := []struct {
		args []string
		err  error
	}{
		{args: []string{"-t", "ed25519"}},
		{args: []string{"-t", "ecdsa", "-b", "384"}},
		{args: []string{"-t", "rsa", "-b", "2048"}},
		{args: []string{"-t", "ed25519", "-N", passphrase}},
		{args: []string{"-t", "rsa", "-b", "2048", "-m", "PEM"}},
		{args: []string{"-t", "rsa", "-b", "2048", "-m", "PEM", "-N", passphrase}},
		{args: []string{"-t", "ecdsa", "-m", "PEM", "-N", passphrase}},
		{args: []string{"-t", "ecdsa", "-m", "PKCS8"}},
		{args: []string{"-t", "ecdsa", "-m", "PKCS8", "-N", passphrase}},
		{args: []string{"-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", passphrase}},
		{args: []string{"-t", "ed25519", "-N", passphrase, "-Z", "aes128-ctr"}, err: ErrUnsupported},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "id")
			secret := ""
			args := append([]string{"-q", "-f", path, "-a", "1"}, test.args...)
			if strings.Contains(strings.Join(test.args, " "), passphrase) {
				secret = passphrase
			} else {
				args = append(args, "-N", "")
			}
			if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen: %v\n%s", err, out)
			}
			if encrypted, err := Encrypted(path); encrypted != (secret != "") || err != nil {
				t.Errorf("encrypted: %v, %v", encrypted, err)
			}
			signer, err := openKey(path, func() ([]byte, error) { return []byte(secret), nil })
			if test.err != nil {
				if !errors.Is(err, test.err) {
					t.Errorf("got %v, want %v", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(program, "-y", "-P", secret, "-f", path).Output()
			if err != nil {
				t.Fatal(err)
			}
			own := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
			if keyOf(string(out)) != own {
				t.Errorf("got  %s\nwant %s", own, out)
			}
			checkSigns(t, signer, signer.PublicKey())
		})
	}
}

func TestSignerMindsMode(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, "ed25519", "openssh", false)))
	for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := openKey(path, nil); err != nil {
			t.Errorf("%04o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o620, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		var failed *ModeError
		if _, err := openKey(path, nil); !errors.As(err, &failed) || failed.Mode.Perm() != mode || failed.Path != path {
			t.Errorf("%04o: %v", mode, err)
		}
	}
}

func TestNewestFollowsNoLink(t *testing.T) {
	dir, past := t.TempDir(), time.Now().Add(-time.Hour)
	writeFile(t, filepath.Join(dir, "id_a.pub"), "")
	writeFile(t, filepath.Join(dir, "old"), "")
	for _, name := range []string{"id_a.pub", "old"} {
		if err := os.Chtimes(filepath.Join(dir, name), past, past.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string, age time.Duration) {
		t.Helper()
		path, at := filepath.Join(dir, name), unix.NsecToTimespec(time.Now().Add(-age).UnixNano())
		err := os.Symlink(target, path)
		if err := errors.Join(err, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)); err != nil {
			t.Fatal(err)
		}
	}

	link(dir, "id_dir.pub", 3*time.Minute) // newer, and leads to a directory
	checkNewest(t, dir, "id_a.pub")

	link("old", "id_link.pub", 2*time.Minute) // the link is new, what it leads to is not
	checkNewest(t, dir, "id_link.pub")

	link("gone", "id_gone.pub", time.Minute)
	checkNewest(t, dir, "id_gone.pub")
	path, _ := Newest(dir)
	if _, err := ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link that leads nowhere: %v", err)
	}

	sh, err := exec.LookPath("sh")
	if err != nil {
		return
	}
	// What the stock script does to find its default.
	out, err := exec.Command(sh, "-c", `cd "$1" && ls -dt id*.pub | grep -v -- '-cert.pub$' | head -n 1`, "sh", dir).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "id_gone.pub" {
		t.Errorf("ls -t finds %q, %v", got, err)
	}
}

// The public half, with its comment, is what ssh-keygen -y shows.
func TestReadPublicHalfAsKeygen(t *testing.T) {
	program := keygen(t)
	for _, test := range []string{
		"-t ed25519 -C a  comment", "-t rsa -b 2048", "-t ecdsa -b 256", "-t ecdsa -b 384", "-t ecdsa -b 521 -C \u65e5\u672c",
		"-t rsa -b 2048 -m PEM", "-t ecdsa -m PEM", "-t ecdsa -m PKCS8", "-t rsa -b 2048 -m PKCS8", "-t ed25519 -N " + "secret",
	} {
		t.Run(test, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "id")
			options, comment, _ := strings.Cut(test, " -C ")
			args := append([]string{"-q", "-a", "1", "-f", path, "-C", comment}, strings.Fields(options)...)
			secret := "secret"
			if !strings.Contains(test, "-N") {
				secret = ""
				args = append(args, "-N", "")
			}
			if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
				t.Fatalf("ssh-keygen: %v\n%s", err, out)
			}
			out, err := exec.Command(program, "-y", "-P", secret, "-f", path).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(string(out))
			if secret != "" {
				want = keyOf(want)
			}
			ids, err := ReadPublicHalf(path)
			if err != nil || ids[0].Entry.Line() != want {
				t.Errorf("got  %v, %v\nwant %s", ids, err, want)
			}
		})
	}
}
