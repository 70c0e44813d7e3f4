package cli

import (
	"bytes"
	"strings"
	"testing"

	"ssh-copy-id/identity"
)

func TestRemarksOnKeyFiles(t *testing.T) {
	const half = `INFO: "k.pub" does not exist: the public half of the private key is used` + "\n"
	tests := []struct {
		origin identity.Origin
		want   string
	}{
		{identity.Origin{}, ""},
		{identity.Origin{Format: identity.FormatRFC4716}, ""},
		{identity.Origin{Format: identity.FormatPEM}, ""},
		{identity.Origin{Format: identity.FormatOpenSSHPrivate}, half},
		{identity.Origin{Format: identity.FormatPEMPrivate}, half},
		{identity.Origin{Format: identity.FormatPPK}, `INFO: the public half of the PuTTY key "k" is used; PuTTY can log in with this file, ssh cannot` + "\n"},
		{identity.Origin{UTF16: true}, `WARNING: "k" is in UTF-16, which ssh cannot read; its keys were read all the same, save it as UTF-8` + "\n"},
		{identity.Origin{UTF16: true, Format: identity.FormatOpenSSHPrivate}, half + `WARNING: "k" is in UTF-16, and no program can log in with it; save it as UTF-8` + "\n"},
		{identity.Origin{UTF16: true, Format: identity.FormatPPK}, `INFO: the public half of the PuTTY key "k" is used` + "\n" + `WARNING: "k" is in UTF-16, and no program can log in with it; save it as UTF-8` + "\n"},
	}
	for _, test := range tests {
		var err bytes.Buffer
		r := &run{out: &textOutput{name: "me", err: &err}}
		test.origin.Path = "k"
		r.remarkFile(test.origin, "k.pub")
		if got := strings.ReplaceAll(err.String(), "me: ", ""); got != test.want {
			t.Errorf("%v, UTF-16 %v: %s", test.origin.Format, test.origin.UTF16, got)
		}
	}
}
