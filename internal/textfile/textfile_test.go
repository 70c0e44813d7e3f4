package textfile

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestUTF8(t *testing.T) {
	for _, tt := range []struct {
		in, want  string
		converted bool
	}{
		{"\xff\xfea\x00\r\x00\n\x00", "a\r\n", true},
		{"\xfe\xff\x00a\x00\r\x00\n", "a\r\n", true},
		{"\xff\xfe\x3d\xd8\x00\xde", "\U0001f600", true}, // a pair of surrogates
		{"\xff\xfe\x3d\xd8a\x00", "\ufffda", true},       // half of one
		{"\xff\xfea\x00b", "a\ufffd", true},              // half a character at the end
		{"\xff\xfe", "", true},
		{"\xef\xbb\xbfa", "\xef\xbb\xbfa", false},
		{"a\x00b\x00", "a\x00b\x00", false},
		{"\xff", "\xff", false},
		{"", "", false},
	} {
		got, converted := UTF8([]byte(tt.in))
		if string(got) != tt.want || converted != tt.converted {
			t.Errorf("%q: %q, %v; want %q, %v", tt.in, got, converted, tt.want, tt.converted)
		}
		if !converted {
			continue
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader([]byte(tt.in)), "in bytes": iotest.OneByteReader(bytes.NewReader([]byte(tt.in))),
			"end with the last byte": iotest.DataErrReader(bytes.NewReader([]byte(tt.in))),
		} {
			if got, err := io.ReadAll(NewReader(r)); string(got) != tt.want || err != nil {
				t.Errorf("%q read %s: %q, %v; want %q", tt.in, name, got, err, tt.want)
			}
		}
	}
}

func FuzzUTF8(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("\xfe\xff\xd8\x00\x00a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, converted := UTF8(data)
		if converted {
			if read, err := io.ReadAll(NewReader(iotest.HalfReader(bytes.NewReader(data)))); err != nil || !bytes.Equal(read, text) {
				t.Errorf("%q read: %q, %v, want %q", data, read, err, text)
			}
		}
		if converted && !utf8.Valid(text) || !converted && !bytes.Equal(text, data) {
			t.Errorf("%q: %q, %v", data, text, converted)
		}
	})
}

// TestNewReaderFails: what the file says is passed on, after what it held.
func TestNewReaderFails(t *testing.T) {
	got, err := io.ReadAll(NewReader(io.MultiReader(bytes.NewReader([]byte("\xff\xfea\x00")), iotest.ErrReader(io.ErrUnexpectedEOF))))
	if string(got) != "a" || err != io.ErrUnexpectedEOF {
		t.Errorf("%q, %v", got, err)
	}
}
