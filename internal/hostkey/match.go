package hostkey

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
)

var errHash = errors.New("bad host name hash")

// matchNames reports whether the names field of a line holds name, which is in
// lower case (match_maybe_hashed in hostfile.c).
func matchNames(name string, field []byte) (bool, error) {
	if len(field) > 0 && field[0] == '|' {
		return matchHash(name, field)
	}
	return matchList(name, field), nil
}

// matchHash judges |1|salt|hash, with salt and hash of 20 bytes: the hash is
// HMAC-SHA1 of the name keyed by the salt (host_hash in hostfile.c).
func matchHash(name string, field []byte) (bool, error) {
	// 4 * ceil(20/3) = 28 characters each.
	const length = len("|1|") + 28 + len("|") + 28
	if len(field) != length || !bytes.HasPrefix(field, []byte("|1|")) || field[31] != '|' {
		return false, errHash
	}
	var salt, want [21]byte
	if n, err := base64.StdEncoding.Decode(salt[:], field[3:31]); err != nil || n != sha1.Size {
		return false, errHash
	}
	if n, err := base64.StdEncoding.Decode(want[:], field[32:]); err != nil || n != sha1.Size {
		return false, errHash
	}
	mac := hmac.New(sha1.New, salt[:sha1.Size])
	mac.Write([]byte(name))
	var sum [sha1.Size]byte
	return bytes.Equal(mac.Sum(sum[:0]), want[:sha1.Size]), nil
}

// matchList judges a comma-separated list of patterns: one must match and no
// pattern after a ! may (match_pattern_list in match.c).
func matchList(name string, list []byte) bool {
	matched := false
	for len(list) > 0 {
		var pattern []byte
		pattern, list, _ = bytes.Cut(list, []byte(","))
		pattern, negated := bytes.CutPrefix(pattern, []byte("!"))
		if !matchPattern(name, pattern) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// matchPattern judges one pattern, of any case, with * for any run and ? for
// any one byte. Backtracking to the last * is enough, so the time is bounded by
// the product of the lengths.
func matchPattern(name string, pattern []byte) bool {
	n, p := 0, 0
	star, resume := -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || lower(pattern[p]) == name[n]):
			n++
			p++
		case star >= 0:
			resume++
			n, p = resume, star+1
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
