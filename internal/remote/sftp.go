package remote

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
)

// sftpSession is a Session over SFTP.
type sftpSession struct {
	o      Options
	client *sftp.Client
	user   string
	home   string
	uid    uint32 // of the account: who owns its home
	at     target
	text   string // what is to be appended

	watch atomic.Pointer[scriptrun.Clock] // of the request in hand
	// writing: what is being written may be there already.
	writing atomic.Bool
	// halted: nothing may be written any more.
	halted atomic.Bool
	// abandoned: a request was given up on, and its goroutine may still run.
	abandoned bool
}

// target is where the file is and which modes on the way are ours to mend, as
// locate in install.sh finds them.
type target struct {
	file, dir         string
	mendHome, mendDir bool
	inHome, dirInHome bool
	real              string
	facts             []PathFact
	exists            bool
}

// OpenSFTP starts the server's SFTP subsystem. Options.Trace has no
// meaning here. An error is a *RemoteError with StageOpen or
// StageStart, or the context's.
//
// The rules are those of the script, and so are the lock and the notes left in
// it, so that both kinds of sessions keep clear of each other. What SFTP
// cannot tell is who the account is: the owner of the directory the session
// starts in is taken for it. That directory is the home.
func OpenSFTP(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	if err := refuseAccount(o); err != nil {
		return nil, err
	}
	if err := readRequest(o, nil).check(); err != nil {
		return nil, err
	}
	ch, err := openChannel(ctx, client, o)
	if err != nil {
		return nil, err
	}
	s := &sftpSession{o: o, user: client.User()}
	w := o.Run().Clock(AwaitSFTP)
	defer w.Stop()
	s.watch.Store(w)
	// What is given up on keeps s, which nobody else sees then.
	_, err = await(ctx, w, func() (struct{}, error) {
		c, err := s.subsystem(ch)
		if err == nil {
			s.client = c
			err = s.locate()
		}
		return struct{}{}, err
	})
	if err != nil {
		go ch.Close() // not waited for: the connection may take nothing more
		return nil, explained(ctx, client, o, err)
	}
	return s, nil
}

// refuseAccount rejects Options.Account on backends that cannot switch users. SFTP
// would act with root's power along a path that the account controls, and has no
// call that opens a file without following links.
func refuseAccount(o Options) error {
	if o.Account == "" {
		return nil
	}
	return &RemoteError{Stage: StageStart, Reason: CannotSwitch, Status: -1,
		Detail: "SFTP cannot act as another account"}
}

// explained adds to the error of an SFTP server that ended without a word what a
// command says in its place: sshd reports an expired password or nologin only
// there (do_child in session.c).
func explained(ctx context.Context, client *ssh.Client, o Options, err error) error {
	var failed *RemoteError
	if !o.SFTP || !errors.As(err, &failed) || failed.Reason != NotSFTP || failed.Detail != "" {
		return err
	}
	if proof, proofErr := Prove(ctx, client, o); proofErr == nil && proof.Status != 0 {
		failed.Detail = proof.Said
	}
	return err
}

// subsystem starts the SFTP server on a channel.
func (s *sftpSession) subsystem(ch *scriptrun.Channel) (*sftp.Client, error) {
	errs, drained := &scriptrun.Excerpt{}, make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(errs, io.LimitReader(ch.Stderr(), scriptrun.MaxErrors))
	}()
	go ssh.DiscardRequests(ch.Requests)
	failed := func(reason Reason, detail string) error {
		return &RemoteError{Stage: StageStart, Reason: reason, Detail: detail, Status: -1}
	}
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err != nil {
		return nil, failed(Closed, err.Error())
	}
	if !ok {
		return nil, failed(NoSFTP, "")
	}
	s.watch.Load().Progress(0)
	said := &scriptrun.Excerpt{}
	client, err := sftp.NewClientPipe(&replies{Reader: io.TeeReader(ch, said), s: s}, ch)
	if err != nil {
		// The library's error is about the protocol; what the server said is
		// what helps.
		s.remainder(ch, said, drained)
		return nil, failed(NotSFTP, instead(errs.String(), said.String()))
	}
	said.Stop()
	return client, nil
}

// remainder reads to said what else comes in place of SFTP, but not for long, and
// closes the channel.
func (s *sftpSession) remainder(ch *scriptrun.Channel, said *scriptrun.Excerpt, drained <-chan struct{}) {
	ch.CloseWrite()
	ctx, cancel := context.WithTimeout(context.Background(), scriptrun.CurrentLimits().Close)
	defer cancel()
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.CopyN(said, ch, scriptrun.MaxExcerpt)
	}()
	for _, end := range []<-chan struct{}{read, drained} {
		select {
		case <-end:
		case <-ctx.Done():
		}
	}
	ch.Close()
}

// instead is what came in place of the SFTP protocol: standard error, or else
// the first line of standard output that is text.
func instead(errs, out string) string {
	if errs = strings.TrimSpace(errs); errs != "" {
		return errs
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\x1b' }) {
		return ""
	}
	return strings.TrimSpace(line)
}

// replies is what the server sends. Each piece of it is progress.
type replies struct {
	io.Reader
	s *sftpSession
}

func (r *replies) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.s.watch.Load().Progress(n)
	return n, err
}

// within runs f, but no longer than ctx lasts and the server makes progress.
// The library takes no context, so what is given up on ends with the
// connection at the latest.
func within[T any](ctx context.Context, s *sftpSession, f func() (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	if s.abandoned {
		return none, &RemoteError{Stage: StageRequest, Path: s.at.file, Reason: Closed, Status: -1}
	}
	w := s.o.Run().Clock(AwaitReply)
	s.watch.Store(w)
	defer w.Stop()
	value, err := await(ctx, w, f)
	var late *RemoteError
	expired := errors.As(err, &late) && late.Reason == Silent
	if expired {
		late.Path, late.Unsure = s.at.file, s.writing.Load()
	}
	if expired || ctx.Err() != nil {
		// Nothing more may be written once this has been called a failure.
		s.abandoned = true
		s.halted.Store(true)
		go s.client.Close()
	}
	if err != nil {
		return none, err
	}
	return value, nil
}

func (s *sftpSession) Close() error {
	if s.abandoned {
		return nil
	}
	closed := make(chan error, 1)
	go func() { closed <- s.client.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(scriptrun.CurrentLimits().Close): // the server does not close its side
		return nil
	}
}

// fail makes an error of what the library said.
func (s *sftpSession) fail(stage Stage, err error) error {
	e := &RemoteError{Stage: stage, Path: s.at.file, Detail: err.Error(), Status: -1}
	switch {
	case errors.Is(err, sftp.ErrSSHFxConnectionLost):
		e.Reason = Closed
	case errors.Is(err, fs.ErrPermission):
		e.Reason = Denied
	default:
		e.Reason = reasonOf(e.Detail)
		// The protocol has no word for a full disk.
		if _, ok := s.client.HasExtension("statvfs@openssh.com"); ok && e.Reason == Failed && stage != StageTarget {
			if disk, err := s.client.StatVFS(s.at.dir); err == nil && (disk.Bavail == 0 || disk.Files > 0 && disk.Favail == 0) {
				e.Reason = Full
			}
		}
	}
	return e
}

// locate finds the home and the target file.
func (s *sftpSession) locate() error {
	home, err := s.client.RealPath(".")
	if err != nil {
		return s.fail(StageStart, err)
	}
	if !strings.HasPrefix(home, "/") || strings.ContainsAny(home, "\n\x00") {
		return &RemoteError{Stage: StageStart, Reason: Garbled, Detail: "the home is not an absolute path", Status: -1}
	}
	s.home = home
	s.uid = s.account()
	at := &s.at
	switch t := s.o.Target; {
	case t == "":
		at.file = path.Join(home, ".ssh/authorized_keys")
		at.mendHome, at.mendDir = true, true
		if s.user == "root" {
			if _, err := s.client.Stat("/etc/openwrt_release"); err == nil {
				at.file, at.mendHome = "/etc/dropbear/authorized_keys", false
			}
		}
	case strings.HasPrefix(t, "/"):
		at.file = t
	default:
		for _, prefix := range []string{"~/", "$HOME/", "${HOME}/"} {
			t = strings.TrimPrefix(t, prefix)
		}
		at.file = strings.TrimSuffix(home, "/") + "/" + t
	}
	at.dir = at.file[:max(strings.LastIndexByte(at.file, '/'), 1)]
	if at.dir == path.Join(home, ".ssh") {
		at.mendHome, at.mendDir = true, true
	}
	return nil
}

// account is the user id of the account: that of the owner of its home. Where
// that is root's, as the directory of a ChrootDirectory has to be, and the login
// is not, the owner of the .ssh in it. A file there may be anybody's.
func (s *sftpSession) account() uint32 {
	home := strings.TrimSuffix(s.home, "/")
	for _, name := range []string{home + "/", home + "/.ssh"} {
		if info, err := s.client.Stat(name); err == nil && (owner(info) != 0 || s.user == "root") {
			return owner(info)
		}
	}
	return 0
}

// owner is the user id of a file, 0 if the server does not tell.
func owner(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*sftp.FileStat); ok {
		return stat.UID
	}
	return 0
}
