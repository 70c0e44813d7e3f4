// Package device knows appliances that keep public keys in a configuration or
// a file of their own, so that a line in ~/.ssh/authorized_keys changes
// nothing there. It cannot log in to them and does not try: it names the lines
// to type.
//
// # What is told
//
// [Platform.Commands] gives lines only where the maker's documentation or
// published configurations show them. Where a key would have to go into a
// numbered slot, the notes say that a slot in use is overwritten.
//
// # What never gets into a line
//
// Nothing that a device could take for something else than a user name, a key
// or a comment. A user name with other characters than letters, digits and
// . _ - @ + is refused with a [*UserError], even where a device would allow
// it; a comment with such characters is left out; keys are encoded anew.
package device

import (
	"slices"
	"strings"
)

// A Platform is a family of devices that take keys in the same way. The zero
// value is none: its Commands fail.
type Platform struct {
	// Name is the lower-case word to ask for it: "mikrotik", "cisco-ios".
	Name string
	// Title is what people call it.
	Title string

	spec *spec
}

// spec is what is known of a platform.
type spec struct {
	name, title string
	// software are identifications that no other family is known to send:
	// what follows "SSH-2.0-" (RFC 4253 section 4.2).
	software []string
	// keyTypes are the types it takes, as [ssh.PublicKey].Type names them.
	keyTypes []string
	// maxBits is the size of the largest RSA key it takes; 0 for any.
	maxBits int
	// maxKeys is how many keys these lines can set for a user; 0 for any.
	maxKeys int
	// file tells that the keys go into an authorized_keys file, with options.
	file bool
	// comments tells that a comment is kept beside the key.
	comments bool
	// lines writes the commands. There is at least one key, and the user
	// name and all that is in the keys is harmless.
	lines func(user string, keys []key) []string
	notes []string
}

// Platforms are all known platforms, by name.
func Platforms() []Platform {
	var all []Platform
	for _, list := range [][]spec{routers, switches, appliances} {
		for i := range list {
			all = append(all, platform(&list[i]))
		}
	}
	slices.SortFunc(all, func(a, b Platform) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func platform(s *spec) Platform { return Platform{Name: s.name, Title: s.title, spec: s} }

// ByName is the platform of that name; upper and lower case are the same.
func ByName(name string) (Platform, bool) {
	for _, p := range Platforms() {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Platform{}, false
}

// maxIdentification is the length of the longest identification line, without
// its CR LF (RFC 4253 section 4.2).
const maxIdentification = 253

// Recognise tells the platform by a server's identification line, with or
// without its line end: "SSH-2.0-ROSSSH". It must be known exactly. Most
// devices cannot be recognised so and are not:
//
//   - Junos, ONTAP, ESXi, NetScaler, VyOS, OS10, NVOS, SLX-OS and DSM run an
//     OpenSSH that names itself as everywhere;
//   - FortiOS sends an arbitrary word, or FortiSSH like the maker's other
//     products, whose commands differ;
//   - "Mocana SSH" is on ProCurve switches, but also on power strips and
//     devices of other makers;
//   - what SR OS, AOS-CX and Catalyst 1200 send is not known for certain.
//
// A Cisco ASA sends what IOS sends; the notes for "cisco-ios" say so.
func Recognise(serverVersion string) (Platform, bool) {
	line := strings.TrimSuffix(strings.TrimSuffix(serverVersion, "\n"), "\r")
	if len(line) > maxIdentification {
		return Platform{}, false
	}
	// A server that also speaks version 1 says 1.99 (RFC 4253 section 5.1).
	software, ok := strings.CutPrefix(line, "SSH-2.0-")
	if !ok {
		software, ok = strings.CutPrefix(line, "SSH-1.99-")
	}
	if !ok {
		return Platform{}, false
	}
	for _, p := range Platforms() {
		if slices.Contains(p.spec.software, software) {
			return p, true
		}
	}
	return Platform{}, false
}
