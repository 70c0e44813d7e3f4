package term

import (
	"os/exec"
	"strings"
	"testing"
)

// inBackground runs the program in the background of a shell with job control,
// waits until it is stopped, and then does what then says about $p.
func inBackground(then string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `exec 2>&3; set -m; "$0" & p=$!
			while read -r stat </proc/$p/stat; do case $stat in *") T "*) break;; esac; done
			` + then + `; echo "status=$?"`, cmd.Path}
	}
}

// TestBackgroundIsStoppedAndEnds: a question in the background stops the
// program, and TERM with CONT, which is what timeout(1) sends, ends it.
func TestBackgroundIsStoppedAndEnds(t *testing.T) {
	for sig, want := range map[string]string{"TERM": "terminated", "HUP": "hangup"} {
		s := start(t, "secret", inBackground("kill -"+sig+" $p; kill -CONT $p; while kill -0 $p; do wait $p; done 2>/dev/null"))
		if code, out := s.wait(); code != 0 || !strings.HasPrefix(out, "interrupted by "+want+"\n") {
			t.Errorf("%s: status %d, output %q", sig, code, out)
		}
		if !s.echo() {
			t.Errorf("%s: echo is off afterwards", sig)
		}
	}
}

// TestForegroundAfterBackground: brought to the foreground, the program asks.
func TestForegroundAfterBackground(t *testing.T) {
	s := start(t, "secret", inBackground("fg >/dev/null"))
	s.expect("password: ")
	s.send("whole\n")
	if code, out := s.wait(); code != 0 || out != "secret=\"whole\"\nstatus=0\n" {
		t.Errorf("status %d, output %q, terminal %q", code, out, s.shown.String())
	}
}
