package sshconfig

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// resolveText resolves host "web" against one configuration file.
func resolveText(t testing.TB, text string, change func(*Input)) (*Host, error) {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := Input{Destination: "web", ConfigFile: file, Home: home, LocalUser: "me", UID: "7", LocalHost: "here.example.org"}
	in.LookupEnv = func(name string) (string, bool) { return "/run/" + name, name == "SET" }
	in.Getenv = func(string) string { return "" }
	if change != nil {
		change(&in)
	}
	return Resolve(in)
}

func TestDefaults(t *testing.T) {
	h, err := resolveText(t, "", func(in *Input) { in.Home = "/h" })
	if err != nil {
		t.Fatal(err)
	}
	if h.Name != "web" || h.HostName != "web" || h.User != "me" || h.Port != 22 || h.AddressFamily != "any" {
		t.Errorf("destination: %+v", h)
	}
	if h.ConnectTimeout != 0 || h.ConnectionAttempts != 1 || !h.TCPKeepAlive || h.ServerAliveCountMax != 3 {
		t.Errorf("connection: %+v", h)
	}
	if h.IdentityFilesConfigured || len(h.IdentityFiles) != 6 || h.IdentityFiles[0] != "/h/.ssh/id_rsa" || h.IdentityAgent != "" {
		t.Errorf("identities: %v %v", h.IdentityFiles, h.IdentityAgent)
	}
	if h.StrictHostKeyChecking != "ask" || h.UpdateHostKeys != "yes" || h.VerifyHostKeyDNS != "no" || h.FingerprintHash != "SHA256" {
		t.Errorf("host key settings: %+v", h)
	}
	if want := []string{"/h/.ssh/known_hosts", "/h/.ssh/known_hosts2"}; !slices.Equal(h.UserKnownHostsFiles, want) {
		t.Errorf("user known hosts: %v", h.UserKnownHostsFiles)
	}
	if !h.PubkeyAuthentication || !h.PasswordAuthentication || !h.KbdInteractiveAuthentication || h.NumberOfPasswordPrompts != 3 || h.BatchMode {
		t.Errorf("login settings: %+v", h)
	}
	if h.Ciphers != nil || h.PreferredAuthentications != nil || h.ProxyCommand != "" || h.ProxyJump != "" || h.LogLevel != "INFO" || h.Unusable != nil {
		t.Errorf("unset settings: %+v", h)
	}
}

func TestHostValues(t *testing.T) {
	h, err := resolveText(t, `
HostName db
User bob
ConnectTimeout 1m
ServerAliveInterval 5
RekeyLimit 1K 1m
IdentityFile ~/keys/%h-%r
IdentityFile none
CertificateFile %d/%u-%i.pub
StrictHostKeyChecking off
UserKnownHostsFile none
GlobalKnownHostsFile ~/g
RevokedHostKeys ~/revoked
PreferredAuthentications password,publickey
Ciphers ^aes128-ctr,aes256-ctr
HostKeyAlias ALIAS
ProxyCommand gw %h %p %r %n %k %%
`, func(in *Input) { in.Home = "/h" })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, got, want string }{
		{"identities", strings.Join(h.IdentityFiles, " "), "/h/keys/db-bob"},
		{"certificates", strings.Join(h.CertificateFiles, " "), "/h/me-7.pub"},
		{"strict", h.StrictHostKeyChecking, "no"},
		{"global", strings.Join(h.GlobalKnownHostsFiles, " "), "/h/g"},
		{"revoked", strings.Join(h.RevokedHostKeys, " "), "/h/revoked"},
		{"methods", strings.Join(h.PreferredAuthentications, " "), "password publickey"},
		{"ciphers", strings.Join(Ciphers.Names(h.Ciphers)[:3], " "), "aes128-ctr aes256-ctr chacha20-poly1305@openssh.com"},
		{"alias", h.HostKeyAlias, "alias"},
		{"proxy", h.ProxyCommand, "gw db 22 bob web alias %"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	if h.ConnectTimeout != time.Minute || h.ServerAliveInterval != 5*time.Second || h.RekeyLimit != 1024 || h.RekeyInterval != time.Minute {
		t.Errorf("numbers: %v %v %v %v", h.ConnectTimeout, h.ServerAliveInterval, h.RekeyLimit, h.RekeyInterval)
	}
	if h.UserKnownHostsFiles != nil || !h.IdentityFilesConfigured || h.Unusable != nil {
		t.Errorf("%v %v %v", h.UserKnownHostsFiles, h.IdentityFilesConfigured, h.Unusable)
	}
}

func TestIdentityAgent(t *testing.T) {
	for line, want := range map[string]string{
		"":                               "",
		"IdentityAgent SSH_AUTH_SOCK":    "",
		"IdentityAgent none":             "none",
		"IdentityAgent $SET":             "/run/SET",
		"IdentityAgent ${SET}/x":         "/run/SET/x",
		"IdentityAgent $NOT_SET":         "none",
		"IdentityAgent ~/%n.sock":        "/h/web.sock",
		"IdentityAgent %d/agent-%u.sock": "/h/agent-me.sock",
	} {
		h, err := resolveText(t, line, func(in *Input) { in.Home = "/h" })
		if err != nil || h.IdentityAgent != want {
			t.Errorf("%q: %v %v, want %q", line, h, err, want)
		}
	}
}

func TestUnusable(t *testing.T) {
	for _, line := range []string{
		"IdentityFile ~/%z", "IdentityFile ${NOT_SET}/id", "CertificateFile %", "ProxyCommand nc %d",
		"HostName a;b\nProxyCommand nc %h", "User a;b\nProxyCommand nc %h",
	} {
		h, err := resolveText(t, line, nil)
		if err != nil {
			t.Errorf("%q: refused by -G too: %v", line, err)
		} else if h.Unusable == nil {
			t.Errorf("%q: usable", line)
		}
	}
}

func TestNotices(t *testing.T) {
	h, err := resolveText(t, "RSAAuthentication yes\nMatch final\n", nil)
	if err != nil || len(h.Notices) != 1 || !strings.HasSuffix(h.Notices[0], `line 1: Unsupported option "rsaauthentication"`) {
		t.Errorf("%v %v", h, err)
	}
}

func TestMatchNewerCriteria(t *testing.T) {
	addresses := func(in *Input) {
		in.Addresses = func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.7")} }
		in.Options, in.RemoteCommand = []string{"-Pblue"}, "exit"
	}
	for criteria, want := range map[string]bool{
		"localnetwork 192.0.2.0/24":               true,
		"localnetwork 203.0.113.0/24,192.0.2.7":   true,
		"localnetwork 192.0.2.0/24,!192.0.2.7/32": false,
		"!localnetwork 10.0.0.0/8":                true,
		"tagged b*":                               true,
		"tagged red":                              false,
		"sessiontype exec":                        true,
		"sessiontype shell":                       false,
		"command exit":                            true,
		`command ""`:                              false,
		"version OpenSSH_*":                       true,
		"version OpenSSH_9.*":                     false,
	} {
		h, err := resolveText(t, "Match "+criteria+"\nPort 7\n", addresses)
		if err != nil || (h.Port == 7) != want {
			t.Errorf("%s: %v %v", criteria, h, err)
		}
	}
	if _, err := resolveText(t, "Match localnetwork 192.0.2.7/24\n", addresses); err == nil {
		t.Error("a network with host bits was accepted")
	}
}

func TestCanonicalize(t *testing.T) {
	known := map[string]string{"web.b.test.": "web.b.test.", "www.a.test.": "real.a.test.", "bare": "alias.a.test."}
	lookup := func(in *Input) {
		in.LookupHost = func(name string) (string, bool) { alias, ok := known[name]; return alias, ok }
	}
	for _, c := range []struct{ destination, config, want string }{
		{"web", "CanonicalizeHostname yes\nCanonicalDomains a.test b.test", "web.b.test"},
		{"WEB", "CanonicalizeHostname yes\nCanonicalDomains a.test b.test", "web.b.test"},
		{"www", "CanonicalizeHostname yes\nCanonicalDomains a.test", "www.a.test"},
		{"www", "CanonicalizeHostname yes\nCanonicalDomains a.test\nCanonicalizePermittedCNAMEs *.a.test:real.*", "real.a.test"},
		{"www", "CanonicalizeHostname yes\nCanonicalDomains a.test\nCanonicalizePermittedCNAMEs *.b.test:real.*", "www.a.test"},
		{"www.a.test.", "CanonicalizeHostname yes", "www.a.test"},
		{"bare", "CanonicalizeHostname yes\nCanonicalizePermittedCNAMEs bare:*", "alias.a.test"},
		{"web", "CanonicalizeHostname yes\nCanonicalDomains b.test\nProxyCommand nc", "web"},
		{"web", "CanonicalizeHostname always\nCanonicalDomains b.test\nProxyCommand nc", "web.b.test"},
	} {
		h, err := resolveText(t, c.config+"\nMatch canonical host *.test\nUser canon\n", func(in *Input) {
			lookup(in)
			in.Destination = c.destination
		})
		if err != nil {
			t.Errorf("%s with %q: %v", c.destination, c.config, err)
			continue
		}
		if h.HostName != c.want || (h.User == "canon") != strings.Contains(c.want, ".test") {
			t.Errorf("%s with %q: %s as %s, want %s", c.destination, c.config, h.HostName, h.User, c.want)
		}
	}
}

func TestDestinationErrors(t *testing.T) {
	for destination, want := range map[string]DestinationReason{
		"":               NoHost,
		"bob@":           NoHost,
		"@web":           EmptyUser,
		"ssh://web/x":    BadURI,
		"-oProxy=x":      InvalidHostname,
		"bob@$(x)":       InvalidHostname,
		"web\nx":         InvalidHostname,
		"bob;x@web":      InvalidUser,
		"a -b@web":       InvalidUser,
		`bob\@web`:       InvalidUser,
		"ssh://-b@web":   InvalidUser,
		"ssh://b%3b@web": InvalidUser,
	} {
		_, err := resolveText(t, "", func(in *Input) { in.Destination = destination })
		var refused *DestinationError
		if !errors.As(err, &refused) || refused.Reason != want || err.Error() == "" {
			t.Errorf("%q: %v, want reason %d", destination, err, want)
		}
	}
}

func TestErrorWording(t *testing.T) {
	_, err := resolveText(t, "User a\nFoo b\nPort x\n", nil)
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Messages) != 3 {
		t.Fatalf("%v", err)
	}
	for i, want := range []string{"config: line 2: Bad configuration option: foo", "config line 3: Bad port 'x'.",
		"config: terminating, 2 bad configuration options"} {
		if !strings.HasSuffix(refused.Messages[i], want) {
			t.Errorf("%q, want %q", refused.Messages[i], want)
		}
	}
	_, err = resolveText(t, "", func(in *Input) { in.Options = []string{"Foo=1", "Bar=2"} })
	if err == nil || err.Error() != "command-line: line 0: Bad configuration option: foo" {
		t.Errorf("%v", err)
	}
}

func TestAlgorithmList(t *testing.T) {
	defaults := []string{"a1", "a2", "b1"}
	for list, want := range map[string]string{
		"":         "a1 a2 b1",
		"x,a2":     "x a2",
		"+x,a1":    "a1 a2 b1 x",
		"-a*":      "b1",
		"^b1,x":    "b1 x a1 a2",
		"a*":       "a1 a2",
		"-a1,b?,x": "a2",
	} {
		var l AlgorithmList
		if list != "" {
			l = strings.Split(list, ",")
		}
		if got := strings.Join((&AlgorithmKind{all: defaults, defaults: defaults}).Names(l), " "); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
	if defaults[0] != "a1" || len(defaults) != 3 {
		t.Error("the defaults were changed")
	}
}

// TestHop: a jump host's user and port are options, and its host is what
// ssh_config is asked about.
func TestHop(t *testing.T) {
	for text, want := range map[string]string{
		"jump":                         "jump",
		"jump:2222":                    "jump -p2222",
		"bob@jump":                     "jump -lbob",
		"bob@jump:2222":                "jump -lbob -p2222",
		"bob@corp@jump:22":             "jump -lbob@corp -p22",
		"[2001:db8::1]:2222":           "2001:db8::1 -p2222",
		"bob@[2001:db8::1]":            "2001:db8::1 -lbob",
		"[127.0.0.1]:22":               "127.0.0.1 -p22",
		"ssh://bob@jump:2222":          "jump -lbob -p2222",
		"ssh://jump":                   "jump",
		"":                             "!",
		"@jump":                        "!",
		"jump:0":                       "!",
		"jump:x":                       "!",
		"-oProxyCommand=touch x":       "!",
		"jump;touch x":                 "!",
		"a b@jump":                     "jump -la b",
		"a -b@jump":                    "!",
		"ssh://jump/path":              "!",
		"ssh://-oProxyCommand=x@jump/": "!",
	} {
		destination, options, err := Hop(text)
		got := strings.Join(append([]string{destination}, options...), " ")
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
