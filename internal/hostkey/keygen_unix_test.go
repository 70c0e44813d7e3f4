//go:build unix

package hostkey

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

var foundLine = regexp.MustCompile(`(?m)^# Host .* found: line (\d+) (CA|REVOKED)? *$`)

// keygenFinds returns the lines of a file that ssh-keygen finds for a name, with
// their markers; -l makes it read the keys too.
func keygenFinds(t *testing.T, text, host string) map[int]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, _ := run(t, exec.Command(program(t, "ssh-keygen"), "-l", "-F", host, "-f", file))
	found := map[int]string{}
	for _, m := range foundLine.FindAllStringSubmatch(stdout, -1) {
		found[must(strconv.Atoi(m[1]))] = strings.TrimSpace(m[1] + " " + m[2])
	}
	return found
}

// TestKnownLinesByKeygen holds the table against ssh-keygen. The rows are in one
// file, one after the other, but for those that only a file of their own can be.
func TestKnownLinesByKeygen(t *testing.T) {
	var all strings.Builder
	found := map[string]map[int]string{} // by host
	first := make([]int, len(knownLines))
	for i, c := range knownLines {
		if text := knownText(c.text); strings.HasSuffix(text, "\n") && c.ours == "" {
			first[i] = 1 + strings.Count(all.String(), "\n")
			all.WriteString(text)
			found[c.host] = nil
		}
	}
	for host := range found {
		found[host] = keygenFinds(t, all.String(), host)
	}
	for i, c := range knownLines {
		text := knownText(c.text)
		lines, before := found[c.host], first[i]-1
		if first[i] == 0 {
			lines, before = keygenFinds(t, text, c.host), 0
		}
		var got []string
		for number := range strings.Count(text, "\n") + 1 {
			if line, ok := lines[before+number+1]; ok && (first[i] == 0 || number < strings.Count(text, "\n")) {
				_, marker, _ := strings.Cut(line, " ")
				got = append(got, strings.TrimSpace(strconv.Itoa(number+1)+" "+marker))
			}
		}
		if got := strings.Join(got, ","); (got != c.want) != (c.ours != "") {
			t.Errorf("%s: ssh-keygen found %q, the table has %q", c.name, got, c.want)
		}
	}
}

// TestAppendedLines: what is written is found by ssh-keygen, plain and hashed,
// and the mode of the file and the line before stay.
func TestAppendedLines(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	for _, hash := range []bool{false, true} {
		w := newWorld(t)
		before := expand("other $OTHER")
		w.write(before)
		if err := os.Chmod(w.file, 0o644); err != nil {
			t.Fatal(err)
		}
		p := w.policy("accept-new")
		p.Hash = hash
		if err := w.verifier(p, "box", 2222).Callback()("box:2222", peer, cast()["KEY"].PublicKey()); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(w.content(), before+"\n") {
			t.Errorf("the line before was not kept and ended: %q", w.content())
		}
		if info, _ := os.Stat(w.file); info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v", info.Mode())
		}
		if strings.Contains(w.content(), "[box]:2222") == hash {
			t.Errorf("hash %v: %q", hash, w.content())
		}
		out, _, status := run(t, exec.Command(keygen, "-F", "[box]:2222", "-f", w.file))
		if status != 0 || !strings.Contains(out, expand("$KEY")) {
			t.Errorf("ssh-keygen -F: status %d, %q", status, out)
		}
	}
}

// TestKRLByKeygen holds the table against ssh-keygen -Q.
func TestKRLByKeygen(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	dir := t.TempDir()
	shown := map[string]ssh.PublicKey{"key.pub": cast()["KEY"].PublicKey(), "key-cert.pub": sevenOf(t)}
	for name, key := range shown {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line(key)+" user@host\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(dir, "krl")
	newer := knowsExtensions(t)
	for _, row := range krlRows() {
		if row.newer && !newer {
			continue
		}
		if err := os.WriteFile(list, row.list, 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, status := run(t, exec.Command(keygen, "-Q", "-f", list, filepath.Join(dir, "key.pub"), filepath.Join(dir, "key-cert.pub")))
		for name, want := range map[string]string{"key.pub": row.key, "key-cert.pub": row.cert} {
			got := ""
			switch {
			case strings.Contains(stdout, "/"+name+" (user@host): REVOKED\n"):
				got = "revoked"
			case stdout == "" && status != 0:
				got = "damaged"
			}
			if got != want {
				t.Errorf("%s: ssh-keygen -Q says %q of %s, the table %q\n%s%s", row.name, got, name, want, stdout, stderr)
			}
		}
	}
}

// knowsExtensions reports whether ssh-keygen reads the extensions of a list,
// which OpenSSH 9.4 brought.
func knowsExtensions(t *testing.T) bool {
	_, version, _ := run(t, exec.Command(program(t, "ssh"), "-V"))
	old := regexp.MustCompile(`^OpenSSH_([1-8]\.|9\.[0-3])\D`)
	return !old.MatchString(version)
}

// TestKRLOfKeygen: what ssh-keygen -k writes of a specification revokes what it
// says.
func TestKRLOfKeygen(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	for _, c := range []struct {
		spec      string
		key, cert string
	}{
		{"serial: 7\n", "", "revoked"},
		{"serial: 8\n", "", ""},
		{"serial: 1-100\nserial: 200-300\n", "", "revoked"},
		{"serial: 1\nserial: 3\nserial: 5\nserial: 7\nserial: 9\nserial: 12\nserial: 15\n", "", "revoked"},
		{"serial: 1\nserial: 3\nserial: 5\nserial: 8\nserial: 9\nserial: 12\nserial: 15\n", "", ""},
		{"id: seven\n", "", "revoked"},
		{"id: six\nid: eight\n", "", ""},
		{"key: $KEY\n", "revoked", "revoked"},
		{"sha1: $KEY\n", "revoked", "revoked"},
		{"sha256: $KEY\n", "revoked", "revoked"},
		{"sha256: $CA\n", "", "revoked"},
		{"key: $OTHER\n", "", ""},
	} {
		dir := t.TempDir()
		ca, spec, list := filepath.Join(dir, "ca.pub"), filepath.Join(dir, "spec"), filepath.Join(dir, "krl")
		for file, text := range map[string]string{ca: expand("$CA\n"), spec: expand(c.spec)} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, stderr, status := run(t, exec.Command(keygen, "-k", "-f", list, "-s", ca, spec)); status != 0 {
			t.Fatalf("ssh-keygen -k: %s", stderr)
		}
		data, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := revocation(t, data, cast()["KEY"].PublicKey()); got != c.key {
			t.Errorf("%q: the key is %q", c.spec, got)
		}
		if got := revocation(t, data, sevenOf(t)); got != c.cert {
			t.Errorf("%q: the certificate is %q", c.spec, got)
		}
	}
}

// TestFingerprintsByKeygen: length, kind, fingerprint and drawing of a key are
// what ssh-keygen -lv shows.
func TestFingerprintsByKeygen(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	var text strings.Builder
	keys := keysOfEachType(t)
	for name, key := range keys {
		text.WriteString(line(key) + " " + name + "\n")
	}
	file := filepath.Join(t.TempDir(), "keys.pub")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for algorithm := range digests {
		stdout, stderr, status := run(t, exec.Command(keygen, "-l", "-v", "-E", algorithm, "-f", file))
		if status != 0 {
			t.Fatal(stderr)
		}
		for name, key := range keys {
			want := fmt.Sprintf("%d %s %s (%s)\n%s\n", sshkey.Bits(key), fingerprint(key, algorithm), name, sshkey.TypeName(key), randomart(key, algorithm))
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: we show\n%sssh-keygen shows\n%s", algorithm, want, stdout)
			}
		}
	}
}
