package device

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// routers are routers and firewalls.
var routers = []spec{
	{
		// The add command is that of RouterOS 7; import is in both.
		name: "mikrotik", title: "MikroTik RouterOS",
		software: []string{"ROSSSH"},
		keyTypes: []string{ssh.KeyAlgoRSA, ssh.KeyAlgoED25519},
		comments: true,
		lines: func(user string, keys []key) []string {
			return wrap(nil, keys, func(k key) string {
				return fmt.Sprintf(`/user ssh-keys add user="%s" key="%s%s"`, user, k.text(), k.comment)
			})
		},
		notes: []string{
			"password login of that user over SSH ends with this, unless always-allow-password-login is yes in /ip ssh",
			"Ed25519 keys need RouterOS 7",
			"where RouterOS knows no add, upload the .pub file and use: /user ssh-keys import public-key-file=FILE user=USER",
		},
	},
	{
		name: "cisco-ios", title: "Cisco IOS and IOS XE",
		software: []string{"Cisco-1.25"},
		keyTypes: onlyRSA,
		lines: func(user string, keys []key) []string {
			lines := []string{"configure terminal", "ip ssh pubkey-chain", "username " + user}
			for _, k := range keys {
				lines = append(lines, "key-string")
				lines = append(lines, fold(k.blob, lineWidth)...)
				lines = append(lines, "exit")
			}
			return append(lines, "exit", "exit", "end", "write memory")
		},
		notes: []string{
			"only RSA keys are taken",
			"the key is folded because IOS takes no line of 254 characters or more",
			"the user must also be one of the device, with a privilege level: these lines only add the key",
			"a Cisco ASA identifies itself in the same way and wants other lines: those of cisco-asa",
		},
	},
	{
		// The command line of an ASA ends at 512 characters, and the key
		// cannot be folded: an RSA key of 2048 bits still fits.
		name: "cisco-asa", title: "Cisco ASA",
		keyTypes: onlyRSA,
		maxBits:  2048,
		maxKeys:  1,
		lines: func(user string, keys []key) []string {
			return wrap([]string{"configure terminal", "username " + user + " attributes"}, keys,
				func(k key) string { return "ssh authentication publickey " + k.blob },
				"end", "write memory")
		},
		notes: []string{
			"the key of that user that is there already is replaced",
			"a longer RSA key goes in with: ssh authentication pkf",
			"logins over SSH must use the local user list: aaa authentication ssh console LOCAL",
		},
	},
	{
		name: "junos", title: "Juniper Junos",
		keyTypes: common,
		comments: true,
		lines:    junosLines,
		notes: []string{
			"Ed25519 keys need a release that has the statement ssh-ed25519",
			"the user must exist: a new one also needs a class before the commit succeeds",
		},
	},
	{
		name: "netscreen", title: "Juniper NetScreen (ScreenOS)",
		software: []string{"NetScreen"},
		keyTypes: []string{"ssh-dss"},
		lines: func(user string, keys []key) []string {
			return wrap(nil, keys, func(k key) string {
				return fmt.Sprintf(`set ssh pka-dsa user-name "%s" key %s`, user, k.blob)
			}, "save", "exit")
		},
		notes: []string{
			"only DSA keys are taken, which OpenSSH no longer uses unasked (PubkeyAcceptedAlgorithms=+ssh-dss) and since 10.0 not at all",
			"SSH version 2 must be switched on: with version 1 the device wants keys of another kind",
		},
	},
	{
		name: "vyos", title: "VyOS and Vyatta",
		keyTypes: common,
		lines: func(user string, keys []key) []string {
			lines := []string{"configure"}
			for _, k := range keys {
				head := fmt.Sprintf("set system login user %s authentication public-keys %s", user, k.identifier())
				lines = append(lines, head+" key '"+k.blob+"'", head+" type '"+k.kind+"'")
			}
			return append(lines, "commit", "save", "exit")
		},
		notes: []string{
			"authorized_keys files are written anew from the configuration, so a line added there does not last",
		},
	},
	{
		name: "fortigate", title: "Fortinet FortiGate (FortiOS)",
		keyTypes: common,
		maxKeys:  3,
		lines: func(user string, keys []key) []string {
			lines := []string{"config system admin", `edit "` + user + `"`}
			for i, k := range keys {
				lines = append(lines, fmt.Sprintf(`set ssh-public-key%d "%s"`, i+1, k.text()))
			}
			return append(lines, "next", "end")
		},
		notes: []string{
			"each administrator has three keys, ssh-public-key1 to 3: one that is in use is overwritten, so look first with show system admin, and change the number",
			"with virtual domains, type config global first",
			"the administrator must exist: edit makes a new one of a name it does not know",
		},
	},
	{
		name: "nokia-sros", title: "Nokia SR OS (MD-CLI)",
		keyTypes: rsaECDSA,
		maxBits:  4096,
		maxKeys:  32,
		lines: func(user string, keys []key) []string {
			// From the last number down: the first are most likely in use.
			next := map[string]int{"rsa": 32, "ecdsa": 32}
			return wrap([]string{"edit-config private"}, keys, func(k key) string {
				kind := "ecdsa"
				if k.kind == ssh.KeyAlgoRSA {
					kind = "rsa"
				}
				number := next[kind]
				next[kind]--
				return fmt.Sprintf(`/configure system security user-params local-user user "%s" public-keys %s %s-key %d key-value "%s"`,
					user, kind, kind, number, k.blob)
			}, "commit", "quit-config", "/admin save")
		},
		notes: []string{
			"keys have numbers from 1 to 32: one that is in use is overwritten, so look first with info, and change the number",
			"only RSA and ECDSA keys are taken",
			"in the classic CLI they are under: configure system security user USER public-keys",
		},
	},
}

func junosLines(user string, keys []key) []string {
	head := "set system login user " + user + " authentication "
	if user == "root" {
		head = "set system root-authentication "
	}
	return wrap([]string{"configure"}, keys, func(k key) string {
		statement := k.kind
		if strings.HasPrefix(k.kind, "ecdsa-") {
			statement = "ssh-ecdsa"
		}
		return fmt.Sprintf(`%s%s "%s%s"`, head, statement, k.text(), k.comment)
	}, "commit and-quit")
}
