package hostkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/ssh"
)

// digests are the hashes of FingerprintHash (ssh_digest_alg_by_name in digest.h).
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// plainKey is the key itself, or the key a certificate certifies.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

func equalKeys(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}

// typeName is what ssh calls a key in its messages (sshkey_type in sshkey.c).
func typeName(key ssh.PublicKey) string {
	if cert, ok := key.(*ssh.Certificate); ok {
		return typeName(cert.Key) + "-CERT"
	}
	switch key.Type() {
	case ssh.KeyAlgoRSA:
		return "RSA"
	case ssh.KeyAlgoED25519:
		return "ED25519"
	case ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return "ECDSA"
	case ssh.KeyAlgoSKED25519:
		return "ED25519-SK"
	case ssh.KeyAlgoSKECDSA256:
		return "ECDSA-SK"
	}
	return key.Type()
}

// keyBits is the size ssh-keygen -l shows (sshkey_size in sshkey.c).
func keyBits(key ssh.PublicKey) int {
	if k, ok := plainKey(key).(ssh.CryptoPublicKey); ok {
		switch k := k.CryptoPublicKey().(type) {
		case *rsa.PublicKey:
			return k.N.BitLen()
		case *ecdsa.PublicKey:
			return k.Curve.Params().BitSize
		}
	}
	return 256
}

// fingerprint has the form of sshkey_fingerprint: MD5 in pairs of hexadecimal
// digits, everything else in base64 without padding.
func fingerprint(key ssh.PublicKey, algorithm string) string {
	name, sum := digest(key, algorithm)
	if name == "MD5" {
		pairs := make([]string, len(sum))
		for i, b := range sum {
			pairs[i] = fmt.Sprintf("%02x", b)
		}
		return "MD5:" + strings.Join(pairs, ":")
	}
	return name + ":" + base64.RawStdEncoding.EncodeToString(sum)
}

func digest(key ssh.PublicKey, algorithm string) (name string, sum []byte) {
	h := digests[strings.ToLower(algorithm)]()
	h.Write(plainKey(key).Marshal())
	return strings.ToUpper(algorithm), h.Sum(nil)
}

// CheckPin tells what is wrong with a fingerprint for [Policy.Pins]; nil if
// nothing is.
func CheckPin(fingerprint string) error {
	_, err := parsePin(fingerprint)
	return err
}

// parsePin brings a fingerprint given by the user into the form of fingerprint.
func parsePin(pin string) (string, error) {
	pin = strings.TrimSpace(pin)
	name, sum, ok := strings.Cut(pin, ":")
	name = strings.ToUpper(name)
	newHash := digests[strings.ToLower(name)]
	if !ok || newHash == nil {
		return "", fmt.Errorf("host key fingerprint %q names no hash (SHA256:… or MD5:…)", pin)
	}
	if name == "MD5" {
		if sum = strings.ToLower(sum); len(sum) != 3*md5.Size-1 || strings.Trim(sum, "0123456789abcdef:") != "" {
			return "", fmt.Errorf("host key fingerprint %q is damaged", pin)
		}
		return name + ":" + sum, nil
	}
	sum = strings.TrimRight(sum, "=")
	raw, err := base64.RawStdEncoding.DecodeString(sum)
	if err != nil || len(raw) != newHash().Size() {
		return "", fmt.Errorf("host key fingerprint %q is damaged", pin)
	}
	return name + ":" + sum, nil
}

// randomart draws a fingerprint, as VisualHostKey shows it: a walk over a board
// of 17 by 9, two bits a step, where the sign of a field tells how often it was
// visited (fingerprint_randomart in sshkey.c).
func randomart(key ssh.PublicKey, algorithm string) string {
	const width, height = 17, 9
	const signs = " .o+=*BOX@%&#/^SE"
	const start, end = len(signs) - 2, len(signs) - 1
	var board [height][width]int
	name, sum := digest(key, algorithm)
	x, y := width/2, height/2
	for _, b := range sum {
		for range 4 {
			x = min(max(x+int(b&1)*2-1, 0), width-1)
			y = min(max(y+int(b>>1&1)*2-1, 0), height-1)
			if board[y][x] < start-1 {
				board[y][x]++
			}
			b >>= 2
		}
	}
	board[height/2][width/2] = start
	board[y][x] = end

	border := func(title string) string {
		left := (width - len(title)) / 2
		return "+" + strings.Repeat("-", left) + title + strings.Repeat("-", width-left-len(title)) + "+"
	}
	title := fmt.Sprintf("[%s %d]", typeName(key), keyBits(key))
	if len(title) > width {
		title = "[" + typeName(key) + "]"
	}
	var out strings.Builder
	out.WriteString(border(title) + "\n")
	for _, row := range board {
		out.WriteByte('|')
		for _, n := range row {
			out.WriteByte(signs[n])
		}
		out.WriteString("|\n")
	}
	out.WriteString(border("[" + name + "]"))
	return out.String()
}
