package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/scriptrun"
)

// netScreenPatience is how long a firewall may take for all it is told. It
// writes its flash meanwhile.
var netScreenPatience = 30 * time.Second

// maxNetScreen bounds what a firewall says, in bytes, beside an echo of what it
// is told.
const maxNetScreen = 64 << 10

const (
	// screenOS is the State.OS of a NetScreen.
	screenOS = "ScreenOS"
	// dss is the type of the keys it takes.
	dss = "ssh-dss"
)

// KeyTypeError tells that a Change holds keys which the server has no use for.
// Nothing was sent; without those lines the Change can be made. To errors.As it
// is a *RemoteError with the reason Invalid as well.
type KeyTypeError struct {
	Server string   // what it is: "ScreenOS"
	Takes  []string // the types it takes, as "ssh-dss"
	Keys   []RefusedKey
}

// RefusedKey is a key of a KeyTypeError.
type RefusedKey struct {
	Line        int    // its index in Change.Lines
	Type        string // as "ssh-ed25519"
	Fingerprint string // as "SHA256:..."
}

func (e *KeyTypeError) Error() string {
	var keys []string
	for _, k := range e.Keys {
		keys = append(keys, k.Type+" "+k.Fingerprint)
	}
	return fmt.Sprintf("%s takes %s keys only, not %s", e.Server, strings.Join(e.Takes, " and "), strings.Join(keys, ", "))
}

func (e *KeyTypeError) Unwrap() error {
	return &RemoteError{Stage: StageRequest, Reason: Invalid, Detail: e.Error(), Status: -1}
}

// netScreen is a Session with a firewall.
type netScreen struct {
	client *ssh.Client
	o      Options
}

// OpenNetScreen makes a session for a firewall with ScreenOS, which keeps keys
// in its configuration. Nothing is sent before Edit. Only Options.Account and a
// context that has ended make an error.
//
// Read asks the device nothing and tells of no candidates: it would need a
// session of its own, and how a device lists keys is not documented. Edit types
// what ssh-copy-id of OpenSSH types: a "set ssh pka-dsa key" for each key, then
// "save" and "exit". Of a Change only Lines count. Each is an entry with a DSA
// key and without options; other keys make a *KeyTypeError. What is sent of
// them is their base64, encoded anew. Options.Target names no file here; a note
// of the Result says so. With Options.Trace what the device says is copied to
// Options.Stderr.
//
// Once something was sent, every error is Unsure, and some of the keys may have
// been taken: which command an answer is for cannot be told. An error line of
// the device gives the reason Failed, with the line in Detail.
func OpenNetScreen(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	if o.Account != "" {
		return nil, &RemoteError{Stage: StageStart, Reason: CannotSwitch, Status: -1, Detail: "ScreenOS takes keys for the login only"}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &netScreen{client: client, o: o}, nil
}

func (n *netScreen) Read(ctx context.Context, blobs []string) (*State, error) {
	if err := readRequest(n.o, blobs).check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return &State{OS: screenOS}, nil
}

func (n *netScreen) Edit(ctx context.Context, change Change) (*Result, error) {
	if err := addRequest(n.o, change).check(); err != nil {
		return nil, err
	}
	blobs, err := dsaBlobs(change.Lines)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(blobs) > 0 {
		n.o.writing()
		if err := n.tell(ctx, blobs); err != nil {
			return nil, err
		}
	}
	result := &Result{Applied: true, State: State{OS: screenOS}}
	if n.o.Target != "" {
		result.Notes = append(result.Notes, Note{Kind: NoteNoFile})
	}
	return result, nil
}

// Close does nothing: Edit ends what it began.
func (n *netScreen) Close() error { return nil }

// dsaBlobs are the keys of some entries in base64, each once. Nothing else of
// the entries gets any further.
func dsaBlobs(lines []string) ([]string, error) {
	var blobs []string
	refused := &KeyTypeError{Server: screenOS, Takes: []string{dss}}
	for i, line := range lines {
		e, err := authkeys.ParseEntry(line)
		switch {
		case err != nil:
			return nil, &RemoteError{Stage: StageRequest, Reason: Invalid, Status: -1, Detail: fmt.Sprintf("line %d is no entry with a key", i+1)}
		case e.Key.Type() != dss:
			refused.Keys = append(refused.Keys, RefusedKey{Line: i, Type: e.Key.Type(), Fingerprint: ssh.FingerprintSHA256(e.Key)})
		case len(e.Options) > 0:
			// The device would take the key and allow all.
			return nil, &RemoteError{Stage: StageRequest, Reason: Invalid, Status: -1, Detail: "ScreenOS knows no options beside a key"}
		default:
			if blob := base64.StdEncoding.EncodeToString(e.Key.Marshal()); !slices.Contains(blobs, blob) {
				blobs = append(blobs, blob)
			}
		}
	}
	if len(refused.Keys) > 0 {
		return nil, refused
	}
	return blobs, nil
}

var errNoEnd = errors.New("the device did not end the session")

// tell types the commands for the keys and reads what the device says.
func (n *netScreen) tell(ctx context.Context, blobs []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, netScreenPatience, errNoEnd)
	defer cancel()
	ch, err := openChannel(ctx, n.client, n.o)
	if errors.Is(err, errNoEnd) {
		return &RemoteError{Stage: StageOpen, Reason: NoAnswer, Detail: errNoEnd.Error(), Status: -1}
	}
	if err != nil {
		return err
	}
	w := n.o.Run().Clock(AwaitAnswer) // for its notices: ctx has the limit
	defer w.Stop()
	done := make(chan error, 1)
	go func() { done <- n.dialogue(ch, blobs) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// Not waited for: a server that does not answer may not take a goodbye
		// either. Both end with the connection at the latest.
		go ch.Close()
		if err := context.Cause(ctx); !errors.Is(err, errNoEnd) {
			return err
		}
		return &RemoteError{Stage: StageAnswer, Reason: NoAnswer, Detail: errNoEnd.Error(), Status: -1, Unsure: true, Device: true}
	}
}

// dialogue is one shell session, without a terminal as with ssh -T.
func (n *netScreen) dialogue(ch *scriptrun.Channel, blobs []string) error {
	trace := &scriptrun.Excerpt{}
	if n.o.Trace {
		trace.To = n.o.Stderr
	}
	p := ch.Attend(trace)
	defer ch.Close()
	switch ok, err := ch.SendRequest("shell", true, nil); {
	case err != nil:
		return &RemoteError{Stage: StageStart, Reason: Closed, Detail: err.Error(), Status: -1}
	case !ok:
		return &RemoteError{Stage: StageStart, Reason: Refused, Status: -1}
	}
	var commands strings.Builder
	for _, blob := range blobs {
		fmt.Fprintf(&commands, "set ssh pka-dsa key %s\n", blob)
	}
	commands.WriteString("save\nexit\n")
	// The device may echo more than a window holds before it reads on.
	go func() {
		io.WriteString(ch, commands.String())
		ch.CloseWrite()
	}()
	limit := maxNetScreen + 2*commands.Len()
	said, err := io.ReadAll(io.LimitReader(io.TeeReader(ch, trace), int64(limit)+1))
	if len(said) > limit {
		return &RemoteError{Stage: StageAnswer, Reason: TooMuch, Status: -1, Unsure: true, Device: true}
	}
	if err == nil {
		p.Wait()
	}
	ch.Close()
	p.Wait()
	e := &RemoteError{Stage: StageAnswer, Reason: Closed, Status: p.ExitStatus(), Unsure: true, Device: true}
	words := answers(string(said)+"\n"+p.Errs.String(), blobs)
	complaints := slices.DeleteFunc(slices.Clone(words), func(line string) bool { return !complaint.MatchString(line) })
	switch {
	case len(complaints) > 0:
		e.Stage, e.Reason, e.Detail = StageAppend, Failed, short(complaints)
	case e.Status >= 0 && e.Status <= 1:
		// ScreenOS gives 1 after exit, which ssh-copy-id knows too: it calls
		// populate_new_ids 1.
		return nil
	case e.Status > 1:
		e.Reason, e.Detail = NoAnswer, short(words)
	default:
		e.Detail = short(words)
	}
	return e
}

// complaint finds the lines with one of these words. What stands in base64 is
// no word.
var complaint = regexp.MustCompile(`(?i)(?:^|[^0-9a-z+/=])(?:unknown (?:keyword|command)|invalid|illegal|bad|incomplete|not completed|` +
	`ambiguous|syntax|errors?|fail(?:s|ed|ure)?|denied|not (?:allowed|permitted|supported|authorized|found)|` +
	`cannot|can't|could not|unable|too (?:many|long)|exceed(?:s|ed)?)(?:$|[^0-9a-z+/=])`)

// maxPrompt is the length of the longest prompt, in bytes. A host name has at
// most 64.
const maxPrompt = 80

// cutPrompt takes a prompt off the line: a host name, with (M) or such behind
// it, and an arrow.
func cutPrompt(line string) (rest string, ok bool) {
	i := strings.IndexByte(line[:min(len(line), maxPrompt)], '>')
	if i < 2 || line[i-1] != '-' || strings.ContainsAny(line[:i], " \t") {
		return line, false
	}
	return strings.TrimSpace(line[i+1:]), true
}

// answers are the lines a device gave in answer to commands: not the prompts,
// not an echo of the keys, and not what it says at the login, before the first
// prompt.
func answers(said string, blobs []string) []string {
	var keys []string
	for _, blob := range blobs {
		keys = append(keys, blob, "KEY")
	}
	said = strings.NewReplacer(keys...).Replace(said)
	var lines []string
	prompted := false
	for line := range strings.Lines(strings.ReplaceAll(said, "\r", "\n")) {
		line, ok := cutPrompt(strings.TrimSpace(line))
		if ok && !prompted {
			prompted, lines = true, nil
		}
		for ok {
			line, ok = cutPrompt(line)
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// short is the beginning of some lines.
func short(lines []string) string {
	text := strings.Join(lines, "\n")
	return text[:min(len(text), scriptrun.MaxExcerpt)]
}
