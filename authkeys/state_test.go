package authkeys

import (
	"crypto/rsa"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"
)

// A stateTest is a file and what it says about the key <K>.
type stateTest struct {
	name, file string
	line       int
	sometimes  []int
	findings   []Finding
	forced     bool // a login from this machine is held to command="echo forced"
}

// now is the time of the tests: noon of 2 July 2026, UTC.
var now = time.Date(2026, 7, 2, 12, 0, 0, 0, time.UTC)

const elsewhere, here = `from="192.0.2.1"`, `from="127.0.0.1"`

func stateTests() []stateTest {
	return append(append(notReadTests(), refusedTests()...), []stateTest{
		{name: "empty"},
		{name: "another key", file: "<B> x\n"},
		{name: "a plain line", file: "# keys\n\n<K> alice\r\n", line: 3},
		{name: "options", file: "restrict <K>\n", line: 1},
		{name: "an unrefused expiry", file: `expiry-time="20990101" <K>` + "\n", line: 1},

		{name: "twice", file: "<K> a\n<B>\n<K> b\n", line: 1, findings: []Finding{{Kind: FoundDuplicate, Line: 3, By: 1}}},
		{name: "twice with options", file: "RESTRICT <K> a\nrestrict <K> b\n", line: 1,
			findings: []Finding{{Kind: FoundDuplicate, Line: 2, By: 1, Options: []string{"RESTRICT"}}}},
		{name: "command wins", file: `command="echo forced" <K>` + "\n<K>\n", line: 1, forced: true,
			findings: []Finding{{Kind: FoundOverruled, Line: 2, By: 1, Options: []string{`command="echo forced"`}}}},
		{name: "a plain line wins", file: "<K>\n" + `command="echo forced" <K>` + "\n", line: 1,
			findings: []Finding{{Kind: FoundOverruled, Line: 2, By: 1}}},
		{name: "from elsewhere", file: elsewhere + " <K>\n", sometimes: []int{1}},
		{name: "from here", file: here + " <K>\n", sometimes: []int{1}},
		{name: "from elsewhere, then plain", file: elsewhere + `,command="echo forced" <K>` + "\n<K>\n<K>\n", line: 2, sometimes: []int{1},
			findings: []Finding{
				{Kind: FoundPartlyOverruled, Line: 2, By: 1, Options: []string{elsewhere, `command="echo forced"`}},
				{Kind: FoundDuplicate, Line: 3, By: 2},
			}},
		{name: "from here, then plain", file: here + `,command="echo forced" <K>` + "\n<K>\n", line: 2, sometimes: []int{1}, forced: true,
			findings: []Finding{{Kind: FoundPartlyOverruled, Line: 2, By: 1, Options: []string{here, `command="echo forced"`}}}},
		{name: "from, twice", file: elsewhere + " <K>\n" + here + " <K>\n" + elsewhere + " <K>\n", sometimes: []int{1, 2, 3},
			findings: []Finding{
				{Kind: FoundPartlyOverruled, Line: 2, By: 1, Options: []string{elsewhere}},
				{Kind: FoundDuplicate, Line: 3, By: 1, Options: []string{elsewhere}},
			}},
		{name: "refused lines decide nothing", file: `expiry-time="20010101",command="echo forced" <K>` + "\nfrm=\"x\" <K>\n<K>\n", line: 3,
			findings: []Finding{
				{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "20010101"},
				{Kind: FoundOptionsRefused, Line: 2, Option: "frm", Value: `"x"`, OptionReason: OptionUnknown},
			}},
	}...)
}

// notReadTests are lines that hold the key and are not read as its entry.
func notReadTests() []stateTest {
	return []stateTest{
		{name: "byte order mark", file: "\ufeff<K>\n", findings: []Finding{{Kind: FoundByteOrderMark, Line: 1}}},
		{name: "byte order mark and options", file: "\ufeffrestrict <K>\n<K>\n", line: 2, findings: []Finding{{Kind: FoundByteOrderMark, Line: 1}}},
		{name: "byte order mark before another key", file: "\ufeff<B>\n<K>\n", line: 2},
		{name: "UTF-16", file: "UTF-16:<B>\r\n<K> alice\r\n", findings: []Finding{{Kind: FoundNotText, Line: 2}}},
		{name: "UTF-16, then plain", file: "UTF-16:<K>\n\n<K>\n<K>\n", line: 4,
			findings: []Finding{{Kind: FoundNotText, Line: 1}, {Kind: FoundDamaged, Line: 3, Reason: NotText}}}, // a NUL, half of the newline, begins line 3
		{name: "NULs behind the key", file: "<K>\x00\x00\n<K> alice\x00\n", line: 1, findings: []Finding{{Kind: FoundDuplicate, Line: 2, By: 1}}},
		{name: "NULs before the key", file: "\x00\x00<K>\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: NotText}}},
		{name: "a NUL in the key", file: "<type> \x00<blob>\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: NotText}}},
		{name: "Latin-1 and NULs", file: "# \xff\xfe\n\x00\x00\x00\n<K> \xe9\xff\n", line: 3},
		{name: "glued to the next", file: "<K><B>\n", findings: []Finding{{Kind: FoundGlued, Line: 1}}},
		{name: "glued to the one before", file: "<B><K>\n", findings: []Finding{{Kind: FoundGlued, Line: 1}}},
		{name: "glued to a comment", file: "<B> bob<K> alice\n", findings: []Finding{{Kind: FoundGlued, Line: 1}}},
		{name: "behind another one", file: "<B> <K>\n", findings: []Finding{{Kind: FoundGlued, Line: 1}}},
		{name: "another one behind it", file: "<K> <B>\n", line: 1},
		{name: "the base64 as a comment", file: "<B> <blob>\n"},
		{name: "carriage returns", file: "<B> bob\r<K> alice\r", findings: []Finding{{Kind: FoundCarriageReturn, Line: 1}}},
		{name: "carriage returns and no comments", file: "<K>\r<B>\r", findings: []Finding{{Kind: FoundCarriageReturn, Line: 1}}},
		{name: "carriage returns behind a comment", file: "# keys\r<K>\r", findings: []Finding{{Kind: FoundCarriageReturn, Line: 1}}},
		{name: "a carriage return in the base64", file: "<split>\n", line: 1},
		{name: "a carriage return behind the type", file: "<type>\r <blob>\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: NotAKey}}},
		{name: "a carriage return behind the options", file: "restrict\r <K>\n",
			findings: []Finding{{Kind: FoundOptionsRefused, Line: 1, Option: "restrict\r", OptionReason: OptionUnknown}}},
		{name: "a carriage return before the comment", file: "<K>\r alice\n", line: 1},
		{name: "commented out", file: "#<K>\n # restrict <K>\n", findings: []Finding{{Kind: FoundCommentedOut, Line: 1}, {Kind: FoundCommentedOut, Line: 2}}},
		{name: "told of in a comment", file: "# this was <blob>\n"},
		{name: "a quote is missing", file: `command="ls <K>` + "\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: BadOptions}}},
		{name: "without its type", file: "<blob> alice\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: NotAKey}}},
		{name: "with another type", file: "ssh-rsa <blob>\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: TypeMismatch}}},
		{name: "a blank in the options", file: "restrict, pty <K>\n", findings: []Finding{{Kind: FoundDamaged, Line: 1, Reason: NotAKey}}},
		{name: "a key in an option", file: `environment="K=<K>" <B>` + "\n"},
	}
}

// refusedTests are entries of the key that let it in from nowhere.
func refusedTests() []stateTest {
	refused := func(name, options, option, value string, reason OptionReason) stateTest {
		return stateTest{name: name, file: options + " <K>\n",
			findings: []Finding{{Kind: FoundOptionsRefused, Line: 1, Option: option, Value: value, OptionReason: reason}}}
	}
	expired := func(value string) stateTest {
		return stateTest{name: "expired " + value, file: `expiry-time="` + value + `" <K>` + "\n",
			findings: []Finding{{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: value}}}
	}
	return []stateTest{
		{name: "cert-authority", file: "cert-authority <K>\n", findings: []Finding{{Kind: FoundCertAuthority, Line: 1, Option: "cert-authority"}}},
		{name: "cert-authority, then plain", file: `cert-authority,principals="a" <K>` + "\n<K>\n", line: 2,
			findings: []Finding{{Kind: FoundCertAuthority, Line: 1, Option: "cert-authority"}}},
		expired("20010101"),
		expired("20010101Z"),
		expired("200102301200"),
		refused("unknown option", "restrict,no-such", "no-such", "", OptionUnknown),
		refused("unquoted", "from=127.0.0.1", "from", "127.0.0.1", OptionBadQuotes),
		refused("bad network", `from="127.0.0.1,10.0.0.1/8"`, "from", "127.0.0.1,10.0.0.1/8", OptionBadNetwork),
		refused("bad time", `expiry-time="2099"`, "expiry-time", "2099", OptionBadTime),
		refused("two commands", `command="a",command="b"`, "command", "b", OptionRepeated),
		refused("principals", `principals="a"`, "principals", "a", OptionNeedsCertAuthority),
	}
}

// fill puts the keys into a file.
func (test stateTest) fill(t testing.TB, key string) []byte {
	_, other := pub(t, "ecdsa256")
	text := strings.NewReplacer("<K>", key, "<B>", other, "<blob>", strings.Fields(key)[1],
		"<type>", strings.Fields(key)[0], "<split>", key[:40]+"\r"+key[40:]).Replace(test.file)
	rest, ok := strings.CutPrefix(text, "UTF-16:")
	if !ok {
		return []byte(text)
	}
	wide, plain, both := strings.Cut(rest, "\n\n")
	if both {
		wide += "\n\n"
	}
	data := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(wide)) {
		data = append(data, byte(unit), byte(unit>>8))
	}
	return append(data, plain...)
}

func TestState(t *testing.T) {
	_, key := pub(t, "ed25519")
	for _, test := range stateTests() {
		t.Run(test.name, func(t *testing.T) {
			want := State{Line: test.line, Sometimes: test.sometimes, Findings: test.findings}
			checkState(t, string(test.fill(t, key)), entry(t, "ed25519").Key, want)
		})
	}
}

func checkState(t *testing.T, file string, key ssh.PublicKey, want State) {
	t.Helper()
	got := Parse([]byte(file)).State(key, now)
	got.Live = nil // see propertyOfState
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q says\n%+v\nwant\n%+v", file, got, want)
	}
}

func TestStateOfCertificates(t *testing.T) {
	line, _ := pub(t, "ed25519-cert")
	certificate := entry(t, "ed25519-cert").Key.(*ssh.Certificate)
	want := State{Findings: []Finding{{Kind: FoundCertificate, Line: 2}}}
	file := "\n" + line + "\n"
	checkState(t, file, certificate.Key, want)
	checkState(t, file, certificate, want)
	checkState(t, file, certificate.SignatureKey, State{})
	checkState(t, file, nil, State{})
}

func TestStateOfWeakKeys(t *testing.T) {
	line, _ := pub(t, "dsa")
	checkState(t, line+"\n", entry(t, "dsa").Key, State{Findings: []Finding{{Kind: FoundDSA, Line: 1}}})
	for bits, want := range map[uint]State{
		1023: {Findings: []Finding{{Kind: FoundShortRSA, Line: 1, Bits: 1023}}},
		1024: {Line: 1},
	} {
		// No key to sign with: only its length is looked at.
		n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(1))
		key, err := ssh.NewPublicKey(&rsa.PublicKey{N: n, E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		checkState(t, NewEntry(key, "").Line(), key, want)
	}
}

// An expiry-time without a Z is one of a time zone that is not known.
func TestStateOfExpiry(t *testing.T) {
	line, key := pub(t, "ed25519")
	for value, want := range map[string]State{
		"202607021201Z":     {Line: 1},
		"20260702120000UTC": {Line: 1}, // over when it is past, not before
		"202607021159z":     {Findings: []Finding{{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "202607021159z"}}},
		"20260702Z":         {Findings: []Finding{{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "20260702Z"}}},
		"20260702":          {Sometimes: []int{1}},
		"202607012359":      {Findings: []Finding{{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "202607012359"}}},
		"202607030159":      {Sometimes: []int{1}},
		"202607030200":      {Line: 1},
	} {
		checkState(t, `expiry-time="`+value+`" `+key+"\n", entry(t, "ed25519").Key, want)
	}
	two := `expiry-time="20990101",expiry-time="20010101" ` + line
	checkState(t, two, entry(t, "ed25519").Key, State{Findings: []Finding{{Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "20010101"}}})
}

func TestFindingString(t *testing.T) {
	for want, finding := range map[string]Finding{
		`line 3: overruled by line 1 ["restrict"]`:            {Kind: FoundOverruled, Line: 3, By: 1, Options: []string{"restrict"}},
		"line 2: damaged: a quote is missing in the options":  {Kind: FoundDamaged, Line: 2, Reason: BadOptions},
		`line 1: options refused: "\x1b[31m": unknown option`: {Kind: FoundOptionsRefused, Line: 1, Option: "\x1b[31m", OptionReason: OptionUnknown},
		`line 1: expired: expiry-time "20010101"`:             {Kind: FoundExpired, Line: 1, Option: "expiry-time", Value: "20010101"},
		"line 1: a short RSA key: 768":                        {Kind: FoundShortRSA, Line: 1, Bits: 768},
		"line 9: UTF-16":                                      {Kind: FoundNotText, Line: 9},
		"line 1: kind 99":                                     {Kind: 99, Line: 1},
	} {
		if got := finding.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// propertyOfState holds for every file: the numbers are those of lines, in
// order, and a line that State names is an entry of the key.
func propertyOfState(t *testing.T, data []byte, key ssh.PublicKey) {
	file := Parse(data)
	state := file.State(key, now)
	entries := numbers(file.Find(key))
	for _, n := range append(slices.Clone(state.Sometimes), state.Line) {
		if n != 0 && !slices.Contains(entries, n) {
			t.Errorf("line %d is no entry of the key: %v", n, entries)
		}
	}
	if !slices.IsSorted(state.Sometimes) || state.Line != 0 && len(state.Sometimes) > 0 && state.Line < slices.Max(state.Sometimes) {
		t.Errorf("not in order: %+v", state)
	}
	told := map[int]bool{state.Line: true}
	for _, n := range state.Sometimes {
		told[n] = true
	}
	live := map[int]bool{}
	for _, l := range state.Live {
		live[l.Line] = true
	}
	for _, f := range state.Findings {
		if live[f.Line] == f.Kind.Dead() {
			t.Errorf("line %d is live: %v, and %v", f.Line, live[f.Line], f.Kind)
		}
	}
	last := 0
	for _, f := range state.Findings {
		told[f.Line] = true
		if f.Line <= last || f.By >= f.Line || harmless(f.String()) != f.String() {
			t.Errorf("finding %v behind line %d", f, last)
		}
		last = f.Line
	}
	for _, n := range entries {
		if !told[n] {
			t.Errorf("nothing is said about line %d: %+v", n, state)
		}
	}
}

// Files put together at random from lines of the tests.
func TestStateProperties(t *testing.T) {
	_, key := pub(t, "ed25519")
	var pieces []string
	for _, test := range stateTests() {
		pieces = append(pieces, string(test.fill(t, key)))
	}
	pieces = append(pieces, "\r", "\x00", "# ", "\ufeff", key)
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var data []byte
		for range random.IntN(8) {
			data = append(data, pieces[random.IntN(len(pieces))]...)
		}
		propertyOfState(t, data, entry(t, "ed25519").Key)
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, data)
		}
	}
}

func FuzzState(f *testing.F) {
	_, line := pub(f, "ed25519")
	for _, test := range stateTests() {
		f.Add(test.fill(f, line))
	}
	key := entry(f, "ed25519").Key
	f.Fuzz(func(t *testing.T, data []byte) { propertyOfState(t, data, key) })
}
