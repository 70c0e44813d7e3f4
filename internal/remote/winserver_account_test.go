package remote

import (
	"slices"
	"strings"
	"testing"
)

// TestWindowsKeysFiles: which files sshd reads for an account, by its
// sshd_config and by what Windows calls groups.
func TestWindowsKeysFiles(t *testing.T) {
	const (
		shared = "__PROGRAMDATA__/ssh/administrators_authorized_keys"
		usual  = "Match Group administrators\r\n  AuthorizedKeysFile " + shared + "\r\n"
		mine   = "/C:/Users/al/.ssh/authorized_keys"
		two    = mine + " " + mine + "2"
		theirs = "/C:/ProgramData/ssh/administrators_authorized_keys"
	)
	for _, tt := range []struct {
		name, config string
		user         string // not an administrator
		english      string // an administrator, English Windows
		german       string // one on a German Windows, with an sshd before 8.6
		germanNew    string // the same, with a newer one
	}{
		{"empty", "", two, two, two, two},
		{"as installed", usual, two, theirs, two, theirs},
		{"other case, quotes, equals sign", "match GROUP \"Administrators\"\nauthorizedkeysfile=\"" + shared + "\"\n", two, theirs, two, theirs},
		{"by its German name", strings.Replace(usual, "administrators\r", "Administratoren\r", 1), two, two, theirs, theirs},
		{"by its SID", strings.Replace(usual, "administrators\r", "S-1-5-32-544\r", 1), two, theirs, theirs, theirs},
		// Lists are compared with names, so that the SID does not help.
		{"in a list", strings.Replace(usual, "administrators\r", "x,administrators\r", 1), two, theirs, two, two},
		{"a pattern", strings.Replace(usual, "administrators\r", "administrat*\r", 1), two, theirs, theirs, theirs},
		{"excluded", strings.Replace(usual, "administrators\r", "*,!users\r", 1), two, two, two, two},
		{"a user", "Match User AL\n AuthorizedKeysFile C:/keys/%u .ssh\\authorized_keys", "/C:/keys/al " + mine, "/C:/keys/al " + mine, "/C:/keys/al " + mine, "/C:/keys/al " + mine},
		{"two criteria", "Match Group administrators User bob\n AuthorizedKeysFile " + shared, two, two, two, two},
		{"Match before global", "AuthorizedKeysFile %h/keys\n" + usual, "/C:/Users/al/keys", theirs, "/C:/Users/al/keys", theirs},
		{"included", "Include sshd_config.d/*.conf\n", two, theirs, two, theirs},
		{"commented out", strings.Replace(usual, "  Auth", "#  Auth", 1), two, two, two, two},
		{"everybody", "Match all\n AuthorizedKeysFile C:/keys", "/C:/keys", "/C:/keys", "/C:/keys", "/C:/keys"},
		{"none", "AuthorizedKeysFile none", "", "", "", ""},
	} {
		account := func(admin, german, resolves bool) *windowsAccount {
			a := &windowsAccount{login: "al", profile: "/C:/Users/al", data: "/C:/ProgramData", admin: admin, resolves: resolves,
				named: map[string]string{"administrators": administratorsSID, "administratoren": "", "x": ""}}
			a.addGroup("S-1-5-32-545", `BUILTIN\Users`, "PC")
			name := "Administrators"
			if german {
				name = "Administratoren"
				a.named["administrators"], a.named["administratoren"] = "", administratorsSID
			}
			if admin {
				a.addGroup(administratorsSID, `BUILTIN\`+name, "PC")
			}
			a.addConfig(`C:\ProgramData\ssh\sshd_config`, tt.config)
			a.addConfig(`C:\ProgramData\ssh\sshd_config.d\a.conf`, usual)
			return a
		}
		for want, a := range map[string]*windowsAccount{
			"user " + tt.user: account(false, false, true), "english " + tt.english: account(true, false, false),
			"german " + tt.german: account(true, true, false), "new german " + tt.germanNew: account(true, true, true),
		} {
			got := a.keysFiles(a.config())
			fields := strings.Fields(want)
			if i := slices.IndexFunc(fields, func(f string) bool { return f[0] == '/' }); i < 0 && len(got) > 0 || i >= 0 && !slices.Equal(got, fields[i:]) {
				t.Errorf("%s: %q, want %s", tt.name, got, want)
			}
		}
	}
}
