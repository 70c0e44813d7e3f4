package identity

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"ssh-copy-id/authkeys"
)

// A Format is the notation of a key file.
type Format int

// The formats. The last three are private key files, of which only the public
// half is taken: see [ReadPublicHalf].
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

// String names the format in a few words.
func (f Format) String() string {
	switch f {
	case FormatOpenSSH:
		return "OpenSSH public key"
	case FormatRFC4716:
		return "RFC 4716 public key"
	case FormatPEM:
		return "PEM public key"
	case FormatPPK:
		return "PuTTY private key"
	case FormatOpenSSHPrivate:
		return "OpenSSH private key"
	case FormatPEMPrivate:
		return "PEM private key"
	}
	return "format " + strconv.Itoa(int(f))
}

// Private tells whether files of this format hold private keys.
func (f Format) Private() bool { return f >= FormatPPK && f <= FormatPEMPrivate }

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
	if len(data)%2 != 0 {
		return nil, ErrUTF16
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if data[0] == 0 || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		order = binary.BigEndian
	}
	// Nothing is copied as it grows: it may be a private key, to be wiped.
	text := make([]byte, 0, len(data)/2*utf8.UTFMax)
	for i := 0; i < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if utf16.IsSurrogate(r) {
			if i += 2; i == len(data) {
				return nil, ErrUTF16
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(data[i:]))); r == utf8.RuneError {
				return nil, ErrUTF16
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return text, nil
}
