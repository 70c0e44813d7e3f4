package identity

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/textfile"
)

// A Format is the notation of a key file.
type Format int

// The formats. Of the last three, which are private key files, only the public
// half is read: see [ReadPublicHalf].
const (
	// FormatOpenSSH is a public key file as ssh-keygen writes it: lines as in
	// an authorized_keys file (sshd(8)).
	FormatOpenSSH Format = iota
	// FormatRFC4716 is the format of RFC 4716, which PuTTYgen, Tectia and
	// ssh-keygen -e export.
	FormatRFC4716
	// FormatPEM is a public key in PEM, as ssh-keygen -e -m PKCS8 and -m PEM
	// export it: a SubjectPublicKeyInfo (RFC 7468 section 13), or the key of RFC
	// 8017 appendix A.1.1.
	FormatPEM
	// FormatPPK is PuTTY's private key file, .ppk.
	FormatPPK
	// FormatOpenSSHPrivate is OpenSSH's own private key file, which shows its
	// public half in clear (PROTOCOL.key in OpenSSH's sources).
	FormatOpenSSHPrivate
	// FormatPEMPrivate is a private key in PEM: PKCS #1, PKCS #8, SEC 1. Its
	// public half is worked out, where no passphrase is needed for that.
	FormatPEMPrivate
)

// A notation is how keys are written in a file.
type notation struct {
	format  Format
	name    string
	private bool // a private key, of which read returns the public half
	is      func(text []byte) bool
	read    func(text []byte, origin Origin) ([]Identity, error)
}

// notations has one for each Format, in the order in which they are tried: a file
// is in the first whose is accepts its text. A further format is a file with
// these two functions, a Format and a row here.
var notations = []notation{
	{FormatPPK, "PuTTY private key", true, isPPK, ppkKeys},
	{FormatRFC4716, "RFC 4716 public key", false, isRFC4716, rfc4716Keys},
	{FormatOpenSSHPrivate, "OpenSSH private key", true, isOpenSSHPrivate, publicHalves},
	{FormatPEMPrivate, "PEM private key", true, isPEMPrivate, publicHalves},
	{FormatPEM, "PEM public key", false, isPEM, pemKeys},
	{FormatOpenSSH, "OpenSSH public key", false, isLines, lineKeys},
}

// notationOf finds the notation of a text. Without private those of private keys
// are left out, and the others say what they find in their place.
func notationOf(text []byte, private bool) notation {
	i := slices.IndexFunc(notations, func(n notation) bool { return (private || !n.private) && n.is(text) })
	return notations[i] // the last one accepts every text
}

// readKeys reads the text of a key file; private is as for notationOf.
func readKeys(text []byte, origin Origin, private bool) ([]Identity, error) {
	n := notationOf(text, private)
	origin.Format = n.format
	if !n.private {
		origin.PrivateKey = privateKeyBeside(origin.Path)
	}
	ids, err := n.read(text, origin)
	if err == nil && len(ids) == 0 {
		err = &FileError{Path: origin.Path, Err: ErrNoKeys}
	}
	return ids, err
}

// row returns the notation of a format; one with a number for a name where there is none.
func (f Format) row() notation {
	for _, n := range notations {
		if n.format == f {
			return n
		}
	}
	return notation{name: "format " + strconv.Itoa(int(f))}
}

// String names the format in a few words.
func (f Format) String() string { return f.row().name }

// Private reports whether files of this format hold private keys.
func (f Format) Private() bool { return f.row().private }

const (
	blanks = " \t\r\n"
	bom    = "\xef\xbb\xbf" // a byte order mark in UTF-8
)

// plainText is the text of a key file in UTF-8 without a byte order mark, and
// whether the file has it in UTF-16. The text may be part of data.
func plainText(data []byte) (text []byte, wide bool, err error) {
	if !authkeys.Parse(data).UTF16() && !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return bytes.TrimPrefix(data, []byte(bom)), false, nil
	}
	text, err = decodeUTF16(data)
	return bytes.TrimPrefix(text, []byte(bom)), true, err
}

// decodeUTF16 decodes a file in UTF-16. Where there is no byte order mark the NUL bytes of ASCII, with which
// key files begin in every format, tell the order. A text with half a character
// in it is refused: a comment or an option would not be what its author wrote.
func decodeUTF16(data []byte) ([]byte, error) {
	order := binary.ByteOrder(binary.LittleEndian)
	if data[0] == 0 || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		order = binary.BigEndian
	}
	// Nothing is copied as it grows: it may be a private key, to be wiped.
	text, whole := textfile.AppendUTF8(make([]byte, 0, 2*len(data)), data, order)
	if !whole {
		clear(text)
		return nil, ErrUTF16
	}
	return text, nil
}
