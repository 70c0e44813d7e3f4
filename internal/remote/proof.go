package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
)

// statusUnknown is the exit status of ssh where the server tells none.
const statusUnknown = 255

// Proof is where a login leads: what the stock script looks at to find out
// whether a key is installed.
type Proof struct {
	// Status is the exit status of the command "exit", which every shell has; 0
	// means that the login is good for something. 255 where the server told none.
	Status int
	// Shell reports whether a shell ran the command of ProveShell: no program in
	// its place ends with the status that was asked for.
	Shell bool
	// Refused reports whether the server runs no commands at all.
	Refused bool
	// SFTPOnly reports whether the server said that the account is for SFTP alone.
	SFTPOnly bool
	// Closed reports whether the server closed the connection.
	Closed bool
	// Said is what came in place of silence, standard output and standard error
	// as they arrived, not escaped and at most 2 KiB.
	Said string
}

// Prove runs the command "exit" on a connection, as the stock script does to see
// whether a key works. The error is the context's, or a *[RemoteError] where the
// server does not answer in time.
func Prove(ctx context.Context, client *ssh.Client, o Options) (*Proof, error) {
	return prove(ctx, client, "exit", o)
}

// ProveShell runs the command "exit" with a status of our choice. Without one a
// shell ends with the status of the last command of its start-up files (bash
// reads .bashrc for sshd), and a forced command that ignores what was asked for
// may end with 0; a forced command that hands the command to a shell passes.
func ProveShell(ctx context.Context, client *ssh.Client, o Options) (*Proof, error) {
	asked := 20 + rand.IntN(100) // none that shells and sshd use themselves
	proof, err := prove(ctx, client, fmt.Sprintf("exit %d", asked), o)
	if err == nil {
		proof.Shell = proof.Status == asked
	}
	return proof, err
}

func prove(ctx context.Context, client *ssh.Client, command string, o Options) (*Proof, error) {
	w := o.Run().Clock(AwaitChannel)
	defer w.Stop()
	return await(ctx, w, func() (*Proof, error) {
		ch, requests, err := client.OpenChannel("session", nil)
		var refused *ssh.OpenChannelError
		switch {
		case errors.As(err, &refused):
			return &Proof{Status: statusUnknown, Refused: true, Said: refused.Message}, nil
		case err != nil:
			return &Proof{Status: statusUnknown, Closed: true}, nil
		}
		defer ch.Close()
		w.Expect(AwaitCommand)
		status := make(chan int, 1)
		go exitStatus(requests, status)
		if ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command})); err != nil || !ok {
			return &Proof{Status: statusUnknown, Refused: err == nil, Closed: err != nil}, nil
		}
		w.Expect(AwaitAnswer)
		ch.CloseWrite()
		said := &scriptrun.Excerpt{}
		read := readAll(ch, said)
		proof := &Proof{Status: <-status}
		// What a start-up file has left in the background may keep the channel open.
		select {
		case <-read:
		case <-time.After(scriptrun.CurrentLimits().Close):
		}
		proof.Said = strings.TrimSpace(said.String())
		proof.SFTPOnly = servesSFTPOnly(proof.Said)
		return proof, nil
	})
}

// exitStatus sends the exit status that the requests of a channel bring, or
// statusUnknown when they end without one.
func exitStatus(requests <-chan *ssh.Request, status chan<- int) {
	told := false
	tell := func(n int) {
		if !told {
			told = true
			status <- n
		}
	}
	for request := range requests {
		if request.Type == "exit-status" && len(request.Payload) >= 4 {
			tell(int(binary.BigEndian.Uint32(request.Payload)))
		}
		if request.WantReply {
			request.Reply(false, nil)
		}
	}
	tell(statusUnknown)
}

// readAll copies standard output and standard error to the same place until
// both end.
func readAll(ch ssh.Channel, to io.Writer) <-chan struct{} {
	var both sync.WaitGroup
	both.Go(func() { io.Copy(to, ch) })
	both.Go(func() { io.Copy(to, ch.Stderr()) })
	done := make(chan struct{})
	go func() {
		both.Wait()
		close(done)
	}()
	return done
}

// ProveSFTP opens an SFTP session on a connection and closes it: where a login
// leads on an account for SFTP. The error is a *[RemoteError], or the context's.
func ProveSFTP(ctx context.Context, client *ssh.Client, o Options) error {
	w := o.Run().Clock(AwaitSFTP)
	defer w.Stop()
	_, err := await(ctx, w, func() (struct{}, error) {
		ch, requests, err := client.OpenChannel("session", nil)
		var refused *ssh.OpenChannelError
		switch {
		case errors.As(err, &refused):
			return struct{}{}, &RemoteError{Stage: StageOpen, Reason: NoSFTP, Detail: refused.Message, Status: -1}
		case err != nil:
			return struct{}{}, &RemoteError{Stage: StageOpen, Reason: Closed, Detail: err.Error(), Status: -1}
		}
		defer ch.Close()
		s := &sftpSession{o: o}
		s.watch.Store(w)
		c, err := s.subsystem(&scriptrun.Channel{Channel: ch, Requests: requests})
		if err == nil {
			c.Close()
		}
		return struct{}{}, err
	})
	return err
}
