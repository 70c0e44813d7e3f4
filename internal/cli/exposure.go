package cli

import (
	"path/filepath"

	"ssh-copy-id/internal/owneronly"
)

// refusedBySSH reports after a success that ssh.exe will refuse the private key
// of the login, or the user's ssh_config, for its access list. A file of -F is
// not checked by ssh either.
func (r *run) refusedBySSH(s source) {
	if s.private != "" {
		r.checkExposure(s.private, owneronly.PrivateKey)
	}
	if r.flags.Config == "" && r.home != "" {
		r.checkExposure(filepath.Join(r.home, ".ssh", "config"), owneronly.ConfigFile)
	}
}

// checkExposure remarks on a file that ssh.exe refuses. One that cannot be looked at,
// such as none, is no cause of concern.
func (r *run) checkExposure(path string, use owneronly.Use) {
	found, err := owneronly.Check(path, use)
	switch {
	case err != nil:
		r.debug(1, path+": access list: "+err.Error())
	case found != nil:
		r.out.Remark(exposed{found, use})
	}
}
