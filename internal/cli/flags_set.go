package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/device"
)

// What the options do that options.go names.

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
	path = withoutLineEnd(path)
	if path == "" {
		return &UsageError{Text: "the file name of -F is empty"}
	}
	f.Config = expandHome(path)
	f.Passed = append(f.Passed, Passed{"-F", path})
	return nil
}

func (f *Flags) setPort(text string) error {
	text = withoutBlanks(text)
	port := copyid.ParsePort(text)
	if port <= 0 {
		return &UsageError{Text: "Bad port '" + text + "'"}
	}
	f.Port = strconv.Itoa(port)
	return nil
}

func (f *Flags) addOption(line string) error {
	f.Passed = append(f.Passed, Passed{"-o", withoutLineEnd(line)})
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
	if err := copyid.CheckPin(fingerprint); err != nil {
		return &UsageError{Text: "--host-key wants a fingerprint, SHA256:… or MD5:…: " + err.Error()}
	}
	f.Pins = append(f.Pins, fingerprint)
	return nil
}

func (f *Flags) addKeyOption(name, value string) error {
	option, err := authkeys.Option(name, value)
	if err != nil {
		return optionUsage("--"+name, err)
	}
	f.KeyOptions = append(f.KeyOptions, option)
	return nil
}

func (f *Flags) addAnyKeyOption(text string) error {
	option, err := authkeys.ParseOption(text)
	if err != nil {
		return optionUsage("--key-option", err)
	}
	f.KeyOptions = append(f.KeyOptions, option)
	return nil
}

func (f *Flags) setComment(text string) error {
	comment, err := authkeys.Comment(text)
	if err != nil {
		return optionUsage("--comment", err)
	}
	f.Comment, f.CommentSet = comment, true
	return nil
}

// optionUsage says what is wrong with a flag that sshd would refuse as an
// option of a key.
func optionUsage(flag string, err error) error {
	var wrong *authkeys.OptionError
	if !errors.As(err, &wrong) {
		return &UsageError{Text: flag + ": " + err.Error()}
	}
	text := flag + ": "
	if wrong.Option != "" && flag != "--"+wrong.Option {
		text += wrong.Option + ": "
	}
	if wrong.Part != "" {
		text += fmt.Sprintf("%q: ", wrong.Part)
	}
	return &UsageError{Text: text + wrong.Reason.String()}
}

// setOnce sets what makes sense with one value only.
func setOnce(to *string, name, value string) error {
	switch {
	case value == "":
		return &UsageError{Text: "the argument of " + name + " is empty"}
	case *to != "":
		return &UsageError{Text: name + " must not be specified more than once", ShowUsage: true}
	}
	*to = value
	return nil
}

func (f *Flags) setPasswordFD(text string) error {
	if _, err := strconv.ParseUint(text, 10, 16); err != nil {
		return &UsageError{Text: "--password-fd wants the number of a file descriptor, not '" + text + "'"}
	}
	return setOnce(&f.PasswordFD, "--password-fd", text)
}
