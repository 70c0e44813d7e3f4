package diagnose

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshdconfig"
	"ssh-copy-id/internal/sshkey"
)

// option is the value of an option of sshd in lower case; empty if unknown.
func (f *finder) option(keyword string) string {
	if values := f.d.Server.Options[keyword]; len(values) > 0 {
		return strings.ToLower(values[0])
	}
	return ""
}

// addOption adds a finding about an option; line is what to write down.
func (f *finder) addOption(found Cause, keyword, line string) {
	s := f.d.Server
	found.Path, found.Option, found.Fix, found.InConfig = s.Path, keyword, line, line != ""
	found.Unsure = found.Unsure || s.Source != FromSSHD || s.Unsure || f.patterns.Spent()
	f.add(found)
}

// options looks at those that stand for themselves.
func (f *finder) options() {
	if f.option("pubkeyauthentication") == "no" {
		f.addOption(Cause{Kind: CausePubkey, Value: "no"}, "pubkeyauthentication", "PubkeyAuthentication yes")
	}
	if root := f.option("permitrootlogin"); f.d.UID == "0" && (root == "no" || root == "forced-commands-only") {
		f.addOption(Cause{Kind: CauseRoot, Value: root}, "permitrootlogin", "PermitRootLogin prohibit-password")
	}
	if values := f.d.Server.Options["revokedkeys"]; len(values) > 0 && values[0] != "" && !strings.EqualFold(values[0], "none") {
		// What the file holds is not looked at: it may be a binary revocation list.
		f.addOption(Cause{Kind: CauseRevoked, Value: values[0], Unsure: true}, "revokedkeys", "")
	}
	if values := f.d.Server.Options["authorizedkeyscommand"]; len(values) > 0 && values[0] != "none" && values[0] != "" {
		f.addOption(Cause{Kind: CauseCommand, Value: values[0], Informational: true}, "authorizedkeyscommand", "")
	}
}

// keysFile looks whether sshd reads the file at all.
func (f *finder) keysFile() {
	d := f.d
	value := ".ssh/authorized_keys .ssh/authorized_keys2" // servconf.c
	if values := d.Server.Options["authorizedkeysfile"]; len(values) > 0 {
		value = values[0]
	}
	home := cmp.Or(d.AccountHome, d.Home)
	var files []string
	for _, name := range strings.Fields(value) {
		if strings.EqualFold(name, "none") {
			continue
		}
		name = f.expand(name, home)
		if !path.IsAbs(name) {
			name = path.Join(home, name)
		}
		name = path.Clean(name)
		if f.isTarget(name, home) {
			return
		}
		files = append(files, name)
	}
	line := "AuthorizedKeysFile " + strings.TrimSpace(strings.TrimPrefix(value+" ", "none ")+f.configPath(home))
	f.addOption(Cause{Kind: CauseOtherFile, Value: value, Files: files}, "authorizedkeysfile", line)
	// What it is about is the file; the configuration is Option's.
	f.found[len(f.found)-1].Path = d.Path
}

// configPath is the target as AuthorizedKeysFile spells it.
func (f *finder) configPath(home string) string {
	name := strings.ReplaceAll(f.d.Path, "%", "%%")
	for _, home := range []string{home, f.d.Home} {
		if rest, ok := strings.CutPrefix(name, home+"/"); ok && home != "" {
			name = rest
			break
		}
	}
	if strings.ContainsAny(name, " \t") {
		name = `"` + name + `"`
	}
	return name
}

// isTarget: name is the file the diagnosis is about; home may be a link.
func (f *finder) isTarget(name, home string) bool {
	d := f.d
	names := []string{name}
	if rest, ok := strings.CutPrefix(name, home+"/"); ok {
		names = append(names, path.Join(d.Home, rest), path.Join(d.RealHome, rest))
	}
	return slices.Contains(names, path.Clean(d.Path)) || d.Real != "" && slices.Contains(names, path.Clean(d.Real))
}

// expand replaces the tokens of AuthorizedKeysFile (sshd_config(5), TOKENS).
func (f *finder) expand(name, home string) string {
	return strings.NewReplacer("%%", "%", "%h", home, "%u", f.account, "%U", f.d.UID).Replace(name)
}

// keyTypes looks at what sshd accepts of keys.
func (f *finder) keyTypes(keys []ssh.PublicKey) {
	keyword, line := "pubkeyacceptedalgorithms", "PubkeyAcceptedAlgorithms"
	if f.option(keyword) == "" {
		keyword, line = "pubkeyacceptedkeytypes", "PubkeyAcceptedKeyTypes" // before OpenSSH 8.5
	}
	list := f.option(keyword)
	least, _ := strconv.Atoi(f.option("requiredrsasize"))
	for _, key := range keys {
		names := algorithms(key.Type())
		if list != "" && !accepts(list, names) {
			f.addOption(Cause{Kind: CauseKeyType, Value: list, Key: authkeys.NewEntry(key, "")}, keyword, line+" +"+strings.Join(names[:min(2, len(names))], ","))
		}
		if bits := sshkey.RSABits(key); bits > 0 && bits < least {
			fix := "RequiredRSASize " + strconv.Itoa(bits)
			if bits < 1024 { // SSH_RSA_MINIMUM_MODULUS_SIZE of sshkey.h
				fix = ""
			}
			f.addOption(Cause{Kind: CauseRSASize, Value: strconv.Itoa(least), Key: authkeys.NewEntry(key, "")}, "requiredrsasize", fix)
		}
	}
}

// algorithms are the signature algorithms that a key of a type can be used with.
func algorithms(keyType string) []string {
	switch keyType {
	case ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	case ssh.CertAlgoRSAv01:
		return []string{ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01}
	}
	return []string{keyType}
}

// accepts reports whether a list, as sshd -T or a configuration file has it, lets
// one of the names in. "+" and "^" add to a list that is not known.
func accepts(list string, names []string) bool {
	if list[0] == '+' || list[0] == '^' {
		return true
	}
	rest, without := strings.CutPrefix(list, "-")
	for _, name := range names {
		if sshdconfig.NewMatcher().List(name, rest) != without {
			return true
		}
	}
	return false
}

// users follows allowed_user of auth.c: DenyUsers, AllowUsers, DenyGroups,
// AllowGroups, the first that refuses.
func (f *finder) users() {
	words := func(keyword string) []string {
		return strings.Fields(strings.Join(f.d.Server.Options[keyword], " "))
	}
	member := func(pattern string) bool {
		return slices.ContainsFunc(f.d.Groups, func(group string) bool { return f.patterns.Pattern(group, pattern) })
	}
	refuse := func(keyword, value, fix string, inConfig bool) {
		f.addOption(Cause{Kind: CauseUsers, Value: value}, keyword, fix)
		f.found[len(f.found)-1].InConfig = inConfig
	}
	deny, allow := words("denyusers"), words("allowusers")
	if i := slices.IndexFunc(deny, f.matchUser); i >= 0 {
		// No line that is added lets a user in again.
		refuse("denyusers", deny[i], "", false)
		return
	}
	if len(allow) > 0 && !slices.ContainsFunc(allow, f.matchUser) {
		refuse("allowusers", strings.Join(allow, " "), "AllowUsers "+f.account, true)
		return
	}
	if len(f.d.Groups) == 0 {
		return
	}
	deny, allow = words("denygroups"), words("allowgroups")
	if i := slices.IndexFunc(deny, member); i >= 0 {
		j := slices.IndexFunc(f.d.Groups, func(group string) bool { return f.patterns.Pattern(group, deny[i]) })
		refuse("denygroups", deny[i], "gpasswd -d "+quoted(f.account)+" "+quoted(f.d.Groups[j]), false)
		return
	}
	if len(allow) > 0 && !slices.ContainsFunc(allow, member) {
		fix, inConfig := "usermod -aG "+quoted(allow[0])+" "+quoted(f.account), false
		if strings.ContainsAny(allow[0], "*?!") {
			fix, inConfig = "AllowGroups "+f.d.Groups[0], true
		}
		refuse("allowgroups", strings.Join(allow, " "), fix, inConfig)
	}
}

// matchUser is match_user of match.c: "user" or "user@host".
func (f *finder) matchUser(pattern string) bool {
	user, host, ok := strings.Cut(pattern, "@")
	return f.patterns.Pattern(f.account, user) && (!ok || f.patterns.Address(f.d.Server.Client, host))
}

// methods looks whether a key is enough, or of any use.
func (f *finder) methods() {
	value := f.option("authenticationmethods")
	if value == "" || value == "any" {
		return
	}
	alone, useful := false, false
	for list := range strings.FieldsSeq(value) {
		alone = alone || list == "publickey"
		useful = useful || slices.Contains(strings.Split(list, ","), "publickey")
	}
	if alone {
		return
	}
	line := "AuthenticationMethods publickey " + value
	if useful {
		line = "" // a second factor is meant to be asked for
	}
	f.addOption(Cause{Kind: CauseMethods, Value: value, Informational: useful}, "authenticationmethods", line)
}
