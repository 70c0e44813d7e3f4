package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// request is what the script reads; its head comment has the format.
type request struct {
	target string
	add    bool
	repair bool
	guard  bool
	expect string // none, any or a sum
	blobs  []string
	lines  []string
}

func readRequest(o Options, blobs []string) request {
	return request{target: o.Target, expect: "none", blobs: blobs}
}

func addRequest(o Options, c Change) request {
	r := request{target: o.Target, add: true, repair: c.Repair, guard: c.Guard, expect: c.Expect, blobs: c.Blobs, lines: c.Lines}
	switch {
	case c.Force:
		r.expect = "any"
	case c.Expect == "":
		r.expect = "none"
	}
	return r
}

// writes reports whether the request adds lines.
func (r request) writes() bool { return r.add && len(r.lines) > 0 }

// check refuses what the format cannot carry.
func (r request) check() error {
	invalid := func(detail string) error {
		return &RemoteError{Stage: StageRequest, Path: r.target, Reason: Invalid, Detail: detail}
	}
	if strings.ContainsAny(r.target, "\n\x00") {
		return invalid("newline or NUL in the path")
	}
	if strings.ContainsAny(r.expect, "\n\x00") {
		return invalid("not a sum")
	}
	size := 0
	for _, line := range r.lines {
		if line == "" || strings.ContainsAny(line, "\n\x00") {
			return invalid("a line is empty or holds a newline or NUL")
		}
		size += len(line) + 1
	}
	for _, blob := range r.blobs {
		if blob == "" || strings.Trim(blob, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
			return invalid("a key blob is not base64")
		}
		size += len(blob)
	}
	if size > maxRequest {
		return &RemoteError{Stage: StageRequest, Path: r.target, Reason: TooMuch,
			Detail: fmt.Sprintf("%d bytes of keys, at most %d", size, maxRequest)}
	}
	return nil
}

// text is the request as the script reads it. It begins with an empty line,
// which bootstrap may read and the script passes over.
func (r request) text(marker string) string {
	data := strings.Join(r.lines, "\n")
	if data != "" {
		data += "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s %s\n%s\n%s\n", marker, r.verb(), r.target, r.expect)
	fmt.Fprintf(&b, "%d\n", len(r.blobs))
	for _, blob := range r.blobs {
		b.WriteString(blob + "\n")
	}
	fmt.Fprintf(&b, "%d\n%s", len(r.lines), data)
	fmt.Fprintf(&b, "%d %d\n", len(data), utf8.RuneCountInString(data))
	fmt.Fprintf(&b, "%s\n%s\n%s end\n", sums(data), sums("\n"+data), marker)
	return b.String()
}

func (r request) verb() string {
	if !r.add {
		return "read"
	}
	verb := "add"
	if r.repair {
		verb += " repair"
	}
	if r.guard {
		verb += " guard"
	}
	return verb
}

// sums are the sums of data by each tool the script may have.
func sums(data string) string {
	h := newCksum()
	h.Write([]byte(data))
	sha := sha256.Sum256([]byte(data))
	return fmt.Sprintf("%s sha256sum:%s size:%d", cksumText(h), hex.EncodeToString(sha[:]), len(data))
}

// cksum is the checksum of the POSIX utility of that name: a CRC over the data
// and its length, most significant bit first.
type cksum struct {
	crc    uint32
	length uint64
}

var cksumTable = func() (table [256]uint32) {
	const polynomial = 0x04c11db7
	for i := range table {
		crc := uint32(i) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()

func newCksum() *cksum { return &cksum{} }

func (c *cksum) add(b byte) { c.crc = c.crc<<8 ^ cksumTable[byte(c.crc>>24)^b] }

func (c *cksum) Write(p []byte) (int, error) {
	for _, b := range p {
		c.add(b)
	}
	c.length += uint64(len(p))
	return len(p), nil
}

func (c *cksum) Sum32() uint32 {
	end := *c
	for n := c.length; n > 0; n >>= 8 {
		end.add(byte(n))
	}
	return ^end.crc
}

// cksumText is a sum as the script writes it.
func cksumText(c *cksum) string { return fmt.Sprintf("cksum:%d:%d", c.Sum32(), c.length) }
