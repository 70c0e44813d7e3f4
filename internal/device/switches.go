package device

import "fmt"

// switches are switches.
var switches = []spec{
	{
		// Also the small switches before them: Cisco Business 250 and 350, SG.
		name: "cisco-catalyst1200", title: "Cisco Catalyst 1200 and 1300",
		keyTypes: onlyRSA,
		maxKeys:  1,
		lines: func(user string, keys []key) []string {
			lines := []string{"configure terminal", "ip ssh pubkey-auth", "crypto key pubkey-chain ssh"}
			for _, k := range keys {
				lines = append(lines, "user-key "+user+" rsa")
				for _, row := range fold(k.blob, lineWidth) {
					lines = append(lines, "key-string row "+row)
				}
				lines = append(lines, "exit")
			}
			return append(lines, "exit", "end", "write memory")
		},
		notes: []string{
			"the key of that user that is there already is replaced",
			"only RSA keys are taken",
			"after the key the switch still asks for a password, unless ip ssh pubkey-auth auto-login is set",
		},
	},
	{
		name: "procurve", title: "HPE Aruba and ProCurve switches (ArubaOS-Switch)",
		keyTypes: onlyRSA,
		maxBits:  3072,
		maxKeys:  10,
		lines: func(user string, keys []key) []string {
			// Keys belong to one of the two roles; their users have these
			// names unless they were given others.
			role := "manager"
			if user == "operator" {
				role = "operator"
			}
			return wrap([]string{"configure"}, keys, func(k key) string {
				return fmt.Sprintf(`ip ssh public-key %s "%s"`, role, k.text())
			}, "write memory")
		},
		notes: []string{
			"the key is for everybody in that role, manager or operator, and the switch holds ten keys",
			"keys are looked at only after: aaa authentication ssh login public-key local",
			"only RSA keys of up to 3072 bits are taken",
		},
	},
	{
		name: "aruba-cx", title: "HPE Aruba AOS-CX",
		keyTypes: hostLike,
		maxKeys:  32,
		lines: func(user string, keys []key) []string {
			return wrap([]string{"configure terminal"}, keys, func(k key) string {
				return "user " + user + " authorized-key " + k.text()
			}, "end", "write memory")
		},
		notes: []string{"the switch holds 32 keys for a user"},
	},
	{
		name: "dell-os10", title: "Dell SmartFabric OS10",
		keyTypes: hostLike,
		maxKeys:  1,
		lines: func(user string, keys []key) []string {
			return wrap([]string{"configure terminal"}, keys, func(k key) string {
				return fmt.Sprintf(`username %s sshkey "%s"`, user, k.text())
			}, "end", "write memory")
		},
		notes: []string{
			"the key of that user that is there already is replaced",
			"several keys go in as a file on the switch: username USER sshkey filename FILE",
		},
	},
	{
		name: "nvos", title: "NVIDIA NVOS",
		keyTypes: common,
		lines: func(user string, keys []key) []string {
			var lines []string
			for _, k := range keys {
				head := fmt.Sprintf("nv set system aaa user %s ssh authorized-key %s", user, k.identifier())
				lines = append(lines, head+" key "+k.blob, head+" type "+k.kind)
			}
			return append(lines, "nv config apply", "nv config save")
		},
	},
	{
		name: "extreme-slx", title: "Extreme SLX-OS",
		keyTypes: onlyRSA,
		maxKeys:  1,
		comments: true,
		lines: func(user string, keys []key) []string {
			return wrap(nil, keys, func(k key) string {
				return fmt.Sprintf(`certutil sshkey user %s pubkey "%s%s"`, user, k.text(), k.comment)
			})
		},
		notes: []string{
			"password login of that user ends with this",
			"only RSA keys are documented, and not whether a second key replaces the first",
		},
	},
}
