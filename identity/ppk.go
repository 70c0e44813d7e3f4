package identity

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"

	"ssh-copy-id/authkeys"
)

const (
	ppkMagic = "PuTTY-User-Key-File-"
	// maxPPKLines bounds the lines that a file says it has of a key. The
	// largest keys PuTTY makes need some hundreds.
	maxPPKLines = 10_000
)

// A ppk is a private key file of PuTTY, version 2 or 3, as sshpubk.c in PuTTY's
// sources writes it.
type ppk struct {
	version    int
	algorithm  []byte
	encryption []byte
	comment    []byte
	public     []byte
	private    []byte // encrypted, or else to be wiped
	mac        []byte
}

// isPPK reports whether a text begins as PuTTY's private keys do, of every
// version but the one for SSH-1.
func isPPK(text []byte) bool { return bytes.HasPrefix(text, []byte(ppkMagic)) }

// ppkKeys reads the public half of a private key of PuTTY's.
func ppkKeys(text []byte, origin Origin) ([]Identity, error) {
	entry, err := ppkKey(text)
	if err != nil {
		return nil, &FileError{Path: origin.Path, Err: err}
	}
	return []Identity{{Entry: entry, Origin: origin}}, nil
}

// ppkKey is the public half of a private key of PuTTY's, with its comment. The
// MAC covers the key, both halves, and the comment; it is checked where that
// needs no passphrase.
func ppkKey(text []byte) (authkeys.Entry, error) {
	key, err := parsePPK(text)
	if err != nil {
		return authkeys.Entry{}, err
	}
	defer clear(key.private)
	if string(key.encryption) == "none" && !hmac.Equal(key.sum(), key.mac) {
		return authkeys.Entry{}, ErrPPKMAC
	}
	if bytes.ContainsAny(key.algorithm, " \t") {
		return authkeys.Entry{}, ErrPPK
	}
	entry, err := authkeys.ParseEntry(string(key.algorithm) + " " + base64.StdEncoding.EncodeToString(key.public))
	switch {
	case err != nil, entry.Key.Type() != string(key.algorithm):
		return authkeys.Entry{}, ErrPPK
	case entry.Certificate():
		return authkeys.Entry{}, ErrCertificate
	}
	return authkeys.NewEntry(entry.Key, string(key.comment)), nil
}

// sum is the MAC as it should be for a key without a passphrase
// (ssh2_ppk_derive_keys and the end of ppk_save_sb in sshpubk.c).
func (k *ppk) sum() []byte {
	var mac hash.Hash
	if k.version == 2 {
		key := sha1.Sum([]byte("putty-private-key-file-mac-key"))
		mac = hmac.New(sha1.New, key[:])
	} else {
		mac = hmac.New(sha256.New, nil)
	}
	for _, part := range [][]byte{k.algorithm, k.encryption, k.comment, k.public, k.private} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// parsePPK takes a file apart. Its lines stand in one order only.
func parsePPK(text []byte) (*ppk, error) {
	r := ppkReader{rest: text}
	k := new(ppk)
	name, algorithm := r.next()
	switch name {
	case ppkMagic + "2":
		k.version = 2
	case ppkMagic + "3":
		k.version = 3
	case "":
		return nil, ErrPPK
	default:
		return nil, ErrPPKVersion
	}
	k.algorithm = algorithm
	k.encryption = r.value("Encryption")
	k.comment = r.value("Comment")
	k.public = r.blob("Public-Lines")
	encrypted := string(k.encryption) == "aes256-cbc"
	if !encrypted && string(k.encryption) != "none" {
		return nil, ErrPPK
	}
	if encrypted && k.version == 3 {
		r.derivation()
	}
	k.private = r.blob("Private-Lines")
	k.mac = r.hex("Private-MAC")
	size := map[int]int{2: sha1.Size, 3: sha256.Size}[k.version]
	switch {
	case r.failed, len(k.mac) != size, len(bytes.Trim(r.rest, blanks)) > 0, encrypted && len(k.private)%16 != 0:
		clear(k.private)
		return nil, ErrPPK
	}
	return k, nil
}

// A ppkReader goes through the lines of a file. Once something is not where it
// should be everything else is empty.
type ppkReader struct {
	rest   []byte
	failed bool
}

// line is the next line, without what ends it: LF, CRLF or CR (read_body in
// sshpubk.c).
func (r *ppkReader) line() []byte {
	if len(r.rest) == 0 {
		r.failed = true
	}
	if r.failed {
		return nil
	}
	end := bytes.IndexAny(r.rest, "\r\n")
	if end < 0 {
		line := r.rest
		r.rest = nil
		return line
	}
	line, rest := r.rest[:end], r.rest[end+1:]
	if r.rest[end] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	r.rest = rest
	return line
}

// next is a line "name: value".
func (r *ppkReader) next() (name string, value []byte) {
	before, value, found := bytes.Cut(r.line(), []byte(": "))
	if !found {
		r.failed = true
		return "", nil
	}
	return string(before), value
}

// value is that of the next line, which must have this name.
func (r *ppkReader) value(name string) []byte {
	got, value := r.next()
	if got != name {
		r.failed = true
		return nil
	}
	return value
}

func (r *ppkReader) number(name string) int {
	n, err := strconv.ParseUint(string(r.value(name)), 10, 31)
	if err != nil {
		r.failed = true
	}
	return int(n)
}

func (r *ppkReader) hex(name string) []byte {
	raw, err := hex.DecodeString(string(r.value(name)))
	if err != nil {
		r.failed = true
	}
	return raw
}

// blob is what stands in base64 on as many lines as the next one says.
func (r *ppkReader) blob(name string) []byte {
	n := r.number(name)
	if r.failed || n > maxPPKLines {
		r.failed = true
		return nil
	}
	start := r.rest
	size := 0
	for range n {
		size += len(r.line())
	}
	if r.failed {
		return nil
	}
	// The lines are joined in a place that does not grow, so that it can be
	// wiped.
	joined := make([]byte, 0, size)
	defer func() { clear(joined) }()
	again := ppkReader{rest: start}
	for range n {
		joined = append(joined, again.line()...)
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(joined)))
	decoded, err := base64.StdEncoding.Strict().Decode(raw, joined)
	if err != nil {
		clear(raw)
		r.failed = true
		return nil
	}
	return raw[:decoded]
}

// derivation passes over how version 3 makes a key of the passphrase.
func (r *ppkReader) derivation() {
	if kinds := []string{"Argon2id", "Argon2i", "Argon2d"}; !slices.Contains(kinds, string(r.value("Key-Derivation"))) {
		r.failed = true
	}
	for _, name := range []string{"Argon2-Memory", "Argon2-Passes", "Argon2-Parallelism"} {
		r.number(name)
	}
	r.hex("Argon2-Salt")
}
