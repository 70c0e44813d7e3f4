//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// hinted is the command that an install shows.
var hinted = regexp.MustCompile(`(?m)^Now try logging into the machine, with: "(.*)"$`)

// TestRealHint runs the command that is shown at the end with the real ssh or
// sftp: it logs in without a password, whatever ssh_config and the agents offer.
// ssh takes its default files from the home of the password file, so the
// client's home is put in the place of root's, in a mount namespace of its own.
func TestRealHint(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice")})
	for _, c := range []struct {
		name   string
		config string   // lines for the host
		keys   []string // made in ~/.ssh, the last one being the newest
		held   []string // those of them that the agent holds
		gone   string   // a private key that only the agent has
		args   []string
		want   string // the command; PORT is the port
		why    string // in the line that names the setting; "" for no such line
	}{
		{"default identity", "", []string{"id_ed25519"}, nil, "", nil, "ssh 'box'", ""},
		{"default identity with options", "", []string{"id_ed25519"}, nil, "", []string{"-p", "PORT", "-o", "LogLevel=ERROR"},
			"ssh -p PORT -o 'LogLevel=ERROR' 'box'", ""},
		{"-i", "", []string{"other", "id_ed25519"}, nil, "", []string{"-i", ".ssh/other", "-p", "PORT"}, "ssh -i .ssh/other -p PORT 'box'", ""},
		{"-i beside an IdentityFile", "IdentityFile ~/.ssh/work", []string{"work", "new"}, nil, "", []string{"-i", ".ssh/new"}, "ssh -i .ssh/new 'box'", ""},
		{"-i and IdentitiesOnly", "IdentitiesOnly yes", []string{"new"}, nil, "", []string{"-i", ".ssh/new"}, "ssh -i .ssh/new 'box'", ""},
		{"newest of another name", "", []string{"id_ed25519", "id_work"}, nil, "", nil, "ssh -i HOME/.ssh/id_work 'box'", "its file is none of the default identities"},
		{"IdentityFile names another", "IdentityFile ~/.ssh/work", []string{"work", "id_ed25519"}, nil, "", nil,
			"ssh -i HOME/.ssh/id_ed25519 'box'", "IdentityFile names others"},
		{"IdentityFile names this one", "IdentityFile ~/.ssh/work\nIdentityFile ~/.ssh/id_work", []string{"work", "id_work"}, nil, "", nil, "ssh 'box'", ""},
		{"IdentityFile none", "IdentityFile none", []string{"id_ed25519"}, nil, "", nil, "ssh -i HOME/.ssh/id_ed25519 'box'", "IdentityFile names others"},
		{"agent", "", []string{"one", "two"}, []string{"one", "two"}, "", nil, "ssh 'box'", ""},
		{"agent and IdentityFile", "IdentityFile ~/.ssh/work", []string{"work", "one"}, []string{"one"}, "", nil, "ssh 'box'", ""},
		{"agent and IdentitiesOnly", "IdentityFile ~/.ssh/work\nIdentitiesOnly yes", []string{"work", "one"}, []string{"one"}, "", nil,
			"ssh -o 'IdentitiesOnly=no' 'box'", "IdentitiesOnly yes, and no IdentityFile names it"},
		{"agent, IdentitiesOnly and the IdentityFile", "IdentityFile ~/.ssh/one\nIdentitiesOnly yes", []string{"work", "one"}, []string{"one"}, "", nil, "ssh 'box'", ""},
		{"private half in the agent alone", "", []string{"stub"}, []string{"stub"}, "stub", []string{"-f", "-i", ".ssh/stub.pub"}, "ssh 'box'", ""},
		{"private half in the agent, IdentitiesOnly", "IdentitiesOnly yes", []string{"stub"}, []string{"stub"}, "stub", []string{"-f", "-i", ".ssh/stub.pub"},
			"ssh -i .ssh/stub.pub 'box'", "IdentitiesOnly yes"},
		{"IdentityAgent none", "IdentityAgent none", []string{"stub"}, []string{"stub"}, "stub", []string{"-f", "-i", ".ssh/stub.pub"},
			"ssh -o 'IdentityAgent=SSH_AUTH_SOCK' 'box'", "IdentityAgent none"},
		{"another agent", "IdentityAgent ~/.ssh/nothing", []string{"stub"}, []string{"stub"}, "stub", []string{"-f", "-i", ".ssh/stub.pub"},
			"ssh -o 'IdentityAgent=SSH_AUTH_SOCK' 'box'", "IdentityAgent HOME/.ssh/nothing"},
		{"another agent and IdentitiesOnly", "IdentityAgent none\nIdentitiesOnly yes", []string{"stub"}, []string{"stub"}, "stub", []string{"-f", "-i", ".ssh/stub.pub"},
			"ssh -o 'IdentityAgent=SSH_AUTH_SOCK' -o 'IdentitiesOnly=no' 'box'", "IdentityAgent none"},
		{"too many keys in the agent", "", []string{"a1", "a2", "a3", "a4", "a5", "a6", "id_ed25519"}, []string{"a1", "a2", "a3", "a4", "a5", "a6"}, "",
			[]string{"-i", ".ssh/id_ed25519"}, "ssh -i .ssh/id_ed25519 -o 'IdentitiesOnly=yes' 'box'", "the agent's 6 keys come first"},
		{"many keys in the agent", "", []string{"a1", "a2", "a3", "a4", "a5", "id_ed25519"}, []string{"a1", "a2", "a3", "a4", "a5"}, "",
			[]string{"-i", ".ssh/id_ed25519"}, "ssh -i .ssh/id_ed25519 'box'", ""},
		{"password asked for", "", []string{"id_ed25519"}, nil, "", []string{"-o", "PreferredAuthentications=password"},
			"ssh -o 'PreferredAuthentications=publickey' -o 'PreferredAuthentications=password' 'box'", "PreferredAuthentications without publickey"},
		{"keys turned off", "PubkeyAuthentication no\nIdentityFile ~/.ssh/work", []string{"work", "id_ed25519"}, nil, "", nil,
			"ssh -i HOME/.ssh/id_ed25519 -o 'PubkeyAuthentication=yes' 'box'", "PubkeyAuthentication no"},
		{"key type left out", "PubkeyAcceptedAlgorithms -ssh-ed25519*", []string{"id_ed25519"}, nil, "", nil,
			"ssh -o 'PubkeyAcceptedAlgorithms=+ssh-ed25519' 'box'", "PubkeyAcceptedAlgorithms without ssh-ed25519"},
		{"other key types on the command line", "", []string{"new"}, nil, "", []string{"-i", ".ssh/new", "-o", "PubkeyAcceptedAlgorithms=rsa-sha2-512"},
			"ssh -i .ssh/new -o 'PubkeyAcceptedAlgorithms=+ssh-ed25519' -o 'PubkeyAcceptedAlgorithms=rsa-sha2-512' 'box'",
			"PubkeyAcceptedAlgorithms without ssh-ed25519"},
		{"sftp", "IdentityFile ~/.ssh/work", []string{"work", "id_ed25519"}, nil, "", []string{"-s", "-p", "PORT"},
			"sftp -i HOME/.ssh/id_ed25519 -P PORT 'box'", "IdentityFile names others"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.RemoveAll(s.Home("alice") + "/.ssh"); err != nil {
				t.Fatal(err)
			}
			cl := newClient(t, s)
			cl.write(".ssh/config", fmt.Sprintf("Host box\nHostName 127.0.0.1\nPort %d\nUser alice\n%s\n", s.Port, c.config))
			for _, name := range c.keys {
				cl.key(name)
			}
			env := []string{"SSH_AUTH_SOCK="}
			if c.held != nil {
				env[0] += cl.agent(c.held...).Socket()
			}
			if c.gone != "" {
				if err := os.Remove(cl.home + "/.ssh/" + c.gone); err != nil {
					t.Fatal(err)
				}
			}
			fill := strings.NewReplacer("PORT", fmt.Sprint(s.Port), "HOME", cl.home)
			args := append(env, "sshpass", "-p", "secret", cl.program())
			for _, arg := range c.args {
				args = append(args, fill.Replace(arg))
			}
			r := cl.run("env", append(args, "box")...)
			r.want(t, 0, "Number of key(s) added: ")
			found := hinted.FindStringSubmatch(r.out)
			if found == nil {
				t.Fatalf("no command in\n%s", r.out)
			}
			if want := fill.Replace(c.want); found[1] != want {
				t.Errorf("the command is %s, want %s", found[1], want)
			}
			const line = "ssh by itself would not log in with the new key ("
			if got := strings.Contains(r.stderr, line); got != (c.why != "") || !strings.Contains(r.stderr, fill.Replace(c.why)) {
				t.Errorf("want the reason %q in\n%s", fill.Replace(c.why), r.stderr)
			}
			cl.logsIn(found[1], env)
		})
	}
}

// logsIn runs a command of ours as the user would, with nobody to ask.
func (c *client) logsIn(command string, env []string) {
	c.t.Helper()
	program, rest, _ := strings.Cut(command, " ")
	if program == "sftp" {
		command = "sftp -o BatchMode=yes -b /dev/null " + rest
	} else {
		command = "ssh -o BatchMode=yes " + rest + " true"
	}
	// In the place of root's home the key files are where ssh looks for them;
	// the client's own home stays, for the paths in the command.
	script := `mount --bind "$HOME" /root && ` + command
	cmd := exec.Command("unshare", "--mount", "sh", "-c", script)
	cmd.Dir = c.home
	cmd.Env = append([]string{"HOME=" + c.home, "PATH=" + os.Getenv("PATH")}, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Errorf("%s: %v\n%s", command, err, out)
	}
}
