package cli

import (
	"path/filepath"
	"strings"

	"ssh-copy-id/internal/owneronly"
	"ssh-copy-id/internal/term"
)

// refusedBySSH reports after a success that ssh.exe will refuse the private key
// of the login, or the user's ssh_config, for its access list. A file of -F is
// not checked by ssh either.
func (r *run) refusedBySSH(s source) {
	if s.private != "" {
		r.exposed(s.private, owneronly.PrivateKey)
	}
	if r.flags.Config == "" && r.home != "" {
		r.exposed(filepath.Join(r.home, ".ssh", "config"), owneronly.ConfigFile)
	}
}

// exposed reports a file that ssh.exe refuses. One that cannot be looked at,
// such as none, is no cause of concern.
func (r *run) exposed(path string, use owneronly.Use) {
	found, err := owneronly.Check(path, use)
	switch {
	case err != nil:
		r.debug(1, path+": access list: "+err.Error())
	case found != nil:
		r.printer.warning("%s", exposedSentence(found, use))
	}
}

// exposedSentence says what ssh.exe will do with a file, why, and which commands
// make it take the file.
func exposedSentence(found *owneronly.Exposure, use owneronly.Use) string {
	what, access := "ssh.exe will ignore the private key", "have access to it"
	if use == owneronly.ConfigFile {
		what, access = "ssh.exe will not start with", "may change it"
	}
	var why []string
	if found.Owner != "" {
		why = append(why, "it belongs to "+found.Owner)
	}
	if len(found.Others) > 0 {
		why = append(why, "others than you "+access+" ("+strings.Join(found.Others, ", ")+")")
	}
	text := term.Escape(what + " '" + found.Path + "': " + strings.Join(why, ", and "))
	for _, command := range found.Mend {
		text += "\n\t(to change that: " + term.Escape(command) + ")"
	}
	return text
}
