package cli

import (
	"fmt"
	"slices"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/term"
)

// Report shows what was done, in the order in which it matters.
func (p *textOutput) Report(f *Flags, r *copyid.Report) {
	p.say(changeMessages(r)...)
	p.say(keyMessages(r.Keys, r.Path)...)
	p.say(limitMessages(r)...)
	p.say(wayMessages(f, r)...)
	if f.Force {
		p.say(existingMessages(r.Keys, r.Path)...)
	}
	refused, dead := refusedKeys(f, r), ineffectiveAmong(r.Keys)
	nothingAdded := len(r.Added()) == 0
	if nothingAdded && len(refused) == 0 && len(dead) == 0 {
		p.allSkipped()
	}
	p.ineffective(dead, r.Path)
	p.say(verificationMessages(&r.Verification)...)
	p.say(sharedMessages(r)...)
	if nothingAdded && len(refused) > 0 {
		p.notUsable(refused, r.Path)
	}
}

// Added shows the last words of the stock script, with a command that works.
func (p *textOutput) Added(count int, login loginHint) {
	if login.pageant {
		p.say(infof("only Pageant has the private key, and ssh.exe does not ask Pageant: the command below is PuTTY's"))
	}
	if login.why.kind != "" {
		p.say(infof("ssh by itself would not log in with the new key (%s): the command below has what is missing", obstacleText(login.why)))
	}
	p.print("\nNumber of key(s) added: %d\n\n"+
		"Now try logging into the machine, with: \"%s\"\n"+
		"and check to make sure that only the key(s) you wanted were added.\n\n", count, term.Escape(login.command))
}

// obstacleText names the setting that keeps ssh from logging in.
func obstacleText(o obstacle) string {
	switch o.kind {
	case otherAgent:
		return "IdentityAgent " + term.Escape(o.value)
	case agentFirst:
		return "the agent's " + count(o.keys, "key") + " come first"
	case onlyIdentities:
		return "IdentitiesOnly yes, and no IdentityFile names it"
	case otherFiles:
		return "IdentityFile names others"
	case keysOff:
		return "PubkeyAuthentication no"
	case otherMethods:
		return "PreferredAuthentications without publickey"
	case otherTypes:
		return "PubkeyAcceptedAlgorithms without " + o.value
	}
	return "its file is none of the default identities"
}

// allSkipped shows the stock script's words when nothing is left to do.
func (p *textOutput) allSkipped() {
	p.printErr("\n%s: WARNING: All keys were skipped because they already exist on the remote system.\n"+
		"\t\t(if you think this is a mistake, you may want to use -f option)\n\n", p.name)
}

// notUsable shows the error for keys that were not added because the file has
// their very line, and that the server refuses all the same.
func (p *textOutput) notUsable(keys []copyid.KeyState, path string) {
	for _, k := range keys {
		p.printErr("\n%s: ERROR: %s; nothing was added\n", p.name, refusedLine(k, path))
	}
	p.printErr("\n")
}

// changeMessages say what was changed beside the keys.
func changeMessages(r *copyid.Report) (list []message) {
	for _, repair := range r.Repaired {
		why := ""
		if repair.From.Perm()&0o022 != 0 {
			why = ", or sshd would ignore the keys"
		}
		list = append(list, infof("changed the mode of %s from %04o to %04o%s",
			term.Escape(repair.Path), unixMode(repair.From), unixMode(repair.To), why))
	}
	for _, note := range r.Notes {
		list = append(list, infof("%s", noteSentence(note)))
	}
	return list
}

// wayMessages say what was found in place, and by which way the change was made.
func wayMessages(f *Flags, r *copyid.Report) (list []message) {
	if n := len(r.Present()); n > 0 {
		list = append(list, infof("%s stood in %s already", count(n, "key"), term.Escape(r.Path)))
	}
	if r.SFTP && !f.SFTP {
		list = append(list, infof("no shell of the account could be used: SFTP was used"))
	}
	if r.Unheard {
		list = append(list, infof("no answer came from the account's shell (a start-up file may send its output elsewhere), but the keys are installed: "+
			"the server refused them before and accepts them now"))
	}
	return list
}

// shortestLine is how many bytes a line of the shortest kind of key takes.
const shortestLine = 80

// limitMessages warn where the server may not read all of a file that it now has.
func limitMessages(r *copyid.Report) []message {
	reader := serverid.Parse(r.ServerVersion).Reader()
	most := reader.MaxLines()
	if len(r.Added()) == 0 || most == 0 || r.Size <= int64(most*shortestLine) || r.Verification.Done {
		return nil
	}
	return []message{warningf("%v reads only the first %d lines of %s, which has %d bytes by now: check that the new key is among them",
		reader, most, term.Escape(r.Path), r.Size)}
}

// sharedMessages warn about keys that were added to the file of all
// administrators of a Windows server and do not let this account in.
func sharedMessages(r *copyid.Report) []message {
	if !r.Shared || len(r.Added()) == 0 || len(r.Verification.Refused) == 0 {
		return nil
	}
	return []message{warningf("the key stays in %s, where it may let its owner in as another administrator: remove its line there unless that is meant",
		term.Escape(r.Path))}
}

// keyMessages say what is worth knowing about the lines of the target file that
// hold the keys.
func keyMessages(keys []copyid.KeyState, path string) []message {
	return slices.Concat(otherwiseMessages(keys, path), uncheckedMessages(keys), findingMessages(keys, path))
}

// otherwiseMessages are about keys that the file has with other options.
func otherwiseMessages(keys []copyid.KeyState, path string) (list []message) {
	for _, k := range keys {
		if !k.Otherwise() {
			continue
		}
		how, remedy := "without options", "-f adds it all the same"
		if len(k.ExistingOptions) > 0 {
			how = "with the options " + optionText(k.ExistingOptions)
		}
		if k.Forced() != "" {
			remedy = "another line would not help, since the server uses the first one, which forces a command"
		}
		list = append(list, warningf("%s is already on line %d of %s, %s: left as it is, not added again (%s)",
			describe(k.Identity), k.Line, term.Escape(path), how, remedy))
	}
	return list
}

// uncheckedMessages are about keys that were to get options and that the server
// accepts already, on a line that was not seen.
func uncheckedMessages(keys []copyid.KeyState) (list []message) {
	for _, k := range keys {
		switch {
		case k.Outcome != copyid.Accepted || len(k.Identity.Entry.Options) == 0 || k.Line > 0:
		case k.FileChecked:
			list = append(list, warningf("the server accepts %s already, by another source than this file; the options %s were not added",
				describe(k.Identity), optionText(k.Identity.Entry.Options)))
		default:
			list = append(list, infof("the server accepts %s already; whether its line has the options %s was not checked (-t .ssh/authorized_keys checks the file)",
				describe(k.Identity), optionText(k.Identity.Entry.Options)))
		}
	}
	return list
}

// existingMessages are about keys that -f added although the file had them: the
// first line for a key decides, and a later one counts only where that does not
// let it in.
func existingMessages(keys []copyid.KeyState, path string) (list []message) {
	for _, k := range keys {
		if k.Line == 0 {
			continue
		}
		what, options := "", k.Identity.Entry.Options
		switch {
		case k.Forced() != "":
			what = "with " + term.Escape(k.Forced()) + ": the server uses that line, so the one that was added has no effect until it is removed" +
				" (-o PreferredAuthentications=password logs in without the key)"
		case len(k.ExistingOptions) == 0 && len(options) > 0:
			what = "without options: that line decides, and what was asked for has no effect until it is removed"
		case len(k.ExistingOptions) > 0 && len(options) == 0:
			what = "with the options " + optionText(k.ExistingOptions) + "; it was added a second time, without them"
		case slices.Equal(k.ExistingOptions, options):
			continue
		default:
			what = "with the options " + optionText(k.ExistingOptions) + ": that line decides wherever it lets the key in; the new one has " + optionText(options)
		}
		list = append(list, warningf("%s stood already on line %d of %s %s", describe(k.Identity), k.Line, term.Escape(path), what))
	}
	return list
}

// refusedLine says that a line does not get its key in.
func refusedLine(k copyid.KeyState, path string) string {
	return fmt.Sprintf("line %d of %s has %s already, and the server refuses it", k.Line, term.Escape(path), describe(k.Identity))
}
