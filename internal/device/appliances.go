package device

import "fmt"

// appliances are storage systems and others with a shell. Those with a file
// of keys could be reached with -t, but not their other settings.
var appliances = []spec{
	{
		name: "ontap", title: "NetApp ONTAP",
		keyTypes: hostLike,
		lines: func(user string, keys []key) []string {
			// Without -index ONTAP takes the next free number.
			return wrap(nil, keys, func(k key) string {
				return fmt.Sprintf(`security login publickey create -username %s -publickey "%s"`, user, k.text())
			})
		},
		notes: []string{
			"for an account of a storage VM, add -vserver NAME",
			"the account must be allowed to use keys: security login create -user-or-group-name USER -application ssh -authentication-method publickey -role ROLE",
			"in FIPS mode fewer key types let somebody in, ecdsa-sha2-nistp256 in all releases",
		},
	},
	{
		name: "esxi", title: "VMware ESXi",
		keyTypes: fileTypes,
		file:     true,
		comments: true,
		lines: func(user string, keys []key) []string {
			directory := "/etc/ssh/keys-" + user
			return wrap([]string{"mkdir -p " + directory}, keys, appendTo(directory+"/authorized_keys"))
		},
		notes: []string{
			"keys of Active Directory users do not last",
			"in lockdown mode keys let nobody in",
		},
	},
	{
		// Not to be confused with the firewalls named NetScreen.
		name: "netscaler", title: "Citrix NetScaler (ADC)",
		keyTypes: fileTypes,
		file:     true,
		comments: true,
		lines: func(_ string, keys []key) []string {
			return wrap([]string{"shell", "mkdir -p /nsconfig/ssh"}, keys, appendTo("/nsconfig/ssh/authorized_keys"),
				"chmod 644 /nsconfig/ssh/authorized_keys", "chmod 755 /flash /flash/nsconfig", "exit")
		},
		notes: []string{
			"a key in this file lets its owner in as any local user, nsroot above all",
			"a file below /root would be lost at the next start",
			"in a pair, run the chmod on the primary appliance first",
		},
	},
	{
		name: "synology", title: "Synology DSM",
		keyTypes: fileTypes,
		file:     true,
		comments: true,
		lines: func(_ string, keys []key) []string {
			return wrap([]string{"mkdir -p ~/.ssh"}, keys, appendTo("~/.ssh/authorized_keys"),
				"chmod 755 ~", "chmod 700 ~/.ssh", "chmod 600 ~/.ssh/authorized_keys")
		},
		notes: []string{
			"type this logged in as that user; DSM lets only administrators log in over SSH, and home directories must be switched on",
			"home directories are writable for everybody at first, and sshd then ignores the keys in them: that is what the chmod is for",
			"an access control list on the home directory can have the same effect",
		},
	},
}

// appendTo writes a key to the end of a file. The line end before it is for a
// file that lacks its last one; sshd skips the blank line.
func appendTo(file string) func(key) string {
	return func(k key) string {
		return fmt.Sprintf(`printf '\n%%s\n' '%s%s%s' >> %s`, k.options, k.text(), k.comment, file)
	}
}
