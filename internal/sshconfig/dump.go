package sshconfig

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Dump prints the configuration as `ssh -G` does: one keyword in lower case and
// its value a line, in OpenSSH's order, also the settings this program has no
// use for (dump_client_config in readconf.c). Algorithm lists are whole: the
// connection proposes those of their names that the ssh package implements.
func (h *Host) Dump(w io.Writer) error {
	b := bufio.NewWriter(w)
	d := &dumper{set: h.set, w: b}
	d.line("host", h.Name)
	d.line("user", h.User)
	d.line("hostname", h.HostName)
	d.line("port", h.set.text["port"])
	d.values(flagDefaults)
	d.values(numberDefaults)
	d.optional("bindaddress", "bindinterface")
	d.algorithms("ciphers", Ciphers)
	d.optional("controlpath")
	d.algorithms("hostkeyalgorithms", KeyTypes)
	d.optional("hostkeyalias")
	d.algorithms("hostbasedacceptedalgorithms", KeyTypes)
	d.optional("identityagent", "ignoreunknown", "kbdinteractivedevices")
	d.algorithms("kexalgorithms", KexAlgorithms)
	d.algorithms("casignaturealgorithms", CASignatures)
	d.optional("localcommand", "remotecommand")
	d.line("loglevel", h.LogLevel)
	d.algorithms("macs", MACs)
	d.optional("pkcs11provider")
	if provider := h.set.or("securitykeyprovider", "internal"); asciiLower(provider) != "none" {
		d.line("securitykeyprovider", provider)
	}
	d.optional("preferredauthentications")
	d.algorithms("pubkeyacceptedalgorithms", KeyTypes)
	d.line("xauthlocation", h.set.or("xauthlocation", "/usr/bin/xauth"))
	d.optional("knownhostscommand", "tag", "versionaddendum")
	d.forwards()
	for _, path := range h.shownIdentities() {
		d.line("identityfile", path)
	}
	d.oneLine("canonicaldomains")
	for _, f := range h.set.certificates {
		d.line("certificatefile", f.path)
	}
	d.oneLine("globalknownhostsfile")
	d.oneLine("userknownhostsfile")
	d.oneLine("revokedhostkeys")
	d.repeated("sendenv")
	d.repeated("setenv")
	d.oneLine("logverbose")
	d.oneLine("channeltimeout")
	d.values(lateDefaults)
	d.cnames()
	d.values(terminalDefaults)
	d.line("rekeylimit", h.set.or("rekeylimit", "0")+" "+h.set.or("rekeyinterval", "0"))
	d.values(lastDefaults)
	if h.set.jump != nil {
		d.line("proxyjump", h.ProxyJump)
	} else {
		d.optional("proxycommand")
	}
	return b.Flush()
}

// flagDefaults are the settings ssh -G always prints, with their defaults, in
// its order.
var flagDefaults = []string{
	"addressfamily", "any", "batchmode", "no", "canonicalizefallbacklocal", "yes",
	"canonicalizehostname", "false", "checkhostip", "no", "compression", "no",
	"controlmaster", "false", "enablesshkeysign", "no", "clearallforwardings", "no",
	"exitonforwardfailure", "no", "fingerprinthash", "SHA256", "forwardx11", "no",
	"forwardx11trusted", "no", "gatewayports", "no", "gssapiauthentication", "no",
	"gssapidelegatecredentials", "no", "hashknownhosts", "no", "hostbasedauthentication", "no",
	"identitiesonly", "no", "kbdinteractiveauthentication", "yes",
	"nohostauthenticationforlocalhost", "no", "passwordauthentication", "yes",
	"permitlocalcommand", "no", "proxyusefdpass", "no", "pubkeyauthentication", "true",
	"requesttty", "auto", "sessiontype", "default", "stdinnull", "no",
	"forkafterauthentication", "no", "streamlocalbindunlink", "no",
	"stricthostkeychecking", "ask", "tcpkeepalive", "yes", "tunnel", "false",
	"verifyhostkeydns", "false", "visualhostkey", "no", "updatehostkeys", "true",
	"enableescapecommandline", "no", "warnweakcrypto", "yes",
}

var numberDefaults = []string{
	"canonicalizemaxdots", "1", "connectionattempts", "1", "forwardx11timeout", "1200",
	"numberofpasswordprompts", "3", "serveralivecountmax", "3", "serveraliveinterval", "0",
	"requiredrsasize", "1024", "obscurekeystroketiming", "yes",
}

// The settings that come after the lists, in three groups between which others
// are printed.
var (
	lateDefaults = []string{
		"permitremoteopen", "any", "addkeystoagent", "false", "forwardagent", "no",
		"connecttimeout", "none", "tunneldevice", "any:any",
	}
	terminalDefaults = []string{"controlpersist", "no", "escapechar", "~", "ipqos", "ef cs0"}
	lastDefaults     = []string{"streamlocalbindmask", "0177", "syslogfacility", "USER"}
)

// dumper writes lines; a write error shows at the end, on Flush.
type dumper struct {
	set *settings
	w   *bufio.Writer
}

func (d *dumper) line(name, value string) { fmt.Fprintf(d.w, "%s %s\n", name, value) }

// values prints settings with a default, given as name and default in turn.
func (d *dumper) values(defaults []string) {
	for i := 0; i < len(defaults); i += 2 {
		d.line(defaults[i], d.set.or(defaults[i], defaults[i+1]))
	}
}

// clearable are the settings for which "none" means that nobody made them.
var clearable = map[string]bool{"localcommand": true, "remotecommand": true, "proxycommand": true,
	"controlpath": true, "pkcs11provider": true, "knownhostscommand": true}

// optional prints settings that have no default, where somebody made them.
func (d *dumper) optional(names ...string) {
	for _, name := range names {
		if value, ok := d.set.text[name]; ok && (!clearable[name] || d.set.cleared(name) != "") {
			d.line(name, value)
		}
	}
}

func (d *dumper) algorithms(name string, kind *AlgorithmKind) {
	d.line(name, strings.Join(kind.Names(d.set.algorithms(name)), ","))
}

func (d *dumper) repeated(name string) {
	for _, value := range d.set.list[name] {
		d.line(name, value)
	}
}

func (d *dumper) oneLine(name string) {
	values := d.set.list[name]
	if len(values) == 0 {
		values = []string{"none"}
	}
	d.line(name, strings.Join(values, " "))
}

func (d *dumper) forwards() {
	if d.set.is("clearallforwardings", false) {
		return
	}
	for _, keyword := range []string{"dynamicforward", "localforward", "remoteforward"} {
		for _, f := range d.set.forwards {
			if f.keyword == keyword {
				fmt.Fprintln(d.w, f.String())
			}
		}
	}
}

// cnames prints CanonicalizePermittedCNAMEs under the name ssh -G has for it.
func (d *dumper) cnames() {
	rules := []string{}
	for _, rule := range d.set.cnames {
		if rule.target != "" {
			rules = append(rules, rule.source+":"+rule.target)
		}
	}
	if len(rules) == 0 {
		rules = []string{"none"}
	}
	d.line("canonicalizePermittedcnames", strings.Join(rules, " "))
}
