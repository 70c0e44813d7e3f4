package sshconfig

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// defaultPort is the port of a destination nobody gave one.
const defaultPort = 22

// Input is what [Resolve] starts from. Destination, Home and LocalUser are
// needed; the rest may be left at zero.
type Input struct {
	Destination string // [user@]host or ssh://[user@]host[:port]

	// Options are the arguments of -o in the order of the command line. An
	// element that begins with -p, -l, -J, -P, -4 or -6 is that flag of ssh(1)
	// with its value, e.g. "-p2222": it differs from the -o option of the same
	// meaning only in how it is refused and in what -J does to a ProxyCommand.
	Options []string

	// RemoteCommand is what "Match command" and "Match sessiontype" see; "" is a
	// shell, as for ssh -G.
	RemoteCommand string

	ConfigFile   string // -F: read instead of both files; "none" for no file at all
	SystemConfig string // "" for /etc/ssh/ssh_config or %ProgramData%\ssh\ssh_config
	Home         string // what ~ and %d stand for
	LocalUser    string // the name of the local account: %u and the default User
	UID          string // %i; "" asks the system
	LocalHost    string // %l; "" asks the system

	Getenv     func(string) string         // nil for os.Getenv
	LookupEnv  func(string) (string, bool) // nil: Getenv, with empty as unset
	Exec       func(command string) bool   // runs a "Match exec"; nil for the user's shell, true is exit status 0
	LookupHost func(name string) (canonical string, ok bool)
	Addresses  func() []netip.Addr // for "Match localnetwork"; nil asks the system
}

// complete fills in what the caller left open.
func (in *Input) complete() {
	if in.Getenv == nil {
		in.Getenv = os.Getenv
		if in.LookupEnv == nil {
			in.LookupEnv = os.LookupEnv
		}
	}
	if in.UID == "" {
		in.UID = localUID()
	}
	if in.LocalHost == "" {
		in.LocalHost, _ = os.Hostname()
	}
	if in.Exec == nil {
		in.Exec = func(command string) bool {
			cmd := ShellCommand(in.Getenv("SHELL"), command)
			cmd.Stderr = os.Stderr // as in ssh, where only stdin and stdout are closed
			return cmd.Run() == nil
		}
	}
	if in.LookupHost == nil {
		in.LookupHost = lookupHost
	}
	if in.Addresses == nil {
		in.Addresses = localAddresses
	}
}

// Resolve reads the configuration for a destination. Errors are *Error for the
// configuration and *DestinationError for the destination.
func Resolve(in Input) (*Host, error) {
	in.complete()
	e := &evaluation{in: &in, set: newSettings(), sources: make(map[string]*source), systemFile: in.SystemConfig}
	if e.systemFile == "" {
		e.systemFile = defaultSystemConfig(in.Getenv)
	}
	for _, option := range in.Options {
		if err := e.argument(option); err != nil {
			return nil, err
		}
	}
	if err := e.destination(in.Destination); err != nil {
		return nil, err
	}
	if err := e.files(); err != nil {
		return nil, err
	}
	if err := e.secondPass(); err != nil {
		return nil, err
	}
	return e.settle()
}

// argument evaluates an element of Input.Options.
func (e *evaluation) argument(option string) error {
	if len(option) < 2 || option[0] != '-' {
		return e.option(option)
	}
	value := option[2:]
	switch option[1] {
	case 'p':
		port := ParsePort(value)
		if port <= 0 && !e.set.has("port") {
			return e.stop("Bad port '%s'", value)
		}
		e.set.set("port", strconv.Itoa(port))
	case 'l':
		e.set.set("user", value)
	case 'P':
		e.set.set("tag", value)
	case '4':
		e.set.text["addressfamily"] = "inet"
	case '6':
		e.set.text["addressfamily"] = "inet6"
	case 'J':
		return e.jumpOption(value)
	default:
		return e.option(option)
	}
	return nil
}

// jumpOption is the -J of ssh, which is stricter than -o ProxyJump.
func (e *evaluation) jumpOption(value string) error {
	if e.set.jump != nil {
		return e.stop("Only a single -J option is permitted (use commas to separate multiple jump hops)")
	}
	if e.set.has("proxycommand") {
		return e.stop("Cannot specify -J with ProxyCommand")
	}
	j, wrong := parseJump(value, true)
	if j == nil {
		if wrong != "" {
			e.complain("%s", wrong)
		}
		return e.stop("Invalid -J argument")
	}
	e.set.jump = j
	e.set.set("proxycommand", "none")
	return nil
}

// destination takes the host in, and user and port unless an option gave them.
func (e *evaluation) destination(destination string) error {
	t, err := parseDestination(destination)
	if err != nil {
		return err
	}
	if t.hasUser {
		e.set.set("user", t.user)
	}
	if t.port > 0 {
		e.set.set("port", strconv.Itoa(t.port))
	}
	if !ValidHostname(t.host) {
		return &DestinationError{Destination: destination, Reason: InvalidHostname}
	}
	if user, ok := e.set.text["user"]; ok && !ValidUser(user) {
		return &DestinationError{Destination: destination, Reason: InvalidUser}
	}
	e.typed, e.host = t.host, t.host
	return nil
}

// secondPass settles the host name and reads the files again where the
// configuration asks for it.
func (e *evaluation) secondPass() error {
	if hostname, ok := e.set.text["hostname"]; ok {
		host, err := expand(hostname, map[byte]string{'h': e.host}, nil)
		if err != nil {
			return e.expandFailed(err)
		}
		e.host = host
	}
	host, err := e.canonicalize(e.host)
	if err != nil {
		return err
	}
	e.host = host
	e.set.text["hostname"] = host
	if e.set.or("canonicalizehostname", "false") == "false" && !e.wantFinal {
		return nil
	}
	e.final = true
	return e.files()
}

// settle checks the settings against each other, as main in ssh.c does before it
// connects, and makes the Host of them.
func (e *evaluation) settle() (*Host, error) {
	set := e.set
	if set.jump != nil && set.jump.none {
		set.jump = nil
	}
	port, _ := strconv.Atoi(set.or("port", strconv.Itoa(defaultPort)))
	set.text["port"] = strconv.Itoa(port)
	e.defaultUser = !set.has("user")
	set.set("user", e.in.LocalUser)
	if set.jump != nil {
		if jumpLoop(set.jump, e.host, port, set) {
			return nil, e.stop("jumphost loop via %s", set.jump.host)
		}
		set.text["proxyusefdpass"] = "no"
	}
	if alias, ok := set.text["hostkeyalias"]; ok {
		set.text["hostkeyalias"] = asciiLower(alias)
	}
	if set.text["proxycommand"] == "-" && set.is("proxyusefdpass", false) {
		return nil, e.stop("ProxyCommand=- and ProxyUseFDPass are incompatible")
	}
	if set.text["connectionattempts"] == "0" {
		return nil, e.stop("Invalid number of ConnectionAttempts")
	}
	e.defaults()
	slices.Sort(e.notices)
	e.notices = slices.Compact(e.notices)
	return e.makeHost(port)
}

// defaults fills in the lists ssh fills in (fill_default_options in readconf.c).
func (e *evaluation) defaults() {
	set := e.set
	for _, name := range []string{"userknownhostsfile", "globalknownhostsfile"} {
		if len(withoutNone(set.list[name])) == 0 && len(set.list[name]) > 0 {
			set.list[name] = []string{"none"}
		}
	}
	users := set.list["userknownhostsfile"]
	if !set.has("updatehostkeys") {
		update := "false"
		own := len(users) == 0 || len(users) == 1 && users[0] == "~/.ssh/known_hosts"
		if own && set.or("verifyhostkeydns", "false") == "false" {
			update = "true"
		}
		set.text["updatehostkeys"] = update
	}
	if set.text["updatehostkeys"] == "ask" && set.or("controlpersist", "no") != "no" && set.cleared("controlpath") != "" {
		set.text["updatehostkeys"] = "false"
	}
	if len(users) == 0 {
		set.list["userknownhostsfile"] = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	if len(set.list["globalknownhostsfile"]) == 0 {
		dir := strings.TrimSuffix(e.systemFile, "ssh_config")
		if dir == e.systemFile {
			dir = "/etc/ssh/"
		}
		set.list["globalknownhostsfile"] = []string{dir + "ssh_known_hosts", dir + "ssh_known_hosts2"}
	}
}
