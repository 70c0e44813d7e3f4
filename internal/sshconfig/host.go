package sshconfig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Host is where and how to connect: the resolved settings of one destination.
// The names are those of ssh_config(5), which says what each one means.
type Host struct {
	Name     string // the host as typed
	HostName string // the host to connect to: HostName, canonicalized
	User     string
	Port     int

	AddressFamily       string // "any", "inet" or "inet6"
	BindAddress         string
	BindInterface       string
	ConnectTimeout      time.Duration // 0: no limit
	ConnectionAttempts  int           // at least 1
	TCPKeepAlive        bool
	ServerAliveInterval time.Duration // 0: never
	ServerAliveCountMax int
	ProxyCommand        string // tokens replaced; "" for none
	ProxyJump           string // hops separated by commas; "" for none
	RekeyLimit          uint64 // bytes; 0 for the default
	RekeyInterval       time.Duration
	Compression         bool

	IdentityFiles           []string // ~ and tokens replaced; OpenSSH's defaults if none are configured
	IdentityFilesConfigured bool     // the list comes from the configuration; it may be empty after "none"
	CertificateFiles        []string
	IdentitiesOnly          bool
	IdentityAgent           string // "" for SSH_AUTH_SOCK, "none", or the path of a socket
	AddKeysToAgent          string // "true", "false", "ask", "confirm", or a time, as ssh -G prints it
	PKCS11Provider          string
	SecurityKeyProvider     string

	UserKnownHostsFiles              []string // ~ and tokens replaced; nil after "none"
	GlobalKnownHostsFiles            []string
	HashKnownHosts                   bool
	StrictHostKeyChecking            string // "yes", "no", "ask" or "accept-new"
	HostKeyAlias                     string // lower case
	CheckHostIP                      bool
	NoHostAuthenticationForLocalhost bool
	VisualHostKey                    bool
	UpdateHostKeys                   string   // "yes", "no" or "ask"
	RevokedHostKeys                  []string // ~ replaced; nil for none
	KnownHostsCommand                string   // tokens not replaced: see HostKeyCommand
	VerifyHostKeyDNS                 string   // "yes", "no" or "ask"
	FingerprintHash                  string   // "SHA256", "MD5", ...

	Ciphers, MACs, KexAlgorithms                AlgorithmList // nil for OpenSSH's defaults; see [AlgorithmKind]
	HostKeyAlgorithms, PubkeyAcceptedAlgorithms AlgorithmList
	CASignatureAlgorithms                       AlgorithmList
	RequiredRSASize                             int  // bits
	WarnWeakCrypto                              bool // tell of a key exchange that is not post-quantum

	PreferredAuthentications     []string // nil for the default order
	PubkeyAuthentication         bool
	PasswordAuthentication       bool
	KbdInteractiveAuthentication bool
	HostbasedAuthentication      bool
	GSSAPIAuthentication         bool
	NumberOfPasswordPrompts      int
	BatchMode                    bool
	LogLevel                     string // QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG2 or DEBUG3

	// ControlPath is the socket of a connection that ssh would use; "" for none,
	// also where ControlMaster makes ssh the one that shares. This program logs
	// in by itself.
	ControlPath string

	// VersionAddendum is added to what we call ourselves; "" for nothing.
	VersionAddendum string

	// Notices are what ssh prints on reading the files without stopping, such
	// as "Unsupported option" with file and line.
	Notices []string

	// Unusable says why ssh would refuse to connect although the configuration
	// can be printed: there is no user name, or a path or a ProxyCommand whose tokens cannot be replaced.
	Unusable error

	set       *settings
	tokens    map[byte]string
	lookupEnv func(string) (string, bool)
}

// HostKeyCommand is KnownHostsCommand as the words of a program to run, without
// a shell. Tokens are replaced in each word, the ones in extra (%f, %H, %I, %K
// and %t, which speak of the key) as well as the host's own, and so are
// ${VARIABLES} (load_hostkeys_command in sshconnect.c). nil: there is none.
func (h *Host) HostKeyCommand(extra map[byte]string) ([]string, error) {
	if h.KnownHostsCommand == "" {
		return nil, nil
	}
	words, ok := splitWords(h.KnownHostsCommand, false)
	if !ok || len(words) == 0 {
		return nil, fmt.Errorf("KnownHostsCommand %q contains invalid quotes", h.KnownHostsCommand)
	}
	tokens := maps.Clone(h.tokens)
	maps.Copy(tokens, extra)
	for i, word := range words {
		var err error
		if words[i], err = expand(word, tokens, h.lookupEnv); err != nil {
			return nil, fmt.Errorf("KnownHostsCommand %s: %w", h.KnownHostsCommand, err)
		}
	}
	return words, nil
}

// makeHost turns the settings into a Host. Settings that ssh -G prints with
// their tokens replaced get replaced in place.
func (e *evaluation) makeHost(port int) (*Host, error) {
	set := e.set
	c := connection{
		home: e.in.Home, localUser: e.in.LocalUser, uid: e.in.UID, localHost: e.in.LocalHost,
		typed: e.typed, host: e.host, user: set.text["user"], alias: set.text["hostkeyalias"], port: port,
	}
	if set.jump != nil {
		c.jump = set.jump.host
	}
	if !e.defaultUser {
		var err error
		if c.user, err = e.expandUser(c.user, c.tokens()); err != nil {
			return nil, err
		}
		set.text["user"] = c.user
	}
	h := &Host{Name: e.typed, HostName: e.host, User: c.user, Port: port, Notices: e.notices, set: set, tokens: c.tokens(), lookupEnv: e.lookupEnv}
	if err := e.expandPrinted(h); err != nil {
		return nil, err
	}
	if h.User == "" {
		h.Unusable = e.stop("no user name: this account has none (no passwd entry, no USER); give it as user@%s", e.typed)
	}
	h.connectionSettings(set)
	h.hostKeySettings(set)
	h.loginSettings(set)
	h.pathSettings(e)
	return h, nil
}

// expandPrinted replaces tokens in the settings that ssh -G prints expanded. An
// error here stops ssh -G as well.
func (e *evaluation) expandPrinted(h *Host) error {
	set := e.set
	failed := func(setting, value string, err error) error { return e.stop("%s %s: %s", setting, value, err) }
	settings := map[string]string{"controlpath": "ControlPath", "identityagent": "IdentityAgent", "forwardagent": "ForwardAgent"}
	if command := set.cleared("remotecommand"); command != "" {
		text, err := expand(command, h.tokens, nil)
		if err != nil {
			return e.expandFailed(err)
		}
		set.text["remotecommand"] = text
	}
	for _, name := range []string{"controlpath", "identityagent", "forwardagent"} {
		value, ok := set.text[name]
		if !ok || name == "controlpath" && set.cleared(name) == "" {
			continue
		}
		path, err := e.expandPath(value, h.tokens)
		if err != nil {
			return failed(settings[name], value, err)
		}
		set.text[name] = path
	}
	files := slices.Clone(set.list["userknownhostsfile"])
	for i, file := range files {
		path, err := e.expandPath(file, h.tokens)
		if err != nil {
			return failed("UserKnownHostsFile", file, err)
		}
		files[i] = path
	}
	set.list["userknownhostsfile"] = files
	return nil
}

func (h *Host) connectionSettings(set *settings) {
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(set.text[name])
		if err != nil {
			return otherwise
		}
		return n
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name, 0)) * time.Second }
	h.AddressFamily = set.or("addressfamily", "any")
	h.BindAddress = set.text["bindaddress"]
	h.BindInterface = set.text["bindinterface"]
	h.ConnectTimeout = seconds("connecttimeout")
	h.ConnectionAttempts = number("connectionattempts", 1)
	h.TCPKeepAlive = set.is("tcpkeepalive", true)
	h.ServerAliveInterval = seconds("serveraliveinterval")
	h.ServerAliveCountMax = number("serveralivecountmax", 3)
	h.RekeyLimit, _ = strconv.ParseUint(set.text["rekeylimit"], 10, 64)
	h.RekeyInterval = seconds("rekeyinterval")
	h.Compression = set.is("compression", false)
	h.RequiredRSASize = number("requiredrsasize", 1024)
	h.WarnWeakCrypto = set.is("warnweakcrypto", true)
	h.NumberOfPasswordPrompts = number("numberofpasswordprompts", 3)
	h.LogLevel = set.or("loglevel", "INFO")
	if master := set.text["controlmaster"]; master != "true" && master != "ask" { // muxclient in mux.c
		h.ControlPath = set.cleared("controlpath")
	}
	h.VersionAddendum = set.text["versionaddendum"]
	if set.jump != nil {
		h.ProxyJump = set.jump.String()
	}
}

func (h *Host) hostKeySettings(set *settings) {
	words := strings.NewReplacer("true", "yes", "false", "no")
	h.HashKnownHosts = set.is("hashknownhosts", false)
	h.StrictHostKeyChecking = words.Replace(set.or("stricthostkeychecking", "ask"))
	h.HostKeyAlias = set.text["hostkeyalias"]
	h.CheckHostIP = set.is("checkhostip", false)
	h.NoHostAuthenticationForLocalhost = set.is("nohostauthenticationforlocalhost", false)
	h.VisualHostKey = set.is("visualhostkey", false)
	h.UpdateHostKeys = words.Replace(set.text["updatehostkeys"])
	h.VerifyHostKeyDNS = words.Replace(set.or("verifyhostkeydns", "false"))
	h.KnownHostsCommand = set.cleared("knownhostscommand")
	h.FingerprintHash = set.or("fingerprinthash", "SHA256")
	h.Ciphers = set.algorithms("ciphers")
	h.MACs = set.algorithms("macs")
	h.KexAlgorithms = set.algorithms("kexalgorithms")
	h.HostKeyAlgorithms = set.algorithms("hostkeyalgorithms")
	h.PubkeyAcceptedAlgorithms = set.algorithms("pubkeyacceptedalgorithms")
	h.CASignatureAlgorithms = set.algorithms("casignaturealgorithms")
}

func (h *Host) loginSettings(set *settings) {
	if v := set.text["preferredauthentications"]; v != "" {
		h.PreferredAuthentications = strings.Split(v, ",")
	}
	h.PubkeyAuthentication = set.or("pubkeyauthentication", "true") != "false"
	h.PasswordAuthentication = set.is("passwordauthentication", true)
	h.KbdInteractiveAuthentication = set.is("kbdinteractiveauthentication", true)
	h.HostbasedAuthentication = set.is("hostbasedauthentication", false)
	h.GSSAPIAuthentication = set.is("gssapiauthentication", false)
	h.BatchMode = set.is("batchmode", false)
	h.IdentitiesOnly = set.is("identitiesonly", false)
	h.AddKeysToAgent = set.or("addkeystoagent", "false")
	h.PKCS11Provider = set.cleared("pkcs11provider")
	h.SecurityKeyProvider = set.cleared("securitykeyprovider")
}

// pathSettings replaces what ssh replaces only when it connects; what cannot be
// replaced makes the host unusable.
func (h *Host) pathSettings(e *evaluation) {
	unusable := func(err error) {
		if h.Unusable == nil {
			h.Unusable = err
		}
	}
	paths := func(keyword string, files []string) []string {
		var out []string
		for _, file := range files {
			if asciiLower(file) == "none" {
				continue
			}
			path, err := e.expandPath(file, h.tokens)
			if err != nil {
				unusable(fmt.Errorf("%s %s: %w", keyword, file, err))
				continue
			}
			out = append(out, path)
		}
		return out
	}
	names := func(files []providedFile) (out []string) {
		for _, f := range files {
			out = append(out, f.path)
		}
		return out
	}
	set := e.set
	h.IdentityFilesConfigured = len(set.identities) > 0
	h.IdentityFiles = paths("IdentityFile", h.identityNames())
	h.CertificateFiles = paths("CertificateFile", names(set.certificates))
	h.UserKnownHostsFiles = withoutNone(set.list["userknownhostsfile"])
	for _, file := range withoutNone(set.list["globalknownhostsfile"]) {
		path, err := e.expandTilde(file)
		if err != nil {
			unusable(fmt.Errorf("GlobalKnownHostsFile %s: %w", file, err))
			continue
		}
		h.GlobalKnownHostsFiles = append(h.GlobalKnownHostsFiles, path)
	}
	for _, file := range withoutNone(set.list["revokedhostkeys"]) {
		path, err := e.expandTilde(file)
		if err != nil {
			unusable(fmt.Errorf("RevokedHostKeys %s: %w", file, err))
			continue
		}
		h.RevokedHostKeys = append(h.RevokedHostKeys, path)
	}
	agent, err := e.agent()
	if err != nil {
		unusable(err)
	}
	h.IdentityAgent = agent
	if command := set.cleared("proxycommand"); command != "" {
		h.ProxyCommand, err = h.proxyCommand(command)
		if err != nil {
			unusable(err)
		}
	}
}

// proxyCommand replaces the tokens of a ProxyCommand. Names with shell
// metacharacters do not get into it, wherever they come from.
func (h *Host) proxyCommand(command string) (string, error) {
	if !ValidHostname(h.HostName) {
		return "", &DestinationError{Destination: h.HostName, Reason: InvalidHostname}
	}
	if !ValidUser(h.User) {
		return "", &DestinationError{Destination: h.User, Reason: InvalidUser}
	}
	tokens := make(map[byte]string)
	for _, token := range []byte("hknpr") {
		tokens[token] = h.tokens[token]
	}
	text, err := expand(command, tokens, nil)
	if err != nil {
		return "", fmt.Errorf("ProxyCommand %s: %w", command, err)
	}
	return text, nil
}

// agent settles IdentityAgent: the socket's path, "none", or "" for
// SSH_AUTH_SOCK (main in ssh.c).
func (e *evaluation) agent() (string, error) {
	value := e.set.text["identityagent"]
	switch {
	case value == "SSH_AUTH_SOCK":
		return "", nil
	case strings.HasPrefix(value, "$"):
		name := value[1:]
		if !validVariable(name) {
			return "", fmt.Errorf("invalid IdentityAgent environment variable name %s", name)
		}
		if path, ok := e.lookupEnv(name); ok && path != "" {
			return path, nil
		}
		return "none", nil
	}
	return value, nil
}

// identityNames are the identity files as written, or the defaults.
func (h *Host) identityNames() []string {
	if len(h.set.identities) == 0 {
		return slices.Clone(defaultIdentities)
	}
	var out []string
	for _, f := range h.set.identities {
		out = append(out, f.path)
	}
	return out
}

// defaultIdentities are the files ssh looks for (fill_default_options in
// readconf.c); the last one since OpenSSH 10.5.
var defaultIdentities = []string{"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk",
	"~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk", newestIdentity}

const newestIdentity = "~/.ssh/id_mldsa44_ed25519"

// shownIdentities are the identity files that ssh -G prints. The newest default
// is shown only where there is such a file: releases before 10.5 do not look
// for it, and without the file that makes no difference.
func (h *Host) shownIdentities() []string {
	names := h.identityNames()
	if len(h.set.identities) > 0 {
		return names
	}
	if _, err := os.Stat(filepath.Join(h.tokens['d'], strings.TrimPrefix(newestIdentity, "~/"))); err == nil {
		return names
	}
	return names[:len(names)-1]
}

func withoutNone(files []string) []string {
	if len(files) == 1 && asciiLower(files[0]) == "none" {
		return nil
	}
	return files
}

func (s *settings) algorithms(name string) AlgorithmList {
	if v := s.text[name]; v != "" {
		return strings.Split(v, ",")
	}
	return nil
}
