package diagnose

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// readableTypes are the SELinux types of files that sshd_t may read keys from
// in the reference policy: its own, and what it reads of the system.
var readableTypes = []string{"ssh_home_t", "etc_t", "sshd_key_t", "openshift_var_lib_t", "gitosis_var_lib_t", "condor_var_lib_t"}

// homeBooleans let sshd read homes on file systems that hold no labels.
var homeBooleans = map[string]string{
	"nfs_t":    "use_nfs_home_dirs",
	"cifs_t":   "use_samba_home_dirs",
	"fusefs_t": "use_fusefs_home_dirs",
}

// strayTypes are those of files that were never labelled, or made elsewhere:
// in these sshd may not even look a name up.
var strayTypes = []string{"default_t", "unlabeled_t", "file_t", "user_tmp_t"}

// labels looks at the SELinux types of the file, its directory and the home.
func (f *finder) labels() {
	d := f.d
	if d.SELinux != "" && d.SELinux != "Enforcing" && d.SELinux != "1" {
		return
	}
	real := path.Clean(cmp.Or(d.Real, d.Path))
	dir := path.Dir(real)
	facts := d.checked()
	for i, fact := range facts {
		label := noteOf(d.Labels, fact.Path)
		fields := strings.SplitN(label, ":", 4)
		if len(fields) < 3 {
			continue
		}
		kind := fields[2]
		stray := slices.Contains(strayTypes, kind) || homeBooleans[kind] != ""
		// The home itself has a type of its own; it is the last of facts.
		near := fact.Path == real || fact.Path == dir && d.inHome(dir) && i < len(facts)-1
		if !stray && (!near || slices.Contains(readableTypes, kind)) {
			continue
		}
		f.add(Cause{Kind: CauseLabel, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner, Value: label,
			Unsure: d.SELinux == "", Fix: f.relabel(fact.Path, kind)})
	}
}

// relabel is the command that gives path a type sshd may read.
func (f *finder) relabel(name, kind string) string {
	if boolean := homeBooleans[kind]; boolean != "" {
		return "setsebool -P " + boolean + " 1"
	}
	if f.d.inHome(name) {
		return "restorecon -Rv " + quoted(name)
	}
	// The policy has no type for places of one's own; its paths are patterns.
	pattern := strings.NewReplacer(`\`, `\\`, ".", `\.`, "+", `\+`, "*", `\*`, "?", `\?`, "(", `\(`, ")", `\)`, "[", `\[`,
		"]", `\]`, "{", `\{`, "}", `\}`, "|", `\|`, "^", `\^`, "$", `\$`).Replace(name)
	return "semanage fcontext -a -t ssh_home_t " + quoted(pattern) + " && restorecon -v " + quoted(name)
}

// encrypted: sshd reads the file before the password opens the home.
func (f *finder) encrypted() {
	d := f.d
	if !d.inHome(d.Path) && !d.inHome(d.Real) {
		return
	}
	list := d.Encrypted
	// An encryption policy of ext4 or f2fs shows as the flag E (chattr(1)).
	if flags := noteOf(d.Attributes, d.Home); len(list) == 0 && strings.Contains(flags, "-") && strings.Contains(flags, "E") {
		list = []Encryption{{Kind: "fscrypt", Open: true}}
	}
	for _, e := range list {
		f.add(Cause{Kind: CauseEncrypted, Path: d.Home, Value: e.Kind, Unsure: e.Open,
			Fix: "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys", InConfig: true})
	}
}

// lockout looks at the account's password and dates. With PAM a locked
// password keeps keys out as little as none; without it sshd refuses the
// account (allowed_user in auth.c).
func (f *finder) lockout() {
	d := f.d
	pam := f.option("usepam")
	locked := d.Password == "locked" || d.Password == "" && (d.PasswordStatus == "L" || d.PasswordStatus == "LK")
	if locked && pam != "yes" {
		f.add(Cause{Kind: CauseLocked, Option: "usepam", Value: pam, Fix: "usermod -U " + quoted(f.account),
			// passwd -S calls "*" locked too, which sshd does not.
			Unsure: d.Password == "" || d.Server.Source != FromSSHD || d.Server.Unsure})
	}
	if !d.Expires.IsZero() && !d.Today.Before(d.Expires) && !d.Today.IsZero() {
		f.add(Cause{Kind: CauseExpired, Value: d.Expires.Format(time.DateOnly), Fix: "chage -E -1 " + quoted(f.account)})
	}
	if d.MustChange && pam != "no" {
		f.add(Cause{Kind: CauseExpired, Unsure: pam != "yes", Fix: "passwd " + quoted(f.account)})
	}
}

// shell: sshd wants a program there; and some of them let nobody in.
func (f *finder) shell() {
	d := f.d
	found := Cause{Kind: CauseShell, Value: d.Shell, Fix: "chsh -s /bin/sh " + quoted(f.account)}
	switch base := path.Base(d.Shell); {
	case d.Shell == "":
	case base == "nologin", base == "false", d.ShellRuns == No:
		f.add(found)
	case d.ShellListed == No:
		// Only pam_shells and Dropbear mind.
		found.Informational, found.Path = true, "/etc/shells"
		found.Fix = "echo " + quoted(d.Shell) + " >>/etc/shells"
		f.add(found)
	}
}
