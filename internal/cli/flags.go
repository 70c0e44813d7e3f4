package cli

import (
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshconfig"
)

// Flags is the command line as it was understood.
type Flags struct {
	// IdentitySet tells that -i was given, Identity the file it names: "" means
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
	// Getopt marks what a shell's getopts says by itself: it stands right
	// behind the program's name, without ERROR and without blank lines.
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
// stand before and after the host. readable tells whether a word that stands
// where the host should is in truth a key file. Every error is a *UsageError.
//
// A help or version flag wins over whatever is wrong behind it.
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

// check finds what only the whole command line can show; words is how many
// there were.
func (f *Flags) check(words int) error {
	switch {
	case words == 0:
		return &UsageError{ShowUsage: true}
	case f.ForUser != "" && f.SFTP:
		return &UsageError{Text: "--for-user needs a shell on the server, and -s uses none", ShowUsage: true}
	case f.RFC4716 && len(f.KeyOptions) > 0:
		return &UsageError{Text: "keys in the format of RFC 4716 have no options", ShowUsage: true}
	case f.Diagnose && (f.Force || f.DryRun):
		return &UsageError{Text: "--diagnose changes nothing, and goes with neither -f nor -n", ShowUsage: true}
	case f.NoPassphrase && !f.Keygen:
		return &UsageError{Text: "--no-passphrase says how --keygen is to make a key, and goes with it only", ShowUsage: true}
	case f.Keygen && (f.DryRun || f.Diagnose || f.Platform != (device.Platform{})):
		return &UsageError{Text: "--keygen makes a key, and goes with none of -n, --diagnose and --print-commands, which change nothing", ShowUsage: true}
	case f.Verify && f.NoVerify:
		return &UsageError{Text: "--verify and --no-verify exclude each other", ShowUsage: true}
	case len(f.Hosts) == 0:
		return &UsageError{Text: "Missing hostname", ShowUsage: true}
	case len(f.passwordFlags()) > 1:
		return &UsageError{Text: strings.Join(f.passwordFlags(), " and ") + " exclude each other", ShowUsage: true}
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

// flagSet tells pflag the options. Their descriptions are in usage.go.
func (f *Flags) flagSet() *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	set.SetOutput(io.Discard)
	set.Usage = func() {}

	set.FuncP("identity", "i", "", f.setIdentity)
	// settleIdentity leaves no bare -i behind except in a word that is an
	// error further on; this keeps pflag from taking the rest of it for a file.
	set.Lookup("identity").NoOptDefVal = "-"
	set.BoolVarP(&f.Force, "force", "f", false, "")
	set.BoolVarP(&f.DryRun, "dry-run", "n", false, "")
	set.BoolVarP(&f.SFTP, "sftp", "s", false, "")
	set.FuncP("target-path", "t", "", f.setTarget)
	set.BoolVar(&f.Keygen, "keygen", false, "")
	set.BoolVar(&f.NoPassphrase, "no-passphrase", false, "")
	f.entryFlags(set)
	set.Func("for-user", "", f.once(&f.ForUser, "--for-user"))
	set.Func("key-format", "", f.setKeyFormat)
	set.Func("print-commands", "", f.setPlatform)
	set.FuncP("config", "F", "", func(path string) error { return f.setConfig(withoutLineEnd(path)) })
	set.FuncP("port", "p", "", func(port string) error { return f.setPort(withoutBlanks(port)) })
	set.FuncP("option", "o", "", func(line string) error { return f.addOption(withoutLineEnd(line)) })
	set.FuncP("jump", "J", "", f.setJump)
	set.Func("host-key", "", f.addPin)
	set.Func("password-file", "", f.once(&f.PasswordFile, "--password-file"))
	set.Func("password-fd", "", f.setPasswordFD)
	set.Func("password-env", "", f.once(&f.PasswordEnv, "--password-env"))
	set.BoolVarP(&f.PrintConfig, "print-config", "G", false, "")
	set.BoolVar(&f.Diagnose, "diagnose", false, "")
	set.BoolVar(&f.NoRepair, "no-repair", false, "")
	set.BoolVar(&f.Verify, "verify", false, "")
	set.BoolVar(&f.NoVerify, "no-verify", false, "")
	set.BoolVarP(&f.Debug, "debug", "x", false, "")
	set.CountVarP(&f.Verbose, "verbose", "v", "")
	set.BoolVar(&f.Version, "version", false, "")
	set.BoolVar(&f.Help, "help", false, "")
	set.BoolVarP(&f.ShortHelp, "usage", "h", false, "")
	// pflag wants a long name for every letter; -? has no other use for one.
	set.BoolVarP(&f.ShortHelp, "?", "?", false, "")
	set.Lookup("?").Hidden = true
	return set
}

func (f *Flags) setIdentity(path string) error {
	if f.IdentitySet {
		return &UsageError{Text: "-i option must not be specified more than once", ShowUsage: true}
	}
	f.IdentitySet, f.Identity = true, expandHome(path)
	return nil
}

func (f *Flags) setTarget(path string) error {
	if path == "" {
		return &UsageError{Text: "the target path of -t is empty"}
	}
	if rewritten(onWindows, os.Getenv, path) {
		return &UsageError{Text: "-t " + path + ": Git Bash has made this of a path that began with /; set MSYS_NO_PATHCONV=1 and give it again" +
			" (a path on a Windows server: with backslashes)"}
	}
	if path[0] == '~' && !strings.HasPrefix(path, "~/") && !strings.HasPrefix(path, `~\`) {
		return &UsageError{Text: "-t " + path + ": of names that begin with ~ only ~/ is known, for the remote home;" +
			" give the whole path, or ./" + path + " for a file of that name"}
	}
	f.Target = path
	return nil
}

func (f *Flags) setPlatform(name string) error {
	if name == "list" {
		f.ListPlatforms = true
		return nil
	}
	platform, known := device.ByName(name)
	if !known {
		var names []string
		for _, p := range device.Platforms() {
			names = append(names, p.Name)
		}
		return &UsageError{Text: "--print-commands knows no '" + name + "', but " + strings.Join(names, ", ")}
	}
	f.Platform = platform
	return nil
}

func (f *Flags) setKeyFormat(format string) error {
	switch strings.ToLower(format) {
	case "openssh":
		f.RFC4716 = false
	case "rfc4716", "ssh2":
		f.RFC4716 = true
	default:
		return &UsageError{Text: "--key-format knows openssh and rfc4716, not '" + format + "'"}
	}
	return nil
}

func (f *Flags) setConfig(path string) error {
	if path == "" {
		return &UsageError{Text: "the file name of -F is empty"}
	}
	f.Config = expandHome(path)
	f.Passed = append(f.Passed, Passed{"-F", path})
	return nil
}

func (f *Flags) setPort(text string) error {
	port := sshconfig.ParsePort(text)
	if port <= 0 {
		return &UsageError{Text: "Bad port '" + text + "'"}
	}
	f.Port = strconv.Itoa(port)
	return nil
}

func (f *Flags) addOption(line string) error {
	f.Passed = append(f.Passed, Passed{"-o", line})
	return nil
}

func (f *Flags) setJump(hops string) error {
	if hops == "" {
		return &UsageError{Text: "the jump host of -J is empty"}
	}
	f.Passed = append(f.Passed, Passed{"-J", hops})
	return nil
}

func (f *Flags) addPin(fingerprint string) error {
	if err := hostkey.CheckPin(fingerprint); err != nil {
		return &UsageError{Text: "--host-key wants a fingerprint, SHA256:… or MD5:…: " + err.Error()}
	}
	f.Pins = append(f.Pins, fingerprint)
	return nil
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
