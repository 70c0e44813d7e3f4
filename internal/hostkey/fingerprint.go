package hostkey

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// digests are the hashes of FingerprintHash (ssh_digest_alg_by_name in digest.h).
var digests = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
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
	h.Write(sshkey.Plain(key).Marshal())
	return strings.ToUpper(algorithm), h.Sum(nil)
}

// CheckPin returns what is wrong with a fingerprint for [Policy.Pins]; nil if
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
// of 17 by 9, two bits a step, where the sign of a field shows how often it was
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
	title := fmt.Sprintf("[%s %d]", sshkey.TypeName(key), sshkey.Bits(key))
	if len(title) > width {
		title = "[" + sshkey.TypeName(key) + "]"
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
