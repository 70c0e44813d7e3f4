package owneronly

import "slices"

// Use is what ssh reads a file as.
type Use int

// What ssh checks the access list of.
const (
	PrivateKey Use = iota // nobody else may have any access
	ConfigFile            // others may read it
)

// Exposure is why ssh.exe refuses a file: its owner, or whom its access list
// lets at it.
type Exposure struct {
	Path string
	// Owner is the name of the owner, where that is the reason; else "".
	Owner string
	// Others are the names of those who have access that only the user should
	// have. Where there is no access list at all that is Everyone.
	Others []string
	// Mend are the commands that remove the reasons, for cmd.exe and PowerShell.
	Mend []string
}

// SIDs that every Windows knows.
const (
	everyoneSID         = "S-1-1-0"
	systemSID           = "S-1-5-18"
	administratorsSID   = "S-1-5-32-544"
	trustedInstallerSID = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
)

// writing are the rights that let a file be changed: FILE_WRITE_DATA,
// FILE_APPEND_DATA, FILE_WRITE_EA and FILE_WRITE_ATTRIBUTES.
const writing = 0x2 | 0x4 | 0x10 | 0x100

// accessList is what decides of the security descriptor of a file.
type accessList struct {
	owner   string // SID
	missing bool   // there is no list, which lets everybody do everything
	allowed []grant
}

// grant is an entry of the list that allows something.
type grant struct {
	sid  string
	mask uint32
}

// exposure judges an access list as check_secure_file_permission in
// w32-sshfileperm.c does; nil where ssh.exe takes the file. user is the SID of
// the user, name gives the name of another one.
func (l accessList) exposure(path string, use Use, user string, name func(sid string) string) *Exposure {
	trusted := []string{user, systemSID, administratorsSID, trustedInstallerSID}
	found := &Exposure{Path: path}
	if !slices.Contains(trusted, l.owner) {
		found.Owner = name(l.owner)
		found.Mend = append(found.Mend, `icacls "`+path+`" /setowner "*`+user+`"`)
	}
	var others []string
	if l.missing {
		others = []string{everyoneSID}
	}
	for _, g := range l.allowed {
		harmless := use == ConfigFile && g.mask&writing == 0
		if !harmless && !slices.Contains(trusted, g.sid) && !slices.Contains(others, g.sid) {
			others = append(others, g.sid)
		}
	}
	if len(others) > 0 {
		// Inherited entries cannot be removed one by one.
		command := `icacls "` + path + `" /inheritance:r`
		for _, sid := range others {
			found.Others = append(found.Others, name(sid))
			command += ` /remove:g "*` + sid + `"`
		}
		for _, sid := range []string{administratorsSID, systemSID, user} {
			command += ` /grant "*` + sid + `:F"`
		}
		found.Mend = append(found.Mend, command)
	}
	if found.Mend == nil {
		return nil
	}
	return found
}
