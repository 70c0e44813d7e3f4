package remote

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// proofLimit bounds a session that is opened to see where a login leads.
const proofLimit = 30 * time.Second

// statusUnknown is the exit status of ssh where the server tells none.
const statusUnknown = 255

// Proof is where a login leads: what the stock script looks at to find out
// whether a key is installed.
type Proof struct {
	// Status is the exit status of the command "exit", which every shell has; 0
	// means that the login is good for something. 255 where the server told none.
	Status int
	// Refused reports whether the server runs no commands at all.
	Refused bool
	// Closed reports whether the server closed the connection.
	Closed bool
	// Said is what came in place of silence, standard output and standard error
	// as they arrived, not escaped and at most 2 KiB.
	Said string
}

// Prove runs the command "exit" on a connection, as the stock script does to see
// whether a key works. The error is the context's, or a *[RemoteError] where the
// server does not answer in time.
func Prove(ctx context.Context, client *ssh.Client) (*Proof, error) {
	return within(ctx, proofLimit, func() (*Proof, error) {
		session, err := client.NewSession()
		var refused *ssh.OpenChannelError
		switch {
		case errors.As(err, &refused):
			return &Proof{Status: statusUnknown, Refused: true, Said: refused.Message}, nil
		case err != nil:
			return &Proof{Status: statusUnknown, Closed: true}, nil
		}
		defer session.Close()
		said := &excerpt{}
		session.Stdout, session.Stderr = said, said
		if err := session.Start("exit"); err != nil {
			return &Proof{Status: statusUnknown, Refused: true}, nil
		}
		status := 0
		var exit *ssh.ExitError
		switch err := session.Wait(); {
		case errors.As(err, &exit) && exit.Signal() == "":
			status = exit.ExitStatus()
		case err != nil:
			status = statusUnknown
		}
		return &Proof{Status: status, Said: strings.TrimSpace(said.String())}, nil
	})
}

// ProveSFTP opens an SFTP session on a connection and closes it: where a login
// leads on an account for SFTP. The error is a *[RemoteError], or the context's.
func ProveSFTP(ctx context.Context, client *ssh.Client) error {
	_, err := within(ctx, proofLimit, func() (struct{}, error) {
		c, err := sftp.NewClient(client)
		if err != nil {
			return struct{}{}, &RemoteError{Stage: StageStart, Reason: Refused, Detail: err.Error(), Status: -1}
		}
		c.Close()
		return struct{}{}, nil
	})
	return err
}

// within runs f for at most limit. What is given up on ends with the connection.
func within[T any](ctx context.Context, limit time.Duration, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := f()
		done <- outcome{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var none T
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-timer.C:
		return none, &RemoteError{Stage: StageAnswer, Reason: Silent, Status: -1}
	}
}
