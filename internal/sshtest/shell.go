package sshtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func loginShell(a *Account) string {
	switch {
	case a.Shell != "":
		return a.Shell
	case runtime.GOOS == "windows":
		return GoShell
	}
	return "/bin/sh"
}

// runShell runs a command as do_child in session.c does: the login shell with
// -c, or as a login shell, its name beginning with a dash.
func runShell(ctx context.Context, shell string, c *Command) int {
	args := []string{shell, "-c", c.Line}
	if c.Line == "" {
		args = []string{"-" + filepath.Base(shell)}
	}
	cmd := exec.CommandContext(ctx, shell)
	cmd.Args = args
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.Stdout, cmd.Stderr = c.Stdout, c.Stderr
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	// Not cmd.Stdin: Wait would then wait for input that nobody reads.
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintf(c.Stderr, "%s: %v\n", shell, err)
		return 1
	}
	go func() {
		io.Copy(stdin, c.Stdin)
		stdin.Close()
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return 0
	case errors.As(err, &exit):
		return exitStatus(exit)
	}
	return 255
}

// runGoShell runs a command without any shell of the machine. The shell knows
// no umask and starts no other sh: here umask does nothing, and `sh -c` is the
// same shell again.
func runGoShell(ctx context.Context, c *Command) int {
	line := c.Line
	if line == "" {
		text, err := io.ReadAll(c.Stdin)
		if err != nil {
			return 1
		}
		line = string(text)
	}
	if runtime.GOOS == "windows" && strings.HasPrefix(line, "sh -c ") && strings.Contains(line, "eval ") {
		// A script that is sent needs programs that no such machine has.
		fmt.Fprint(c.Stderr, "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n")
		return 1
	}
	r, err := interp.New(
		interp.Env(expand.ListEnviron(c.Env...)), interp.Dir(c.Dir),
		interp.StdIO(c.Stdin, c.Stdout, c.Stderr),
		interp.CallHandler(withoutUmask), interp.ExecHandlers(innerShell),
	)
	if err != nil {
		fmt.Fprintf(c.Stderr, "%s: %v\n", GoShell, err)
		return 1
	}
	return runText(ctx, r, line, c.Stderr)
}

func runText(ctx context.Context, r *interp.Runner, text string, stderr io.Writer) int {
	prog, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(text), GoShell)
	if err == nil {
		err = r.Run(ctx, prog)
	}
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintln(stderr, err)
	return 2
}

func withoutUmask(_ context.Context, args []string) ([]string, error) {
	if args[0] == "umask" {
		return []string{"true"}, nil
	}
	return args, nil
}

// innerShell runs `sh -c text [name [argument...]]` in a new interpreter with
// the files and the environment of the call.
func innerShell(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(ctx context.Context, args []string) error {
		if filepath.Base(args[0]) != "sh" || len(args) < 3 || args[1] != "-c" {
			return next(ctx, args)
		}
		h := interp.HandlerCtx(ctx)
		var params []string
		if len(args) > 4 {
			params = append([]string{"--"}, args[4:]...)
		}
		r, err := interp.New(interp.Env(h.Env), interp.Dir(h.Dir), interp.StdIO(h.Stdin, h.Stdout, h.Stderr),
			interp.Params(params...),
			interp.CallHandler(withoutUmask), interp.ExecHandlers(innerShell))
		if err != nil {
			return err
		}
		if status := runText(ctx, r, args[2], h.Stderr); status != 0 {
			return interp.ExitStatus(status)
		}
		return nil
	}
}
