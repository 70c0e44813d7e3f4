package owneronly

import (
	"reflect"
	"testing"
)

// TestExposure: the verdicts of check_secure_file_permission, for a private key
// (read_ok is 0) and for a configuration file (read_ok is 1).
func TestExposure(t *testing.T) {
	const (
		me     = "S-1-5-21-1-2-3-1001"
		other  = "S-1-5-21-1-2-3-1002"
		users  = "S-1-5-32-545"
		all    = 0x1f01ff // FA
		read   = 0x120089 // FR
		modify = 0x1301bf // what icacls calls M
		path   = `C:\Users\me\.ssh\id`
		own    = ` /grant "*S-1-5-32-544:F" /grant "*S-1-5-18:F" /grant "*` + me + `:F"`
		clear  = `icacls "C:\Users\me\.ssh\id" /inheritance:r`
		chown  = `icacls "C:\Users\me\.ssh\id" /setowner "*` + me + `"`
	)
	good := []grant{{me, all}, {systemSID, all}, {administratorsSID, all}}
	with := func(more ...grant) []grant { return append(append([]grant(nil), good...), more...) }
	exposed := func(sids ...string) *Exposure {
		command := clear
		for _, sid := range sids {
			command += ` /remove:g "*` + sid + `"`
		}
		return &Exposure{Path: path, Others: sids, Mend: []string{command + own}}
	}
	owned := &Exposure{Path: path, Owner: other, Mend: []string{chown}}
	for name, c := range map[string]struct {
		list        accessList
		key, config *Exposure
	}{
		"the user's alone":        {accessList{owner: me, allowed: good}, nil, nil},
		"an empty list":           {accessList{owner: me}, nil, nil},
		"of the administrators":   {accessList{owner: administratorsSID, allowed: good}, nil, nil},
		"of the system":           {accessList{owner: systemSID, allowed: good}, nil, nil},
		"of the installer":        {accessList{owner: trustedInstallerSID, allowed: with(grant{trustedInstallerSID, all})}, nil, nil},
		"others may read":         {accessList{owner: me, allowed: with(grant{users, read})}, exposed(users), nil},
		"others may write":        {accessList{owner: me, allowed: with(grant{other, modify})}, exposed(other), exposed(other)},
		"write its attributes":    {accessList{owner: me, allowed: with(grant{other, 0x100})}, exposed(other), exposed(other)},
		"write other attributes":  {accessList{owner: me, allowed: with(grant{other, 0x10})}, exposed(other), exposed(other)},
		"append":                  {accessList{owner: me, allowed: with(grant{other, 0x4})}, exposed(other), exposed(other)},
		"delete":                  {accessList{owner: me, allowed: with(grant{other, 0x10000})}, exposed(other), nil},
		"an entry without rights": {accessList{owner: me, allowed: with(grant{other, 0})}, exposed(other), nil},
		"two entries for one":     {accessList{owner: me, allowed: with(grant{users, read}, grant{other, read}, grant{users, 0x2})}, exposed(users, other), exposed(users)},
		"no list":                 {accessList{owner: me, missing: true}, exposed(everyoneSID), exposed(everyoneSID)},
		"of another account":      {accessList{owner: other, allowed: good}, owned, owned},
		"of another who may read": {accessList{owner: other, allowed: with(grant{other, read})},
			&Exposure{Path: path, Owner: other, Others: []string{other}, Mend: []string{chown, clear + ` /remove:g "*` + other + `"` + own}}, owned},
	} {
		for use, want := range map[Use]*Exposure{PrivateKey: c.key, ConfigFile: c.config} {
			if got := c.list.exposure(path, use, me, func(sid string) string { return sid }); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, use %d: %+v, want %+v", name, use, got, want)
			}
		}
	}
}
