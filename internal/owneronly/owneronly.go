// Package owneronly makes files and directories on this machine that nobody but
// their owner can read or change: ~/.ssh, known_hosts, private keys.
//
// # What that means
//
// On Unix the mode is 0600, or 0700 for a directory, from the first moment on.
//
// On Windows, where a mode says nothing, it is the access list that is set as
// the file is made: it inherits nothing and grants full control to the user,
// to SYSTEM and to the Administrators, who there are what root is elsewhere.
// OpenSSH for Windows takes a private key for well kept exactly if nobody else
// may read it (check_secure_file_permission in w32-sshfileperm.c), and its
// server reads ~/.ssh as SYSTEM. A file system without access lists (FAT)
// takes the file without one.
//
// Files that exist keep what they have: whoever opened them to others may have
// meant to. [Check] says whether OpenSSH for Windows then refuses one.
package owneronly

import "strings"

// descriptor is the security descriptor of a new file or directory of the user
// with this SID, in the security descriptor definition language: the list is
// protected (P), so it inherits nothing; FA is full control, OICI hands an entry
// on to what is made inside; SY is SYSTEM and BA the Administrators.
func descriptor(sid string, directory bool) string {
	inherit := ""
	if directory {
		inherit = "OICI"
	}
	var list strings.Builder
	list.WriteString("D:P")
	for _, who := range []string{sid, "SY", "BA"} {
		list.WriteString("(A;" + inherit + ";FA;;;" + who + ")")
	}
	return list.String()
}
