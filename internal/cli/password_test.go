package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFirstLine(t *testing.T) {
	long := strings.Repeat("x", maxPassword)
	for _, tt := range []struct {
		in, want, left string
		err            error
	}{
		{"secret\nrest", "secret", "rest", nil},
		{"secret\r\nrest", "secret", "rest", nil},
		{"secret", "secret", "", nil},
		{" se cret \n", " se cret ", "", nil},
		{"\xef\xbb\xbfsecret\r\n", "secret", "", nil},
		{"\xff\xfes\x00\xe4\x00\r\x00\n\x00r\x00", "s\u00e4", "r\x00", nil},
		{"\xfe\xff\x00s\x00\xe4\x00\r\x00\n\x00r", "s\u00e4", "\x00r", nil},
		{"\xff\xfes\x00\x0a\x01\n\x00", "s\u010a", "", nil}, // a character with a byte like a newline
		{"\xfe\xff\x00s\x0a\x01\x00\n", "s\u0a01", "", nil},
		{"\xff\xfes\x00", "s", "", nil},
		{long + "\n", long, "", nil},
		{long + "x\n", "", "", errLongPassword},
		{strings.Repeat("x", 10000), "", strings.Repeat("x", 10000-2*maxPassword-8), errLongPassword},
		{"", "", "", errEmptyPassword},
		{"\nsecret\n", "", "secret\n", errEmptyPassword},
		{"\xff\xfe\r\x00\n\x00", "", "", errEmptyPassword},
		{"\xff\xfes\x00\x00\xd8e\x00\n\x00", "", "", errHalfUTF16},
		{"\xff\xfes\x00e", "", "", errHalfUTF16},
		{"s\x00e\x00\n\x00", "", "\x00", errBinary},
	} {
		r := strings.NewReader(tt.in)
		got, err := firstLine("--password-file x", r)
		left, _ := io.ReadAll(r)
		if string(got) != tt.want || !errors.Is(err, tt.err) || string(left) != tt.left {
			t.Errorf("%.40q: %.40q, %v, left %.40q; want %.40q, %v, %.40q", tt.in, got, err, left, tt.want, tt.err, tt.left)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows what was read: %v", err)
		}
	}
}
