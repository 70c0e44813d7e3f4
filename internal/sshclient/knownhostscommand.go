package sshclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxHostKeyOutput bounds what a KnownHostsCommand may print, in bytes.
const maxHostKeyOutput = 16 << 20

// CommandError is returned when a program that ssh_config names did not do its
// work.
type CommandError struct {
	// Keyword is the ssh_config keyword, Program what was run.
	Keyword, Program string
	// Err is the cause.
	Err error
}

func (e *CommandError) Error() string { return e.Keyword + " " + e.Program + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CommandError) Unwrap() error { return e.Err }

var (
	errNotAbsolute = errors.New("path is not absolute")
	errTooMuch     = errors.New("it prints too much")
)

// hostKeyCommand is the KnownHostsCommand of the configuration, for
// hostkey.Policy; nil where there is none.
func hostKeyCommand(ctx context.Context, o *Options) func(invocation, host string, key ssh.PublicKey) ([]string, error) {
	if o.Host.KnownHostsCommand == "" {
		return nil
	}
	return func(invocation, host string, key ssh.PublicKey) ([]string, error) {
		words, err := o.Host.HostKeyCommand(hostKeyTokens(invocation, host, key))
		if err != nil {
			return nil, err
		}
		o.debug(1, "executing KnownHostsCommand for %s: %s", invocation, words[0])
		out, err := runHostKeyCommand(ctx, o, words)
		if err != nil {
			return nil, &CommandError{Keyword: "KnownHostsCommand", Program: words[0], Err: err}
		}
		return strings.Split(string(out), "\n"), nil
	}
}

// hostKeyTokens are the tokens that only KnownHostsCommand has; before the key
// exchange there is no key to speak of.
func hostKeyTokens(invocation, host string, key ssh.PublicKey) map[byte]string {
	tokens := map[byte]string{'H': host, 'I': invocation, 't': "NONE", 'f': "NONE", 'K': "NONE"}
	if key != nil {
		tokens['t'] = key.Type()
		tokens['f'] = ssh.FingerprintSHA256(key)
		tokens['K'] = base64.StdEncoding.EncodeToString(key.Marshal())
	}
	return tokens
}

// runHostKeyCommand runs a program as subprocess in OpenSSH's misc.c does: no
// shell, no search of the PATH, and a status other than 0 is a failure.
func runHostKeyCommand(ctx context.Context, o *Options, words []string) ([]byte, error) {
	if !filepath.IsAbs(words[0]) {
		return nil, errNotAbsolute
	}
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	stderr := &proxyErrors{report: o.ProxyStderr}
	command.Stderr = stderr
	defer stderr.flush()
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	_, err = io.Copy(&text, io.LimitReader(out, maxHostKeyOutput+1))
	if text.Len() > maxHostKeyOutput {
		err = errTooMuch
	}
	if err != nil {
		command.Process.Kill()
	}
	return text.Bytes(), errors.Join(err, command.Wait())
}
