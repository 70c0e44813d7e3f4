package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"ssh-copy-id/internal/device"
)

// Flags is the command line as it was understood.
type Flags struct {
	// IdentitySet reports whether -i was given, Identity the file it names: "" means
	// the default identity.
	IdentitySet bool
	Identity    string

	Force  bool   // -f: add without asking what is there
	DryRun bool   // -n: change nothing
	SFTP   bool   // -s: by sftp only
	Target string // -t: the remote file; "" is the account's own authorized_keys

	KeyOptions []string // --restrict, --from and the like, as they stand before a key
	Comment    string   // --comment
	CommentSet bool

	Config string   // -F: the last one given, as in ssh; "" keeps the usual files
	Port   string   // -p: 1 to 65535 in decimal; "" if not given
	Passed []Passed // -o, -F and -J in the order given
	Pins   []string // --host-key: fingerprints an unknown host may have

	PasswordFile string // --password-file: "-" is standard input; "" if not given
	PasswordFD   string // --password-fd: a number; "" if not given
	PasswordEnv  string // --password-env: the name of a variable; "" if not given

	ForUser       string          // --for-user: the account whose file it is; "" is the login's
	Platform      device.Platform // --print-commands
	ListPlatforms bool            // --print-commands list
	RFC4716       bool            // --key-format rfc4716

	PrintConfig bool // -G: print what ssh_config makes of the host, and do nothing

	joined string // a word that may be several: see joinedWords

	Debug   bool // -x: trace what is done, on the server too
	Verbose int  // -v: how often, 3 at most

	Keygen       bool // --keygen: make a key where there is none
	NoPassphrase bool // --no-passphrase: of that key

	Diagnose bool // find out why keys are refused, and change nothing
	NoRepair bool // leave permissions alone
	Verify   bool // a key that is refused after the install makes the exit status 1
	NoVerify bool // do not ask whether the keys are accepted

	Version   bool // --version
	Help      bool // --help: the long text on standard output, exit status 0
	ShortHelp bool // -h or -?: the usage on standard error, exit status 1

	// Hosts are the destinations, as typed. There is at least one, and none is
	// empty, unless Version, Help or ShortHelp is set.
	Hosts []string
}

// Passed is an option that ssh takes too, and in the same way.
type Passed struct {
	Flag  string // "-o", "-F" or "-J"
	Value string
}

// logLevel is -v as ssh_config lines. It wins over every LogLevel, as in ssh.
func (f *Flags) logLevel() []string {
	if f.Verbose == 0 {
		return nil
	}
	return []string{"LogLevel=DEBUG" + strconv.Itoa(f.Verbose)}
}

// ConfigLines are -v, -p, -o and -J as ssh is given them: in the order of
// precedence, since in ssh the first value wins. The stock script hands on -p
// first, the last one given, wherever it stood; the rest keeps its order.
func (f *Flags) ConfigLines() []string {
	lines := f.logLevel()
	if f.Port != "" {
		lines = append(lines, "-p"+f.Port)
	}
	for _, p := range f.Passed {
		switch p.Flag {
		case "-o":
			lines = append(lines, p.Value)
		case "-J":
			lines = append(lines, "-J"+p.Value)
		}
	}
	return lines
}

// UsageError is a command line that cannot be carried out.
type UsageError struct {
	// Text says what is wrong; "" where the usage says enough.
	Text string
	// ShowUsage asks for the usage after the text.
	ShowUsage bool
	// Getopt marks what a shell's getopts says by itself: it follows the program's
	// name, without ERROR and without blank lines.
	Getopt bool
	// Hint says what to do, on a line of its own; "" where Text says it.
	Hint string
}

func (e *UsageError) Error() string {
	if e.Text == "" {
		return "missing hostname"
	}
	return e.Text
}

// ParseFlags reads the command line, without the program's name. Options may
// stand before and after the host. readable reports whether a word that stands
// where the host should is in truth a key file. Every error is a *UsageError.
//
// A help or version flag wins over whatever is wrong after it.
func ParseFlags(args []string, readable func(path string) bool) (*Flags, error) {
	f := &Flags{joined: joinedWords(args)}
	set := f.flagSet()
	settled, unsettled := settleIdentity(set, args, readable)
	err := set.Parse(settled)
	// /? is how programs of Windows are asked for help; no host is called so.
	f.ShortHelp = f.ShortHelp || slices.Contains(set.Args(), "/?")
	if f.ShortHelp || f.Help || f.Version || f.ListPlatforms {
		return f, nil
	}
	if err != nil {
		return nil, explainJoined(otherSpelling(usageError(err), args), f.joined)
	}
	if unsettled != nil {
		return nil, unsettled
	}
	f.Hosts = trimHosts(set.Args())
	f.Verbose = min(max(f.Verbose, 0), 3)
	if err := f.check(len(args)); err != nil {
		return nil, explainJoined(err, f.joined)
	}
	if err := f.checkHost(readable); err != nil {
		return nil, err
	}
	return f, nil
}

// rules are what a command line must not be, beside what is wrong with an option
// of its own; the first that holds is shown.
var rules = []struct {
	broken func(f *Flags) bool
	text   string
}{
	{func(f *Flags) bool { return f.ForUser != "" && f.SFTP },
		"--for-user needs a shell on the server, and -s uses none"},
	{func(f *Flags) bool { return f.RFC4716 && len(f.KeyOptions) > 0 },
		"keys in the format of RFC 4716 have no options"},
	{func(f *Flags) bool { return f.Diagnose && (f.Force || f.DryRun) },
		"--diagnose changes nothing, and goes with neither -f nor -n"},
	{func(f *Flags) bool { return f.NoPassphrase && !f.Keygen },
		"--no-passphrase says how --keygen is to make a key, and goes with it only"},
	{func(f *Flags) bool { return f.Keygen && (f.DryRun || f.Diagnose || f.Platform != (device.Platform{})) },
		"--keygen makes a key, and goes with none of -n, --diagnose and --print-commands, which change nothing"},
	{func(f *Flags) bool { return f.Verify && f.NoVerify },
		"--verify and --no-verify exclude each other"},
	{func(f *Flags) bool { return len(f.Hosts) == 0 },
		"Missing hostname"},
}

// check finds what only the whole command line can show; words is how many
// there were.
func (f *Flags) check(words int) error {
	if words == 0 {
		return &UsageError{ShowUsage: true}
	}
	for _, rule := range rules {
		if rule.broken(f) {
			return &UsageError{Text: rule.text, ShowUsage: true}
		}
	}
	if given := f.passwordFlags(); len(given) > 1 {
		return &UsageError{Text: strings.Join(given, " and ") + " exclude each other", ShowUsage: true}
	}
	for _, host := range f.Hosts {
		if host == "" {
			return &UsageError{Text: "Missing hostname: the name given is empty", ShowUsage: true}
		}
	}
	return nil
}

// checkHost finds what can be no destination. A key file without -i is one only
// where its name says so: a host may have the name of any other file.
func (f *Flags) checkHost(readable func(path string) bool) error {
	host := f.Hosts[0]
	if len(f.Hosts) == 1 && !f.IdentitySet && strings.HasSuffix(host, ".pub") && readable(host) {
		return &UsageError{Text: "Missing hostname", ShowUsage: true,
			Hint: "to install the key of a file, put -i before its name: -i " + shellWord(host) + " [user@]hostname"}
	}
	return foreignURL(host)
}

// usageError turns what pflag has to say into the words of a shell's getopts
// for the letters, and of GNU getopt_long for the names.
func usageError(err error) *UsageError {
	var own *UsageError
	if errors.As(err, &own) {
		return own
	}
	text := err.Error()
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var syntax *pflag.InvalidSyntaxError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			_, size := utf8.DecodeRuneInString(letters)
			text = "illegal option -- " + letters[:size]
		} else {
			text = "unrecognized option '--" + unknown.GetSpecifiedName() + "'"
		}
	case errors.As(err, &missing):
		text = "option requires an argument -- " + missing.GetSpecifiedName()
		if missing.GetSpecifiedShortnames() == "" {
			text = "option '--" + missing.GetSpecifiedName() + "' requires an argument"
		}
	case errors.As(err, &syntax):
		text = "unrecognized option '" + syntax.GetSpecifiedFlag() + "'"
	case errors.As(err, &invalid):
		text = "option '--" + invalid.GetFlag().Name + "' does not take the value '" + invalid.GetValue() + "'"
	}
	return &UsageError{Text: text, ShowUsage: true, Getopt: true}
}
