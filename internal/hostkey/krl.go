package hostkey

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// A key revocation list is described in PROTOCOL.krl of OpenSSH: a header, then
// sections of a type byte and a string. All numbers are big-endian, strings are
// preceded by their length in 32 bits.
const krlMagic = "SSHKRL\n\x00"

const (
	krlCertificates  = 1
	krlExplicitKey   = 2
	krlSHA1          = 3
	krlSignature     = 4
	krlSHA256        = 5
	krlExtension     = 255
	krlSerialList    = 0x20
	krlSerialRange   = 0x21
	krlSerialBitmap  = 0x22
	krlKeyID         = 0x23
	krlCertExtension = 0x39
)

var errKRL = errors.New("damaged key revocation list")

// krlRevokes reports whether a list revokes the key, its certificate, or the
// authority of that (ssh_krl_check_key in krl.c). Signatures of a list are not
// looked at, as ssh does not look at them for a file.
func krlRevokes(data []byte, key ssh.PublicKey) (bool, error) {
	r := krlReader{data: data[len(krlMagic):]}
	if version := r.uint32(); r.err == nil && version != 1 {
		return false, fmt.Errorf("key revocation list of unknown version %d", version)
	}
	r.take(8 + 8 + 8) // version, date, flags
	r.string()        // reserved
	r.string()        // comment
	revoked := false
	for r.more() {
		kind, section := r.section()
		switch kind {
		case krlExplicitKey, krlSHA1, krlSHA256:
			for section.more() {
				value := string(section.string())
				if want, hashed := krlHashSizes[kind]; hashed && section.err == nil && len(value) != want {
					section.err = errKRL
				}
				revoked = revoked || krlNames(kind, value, key)
			}
		case krlCertificates:
			revoked = section.certificates(key) || revoked
		case krlSignature:
			// covers what comes before it
		case krlExtension:
			section.extension()
		default:
			if section.err == nil {
				section.err = fmt.Errorf("key revocation list with an unknown section %d", kind)
			}
		}
		if section.err != nil {
			return false, section.err
		}
	}
	return revoked, r.err
}

// krlHashSizes are the lengths of the values in the sections of hashes.
var krlHashSizes = map[byte]int{krlSHA1: sha1.Size, krlSHA256: sha256.Size}

// krlNames compares a key, or a hash of one, with the key, the key in a
// certificate and the authority of that.
func krlNames(kind byte, value string, key ssh.PublicKey) bool {
	keys := []ssh.PublicKey{sshkey.Plain(key)}
	if cert, ok := key.(*ssh.Certificate); ok {
		keys = append(keys, cert.SignatureKey)
	}
	for _, k := range keys {
		blob := k.Marshal()
		switch kind {
		case krlSHA1:
			sum := sha1.Sum(blob)
			blob = sum[:]
		case krlSHA256:
			sum := sha256.Sum256(blob)
			blob = sum[:]
		}
		if value == string(blob) {
			return true
		}
	}
	return false
}

// certificates reads a section of revoked certificates of one authority, and
// reports whether it lists the key; an empty authority stands for every one
// (parse_revoked_certs in krl.c).
func (r *krlReader) certificates(key ssh.PublicKey) bool {
	authority := r.string()
	r.string() // reserved
	cert, applies := key.(*ssh.Certificate)
	if !applies {
		cert = &ssh.Certificate{}
	} else if len(authority) > 0 {
		applies = string(authority) == string(cert.SignatureKey.Marshal())
	}
	revoked := false
	for r.more() {
		kind, part := r.section()
		listed := part.lists(kind, cert)
		if part.err == nil && len(part.data) > 0 && kind != krlCertExtension {
			part.err = errKRL // more than the subsection should hold
		}
		r.err = part.err
		revoked = revoked || applies && listed
	}
	return revoked
}

// lists reads one subsection of revoked certificates, and reports whether it
// lists the certificate.
func (r *krlReader) lists(kind byte, cert *ssh.Certificate) bool {
	switch kind {
	case krlSerialList:
		return r.serialList(cert.Serial)
	case krlSerialRange:
		low, high := r.uint64(), r.uint64()
		return r.revokedSerials(low, high) && low <= cert.Serial && cert.Serial <= high
	case krlSerialBitmap:
		return r.serialBitmap(cert.Serial)
	case krlKeyID:
		return r.keyIDs(cert.KeyId)
	case krlCertExtension:
		r.extension()
	default:
		if r.err == nil {
			r.err = fmt.Errorf("key revocation list with an unknown certificate section %d", kind)
		}
	}
	return false
}

func (r *krlReader) serialList(serial uint64) bool {
	listed := false
	for r.more() {
		n := r.uint64()
		listed = r.revokedSerials(n, n) && n == serial || listed
	}
	return listed
}

// revokedSerials reports whether low and high may bound what is revoked; 0 is the
// serial number of a certificate without one, and never revoked
// (ssh_krl_revoke_cert_by_serial_range in krl.c).
func (r *krlReader) revokedSerials(low, high uint64) bool {
	if r.err == nil && (low == 0 || low > high) {
		r.err = errKRL
	}
	return r.err == nil
}

// serialBitmap reads a multi-precision integer whose bit 0 stands for an offset.
// It cannot be negative, and its bits stand for serial numbers.
func (r *krlReader) serialBitmap(serial uint64) bool {
	offset, bytes := r.uint64(), r.string()
	bits := new(big.Int).SetBytes(bytes)
	last := uint64(max(bits.BitLen()-1, 0))
	if r.err == nil && (len(bytes) > 0 && bytes[0]&0x80 != 0 || offset == 0 && bits.Bit(0) == 1 || offset+last < offset) {
		r.err = errKRL
	}
	return r.err == nil && serial >= offset && serial-offset <= last && bits.Bit(int(serial-offset)) == 1
}

func (r *krlReader) keyIDs(id string) bool {
	listed := false
	for r.more() {
		listed = string(r.string()) == id && r.err == nil || listed
	}
	return listed
}

// extension reads an extension, none of which is known here.
func (r *krlReader) extension() {
	r.string() // name
	if critical := r.byte(); critical != 0 && r.err == nil {
		r.err = errors.New("key revocation list with an unknown critical extension")
	}
}

// krlReader takes values off the front of data; after an error every value is zero.
type krlReader struct {
	data []byte
	err  error
}

// more reports whether there is another value to read.
func (r *krlReader) more() bool { return r.err == nil && len(r.data) > 0 }

// section reads a type and the string that follows it; it has r's error if that
// is not whole.
func (r *krlReader) section() (kind byte, section krlReader) {
	kind = r.byte()
	section.data = r.string()
	section.err = r.err
	return kind, section
}

func (r *krlReader) take(n uint64) []byte {
	if r.err == nil && n > uint64(len(r.data)) {
		r.err = errKRL
	}
	if r.err != nil {
		return nil
	}
	value := r.data[:n]
	r.data = r.data[n:]
	return value
}

func (r *krlReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *krlReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *krlReader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *krlReader) string() []byte { return r.take(uint64(r.uint32())) }
