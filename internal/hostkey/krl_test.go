package hostkey

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// krl is a list with the given sections (PROTOCOL.krl).
func krl(sections ...[]byte) []byte {
	list := append([]byte(krlMagic), 0, 0, 0, 1)
	list = append(list, make([]byte, 3*8)...) // version, date, flags
	list = krlString(krlString(list, ""), "") // reserved, comment
	for _, section := range sections {
		list = append(list, section...)
	}
	return list
}

func krlString[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// section is a section, or a subsection, that holds values one after the other.
func section(kind byte, values ...[]byte) []byte {
	var body []byte
	for _, value := range values {
		body = append(body, value...)
	}
	return krlString([]byte{kind}, body)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func text[T string | []byte](s T) []byte { return krlString(nil, s) }

// certificates is a section for one authority.
func certificates(ca []byte, subsections ...[]byte) []byte {
	return section(krlCertificates, append([][]byte{text(ca), text("")}, subsections...)...)
}

// krlRow is a list and what it says of the plain key and of the certificate with
// the serial number 7 and the ID "seven".
type krlRow struct {
	name      string
	list      []byte
	key, cert string // "", "revoked" or "damaged"
	newer     bool   // ssh-keygen knows the section since 9.4
}

func krlRows() []krlRow {
	key, ca := cast()["KEY"].PublicKey().Marshal(), cast()["CA"].PublicKey().Marshal()
	other := cast()["OTHER"].PublicKey().Marshal()
	sum1, sum256 := sha1.Sum(key), sha256.Sum256(key)
	ca1, ca256 := sha1.Sum(ca), sha256.Sum256(ca)
	whole := krl(section(krlExplicitKey, text(other)))
	bitmap := func(offset uint64, bits ...byte) []byte { return section(krlSerialBitmap, number(offset), text(bits)) }
	return []krlRow{
		{name: "empty", list: krl()},
		{name: "key", list: krl(section(krlExplicitKey, text(key))), key: "revoked", cert: "revoked"},
		{name: "authority", list: krl(section(krlExplicitKey, text(ca))), cert: "revoked"},
		{name: "another key", list: krl(section(krlExplicitKey, text(other)))},
		{name: "second of the keys", list: krl(section(krlExplicitKey, text(other), text(key))), key: "revoked", cert: "revoked"},
		{name: "second section", list: krl(section(krlExplicitKey, text(other)), section(krlSHA256, text(sum256[:]))), key: "revoked", cert: "revoked"},
		{name: "SHA-1", list: krl(section(krlSHA1, text(sum1[:]))), key: "revoked", cert: "revoked"},
		{name: "SHA-256", list: krl(section(krlSHA256, text(sum256[:]))), key: "revoked", cert: "revoked"},
		{name: "SHA-1 of the authority", list: krl(section(krlSHA1, text(ca1[:]))), cert: "revoked"},
		{name: "SHA-256 of the authority", list: krl(section(krlSHA256, text(ca256[:]))), cert: "revoked"},
		{name: "another hash", list: krl(section(krlSHA256, text(ca256[:]), text(make([]byte, 32)))), cert: "revoked"},

		{name: "serial", list: krl(certificates(ca, section(krlSerialList, number(7)))), cert: "revoked"},
		{name: "serials", list: krl(certificates(ca, section(krlSerialList, number(1), number(7), number(9)))), cert: "revoked"},
		{name: "other serials", list: krl(certificates(ca, section(krlSerialList, number(6), number(8))))},
		{name: "serial of another authority", list: krl(certificates(other, section(krlSerialList, number(7))))},
		{name: "serial of any authority", list: krl(certificates(nil, section(krlSerialList, number(7)))), cert: "revoked"},
		{name: "range", list: krl(certificates(ca, section(krlSerialRange, number(5), number(9)))), cert: "revoked"},
		{name: "range of one", list: krl(certificates(ca, section(krlSerialRange, number(7), number(7)))), cert: "revoked"},
		{name: "range below", list: krl(certificates(ca, section(krlSerialRange, number(1), number(6))))},
		{name: "range above", list: krl(certificates(ca, section(krlSerialRange, number(8), number(1<<63))))},
		{name: "bitmap", list: krl(certificates(ca, bitmap(5, 0x05))), cert: "revoked"},
		{name: "bitmap with other bits", list: krl(certificates(ca, bitmap(5, 0x7b)))},
		{name: "bitmap above", list: krl(certificates(ca, bitmap(8, 0x7f)))},
		{name: "bitmap below", list: krl(certificates(ca, bitmap(1, 0x3f)))},
		{name: "bitmap of two bytes", list: krl(certificates(ca, bitmap(1, 0x01, 0x40))), cert: "revoked"},
		{name: "empty bitmap", list: krl(certificates(ca, bitmap(7)))},
		{name: "ID", list: krl(certificates(ca, section(krlKeyID, text("seven")))), cert: "revoked"},
		{name: "IDs", list: krl(certificates(ca, section(krlKeyID, text("six"), text("seven")))), cert: "revoked"},
		{name: "another ID", list: krl(certificates(ca, section(krlKeyID, text("seve"), text("sevenn"))))},
		{name: "ID of another authority", list: krl(certificates(other, section(krlKeyID, text("seven"))))},
		{name: "second subsection", list: krl(certificates(ca, section(krlSerialList, number(1)), section(krlKeyID, text("seven")))), cert: "revoked"},
		{name: "second authority", list: krl(certificates(other, section(krlSerialList, number(7))), certificates(ca, section(krlSerialRange, number(7), number(8)))), cert: "revoked"},

		{name: "another version", list: append([]byte(krlMagic), 0, 0, 0, 2), key: "damaged", cert: "damaged"},
		{name: "cut header", list: krl()[:20], key: "damaged", cert: "damaged"},
		{name: "cut section", list: whole[:len(whole)-1], key: "damaged", cert: "damaged"},
		{name: "only the type of a section", list: append(krl(), krlExplicitKey), key: "damaged", cert: "damaged"},
		{name: "unknown section", list: krl(section(9)), key: "damaged", cert: "damaged"},
		{name: "damage behind the key", list: append(krl(section(krlExplicitKey, text(key))), 9), key: "damaged", cert: "damaged"},
		{name: "cut key", list: krl(section(krlExplicitKey, text(key)[:9])), key: "damaged", cert: "damaged"},
		{name: "short SHA-1", list: krl(section(krlSHA1, text(sum1[:19]))), key: "damaged", cert: "damaged"},
		{name: "long SHA-256", list: krl(section(krlSHA256, text(append(sum256[:], 0)))), key: "damaged", cert: "damaged"},
		{name: "unknown subsection", list: krl(certificates(ca, section(0x30))), key: "damaged", cert: "damaged"},
		{name: "cut serial", list: krl(certificates(ca, section(krlSerialList, number(7)[:7]))), key: "damaged", cert: "damaged"},
		{name: "serial 0", list: krl(certificates(ca, section(krlSerialList, number(0)))), key: "damaged", cert: "damaged"},
		{name: "range from 0", list: krl(certificates(ca, section(krlSerialRange, number(0), number(9)))), key: "damaged", cert: "damaged"},
		{name: "range backwards", list: krl(certificates(ca, section(krlSerialRange, number(9), number(5)))), key: "damaged", cert: "damaged"},
		{name: "more than a range", list: krl(certificates(ca, section(krlSerialRange, number(7), number(7), number(7)))), key: "damaged", cert: "damaged"},
		{name: "more than a bitmap", list: krl(certificates(ca, section(krlSerialBitmap, number(7), text("\x01"), number(7)))), key: "damaged", cert: "damaged"},
		{name: "negative bitmap", list: krl(certificates(ca, bitmap(1, 0x80))), key: "damaged", cert: "damaged"},
		{name: "bitmap from 0 without its first bit", list: krl(certificates(ca, bitmap(0, 0x00, 0x80))), cert: "revoked"},
		{name: "bitmap up to the last number", list: krl(certificates(ca, bitmap(1<<64-3, 0x04)))},
		{name: "bitmap beyond the last number", list: krl(certificates(ca, bitmap(1<<64-3, 0x08))), key: "damaged", cert: "damaged"},
		{name: "bitmap from 0", list: krl(certificates(ca, bitmap(0, 0x01))), key: "damaged", cert: "damaged"},
		{name: "cut ID", list: krl(certificates(ca, section(krlKeyID, text("seven")[:6]))), key: "damaged", cert: "damaged"},

		{name: "extension", list: krl(section(krlExtension, text("some@example"), []byte{0}, text("value")), section(krlExplicitKey, text(key))), key: "revoked", cert: "revoked", newer: true},
		{name: "critical extension", list: krl(section(krlExtension, text("some@example"), []byte{1}, text("value"))), key: "damaged", cert: "damaged", newer: true},
		{name: "cut extension", list: krl(section(krlExtension, text("some@example")[:9])), key: "damaged", cert: "damaged", newer: true},
		{name: "certificate extension", list: krl(certificates(ca, section(krlCertExtension, text("some@example"), []byte{0}, text("value")), section(krlSerialList, number(7)))), cert: "revoked", newer: true},
		{name: "critical certificate extension", list: krl(certificates(ca, section(krlCertExtension, text("some@example"), []byte{1}, text("value")))), key: "damaged", cert: "damaged", newer: true},
	}
}

// sevenOf is the certificate that the lists speak of.
func sevenOf(t testing.TB) *ssh.Certificate {
	cert := certify(t, cast()["CA"], cast()["KEY"].PublicKey(), "box")
	cert.Serial, cert.KeyId = 7, "seven"
	sign(t, cast()["CA"], "", cert)
	return cert
}

// revocation is what a file of RevokedHostKeys says of a key.
func revocation(t testing.TB, list []byte, key ssh.PublicKey) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "revoked")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	switch revoked, err := revokedByFile(file, key); {
	case err != nil:
		return "damaged"
	case revoked:
		return "revoked"
	}
	return ""
}

// TestKRL: what a list revokes, as ssh-keygen -Q says.
func TestKRL(t *testing.T) {
	cert := sevenOf(t)
	for _, row := range krlRows() {
		if got := revocation(t, row.list, cast()["KEY"].PublicKey()); got != row.key {
			t.Errorf("%s: the key is %q, want %q", row.name, got, row.key)
		}
		if got := revocation(t, row.list, cert); got != row.cert {
			t.Errorf("%s: the certificate is %q, want %q", row.name, got, row.cert)
		}
	}
}

// TestKRLWithoutSerial: the serial number 0 is none, and no list can name it.
func TestKRLWithoutSerial(t *testing.T) {
	cert := certify(t, cast()["CA"], cast()["KEY"].PublicKey(), "box")
	ca := cast()["CA"].PublicKey().Marshal()
	if got := revocation(t, krl(certificates(ca, section(krlSerialRange, number(1), number(1<<63)))), cert); got != "" {
		t.Error(got)
	}
	if got := revocation(t, krl(certificates(ca, section(krlKeyID, text("")))), cert); got != "revoked" {
		t.Errorf("by its empty ID: %q", got)
	}
}

// FuzzKRL: no list breaks the reader, or revokes a key that it cannot hold.
func FuzzKRL(f *testing.F) {
	for _, row := range krlRows() {
		f.Add(row.list[len(krlMagic):])
	}
	key := newKey(f)
	f.Fuzz(func(t *testing.T, rest []byte) {
		if revoked, err := krlRevokes(append([]byte(krlMagic), rest...), key); revoked {
			t.Errorf("a key that no list holds: %v, %v", revoked, err)
		}
	})
}

// FuzzRevokedList: a list of keys revokes no other.
func FuzzRevokedList(f *testing.F) {
	f.Add([]byte(expand("# ours\n$OTHER\n")))
	f.Add([]byte("ssh-none AAAACHNzaC1ub25l\r\n"))
	f.Add([]byte("\ufeffssh-ed25519 %%%%\n"))
	key := newKey(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if revoked, _ := listRevokes(data, key); revoked {
			t.Error("a key that the list does not hold")
		}
	})
}
