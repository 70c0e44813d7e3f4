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
	for r.err == nil && len(r.data) > 0 {
		kind := r.byte()
		section := krlReader{data: r.string()}
		if r.err != nil {
			break
		}
		switch kind {
		case krlExplicitKey, krlSHA1, krlSHA256:
			for section.err == nil && len(section.data) > 0 {
				value := string(section.string())
				revoked = revoked || krlNames(kind, value, key)
			}
		case krlCertificates:
			revoked = section.certificates(key) || revoked
		case krlSignature:
			// covers what comes before it
		case krlExtension:
			section.string()
			if critical := section.byte(); critical != 0 && section.err == nil {
				return false, errors.New("key revocation list with an unknown critical extension")
			}
		default:
			return false, fmt.Errorf("key revocation list with an unknown section %d", kind)
		}
		if section.err != nil {
			return false, section.err
		}
	}
	return revoked, r.err
}

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

// certificates reads a section of revoked certificates of one authority; an empty
// authority stands for every one.
func (r *krlReader) certificates(key ssh.PublicKey) bool {
	authority := r.string()
	r.string() // reserved
	cert, ok := key.(*ssh.Certificate)
	applies := ok && (len(authority) == 0 || string(authority) == string(cert.SignatureKey.Marshal()))
	// A certificate without a serial number cannot be revoked by one.
	bySerial := applies && cert.Serial != 0
	revoked := false
	for r.err == nil && len(r.data) > 0 {
		kind := r.byte()
		part := krlReader{data: r.string()}
		if r.err != nil {
			break
		}
		switch kind {
		case krlSerialList:
			for part.err == nil && len(part.data) > 0 {
				serial := part.uint64()
				revoked = revoked || bySerial && part.err == nil && serial == cert.Serial
			}
		case krlSerialRange:
			low, high := part.uint64(), part.uint64()
			revoked = revoked || bySerial && part.err == nil && low <= cert.Serial && cert.Serial <= high
		case krlSerialBitmap:
			offset, bits := part.uint64(), part.string()
			revoked = revoked || bySerial && part.err == nil && bitSet(bits, cert.Serial, offset)
		case krlKeyID:
			for part.err == nil && len(part.data) > 0 {
				id := part.string()
				revoked = revoked || applies && part.err == nil && string(id) == cert.KeyId
			}
		case krlCertExtension:
			part.string()
			if part.byte() != 0 && part.err == nil {
				part.err = errors.New("key revocation list with an unknown critical extension")
			}
		default:
			part.err = fmt.Errorf("key revocation list with an unknown certificate section %d", kind)
		}
		if part.err != nil {
			r.err = part.err
		}
	}
	return revoked
}

// bitSet looks a serial number up in a multi-precision integer whose bit 0 stands
// for offset.
func bitSet(bits []byte, serial, offset uint64) bool {
	if serial < offset || serial-offset >= uint64(len(bits))*8 {
		return false
	}
	return new(big.Int).SetBytes(bits).Bit(int(serial-offset)) == 1
}

// krlReader takes values off the front of data; after an error every value is zero.
type krlReader struct {
	data []byte
	err  error
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
