package identity

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// listingAgent holds keys that an agent of this process would not take.
type listingAgent struct {
	agent.ExtendedAgent
	keys []*agent.Key
	err  error
}

func (a listingAgent) List() ([]*agent.Key, error) { return a.keys, a.err }

func TestFromAgent(t *testing.T) {
	ring := agent.NewKeyring().(agent.ExtendedAgent)
	for _, kind := range []string{"rsa", "ed25519", "ecdsa"} {
		key, _ := testKey(t, kind)
		if err := ring.Add(agent.AddedKey{PrivateKey: key, Comment: kind + " key"}); err != nil {
			t.Fatal(err)
		}
	}
	key, public := testKey(t, "ed25519")
	authority, err := ssh.NewSignerFromSigner(testKeys()["ecdsa"])
	if err != nil {
		t.Fatal(err)
	}
	certificate := &ssh.Certificate{Key: public, CertType: ssh.UserCert, ValidPrincipals: []string{"alice"}, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: key, Certificate: certificate, Comment: "cert"}); err != nil {
		t.Fatal(err)
	}

	ids, skipped, err := FromAgent(ring)
	if err != nil {
		t.Fatal(err)
	}
	var comments []string
	for _, id := range ids {
		comments = append(comments, id.Entry.Comment)
		if (id.Origin != Origin{Source: Agent}) {
			t.Errorf("origin %+v", id.Origin)
		}
	}
	if got := strings.Join(comments, ", "); got != "rsa key, ed25519 key, ecdsa key" {
		t.Errorf("the keys, in order: %s", got)
	}
	if len(skipped) != 1 || skipped[0].Reason != SkipCertificate || skipped[0].Entry.Comment != "cert" {
		t.Errorf("skipped: %+v", skipped)
	}
}

func TestFromAgentOddKeys(t *testing.T) {
	_, public := testKey(t, "ed25519")
	plain := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	blob := public.Marshal()
	for comment, want := range map[string]string{
		"":                     plain,
		"me":                   plain + " me",
		" me ":                 plain + " me",
		"a\nssh-rsa AAAA evil": plain + " a?ssh-rsa AAAA evil",
		"a\r\nb\x00\x1b[2J":    plain + " a??b??[2J",
		"b\xffc":               plain + " b?c",
	} {
		ids, _, err := FromAgent(listingAgent{keys: []*agent.Key{{Format: public.Type(), Blob: blob, Comment: comment}}})
		if err != nil || len(ids) != 1 || ids[0].Entry.Line() != want {
			t.Errorf("comment %q: %v, %v; want %q", comment, ids, err, want)
		}
	}

	odd := []*agent.Key{
		{Format: "ssh-new", Blob: []byte("\x00\x00\x00\x07ssh-new"), Comment: "new"},
		{Format: public.Type(), Blob: blob[:20], Comment: "cut short"},
		{Format: public.Type(), Blob: blob, Comment: "good"},
	}
	ids, skipped, err := FromAgent(listingAgent{keys: odd})
	if err != nil || len(ids) != 1 || ids[0].Entry.Comment != "good" {
		t.Errorf("got %v, %v", ids, err)
	}
	if len(skipped) != 2 || skipped[0].Reason != SkipDamaged || skipped[0].Entry.Comment != "new" {
		t.Errorf("skipped %+v", skipped)
	}

	if ids, skipped, err := FromAgent(listingAgent{}); len(ids)+len(skipped) != 0 || err != nil {
		t.Errorf("an empty agent: %v, %v, %v", ids, skipped, err)
	}
	dead := errors.New("dead")
	if _, _, err := FromAgent(listingAgent{err: dead}); !errors.Is(err, dead) {
		t.Errorf("a dead agent: %v", err)
	}
}
