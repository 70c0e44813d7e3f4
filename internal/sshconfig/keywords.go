package sshconfig

import "runtime"

// keyword is one keyword of ssh_config(5): the name under which its value is
// kept and printed, and how it is read.
type keyword struct {
	name  string
	parse parser
}

// blockKeyword marks Host, Match and Include, which the evaluation handles itself.
func blockKeyword(*line, string) error { return nil }

// ignored takes any arguments and does nothing: retired keywords, and those of
// other ports of OpenSSH.
func ignored(l *line, _ string) error {
	l.left = nil
	return nil
}

// unsupported is ignored, with the notice ssh prints.
func unsupported(l *line, _ string) error {
	l.notices = append(l.notices, unsupportedNotice(l.directive))
	l.left = nil
	return nil
}

// keywords has all names in lower case, old names beside the new ones (the
// keywords table in readconf.c).
var keywords = func() map[string]keyword {
	table := make(map[string]keyword)
	add := func(parse parser, names ...string) { // the first name is the one that is kept
		for _, n := range names {
			table[n] = keyword{names[0], parse}
		}
	}
	each := func(parse parser, names ...string) {
		for _, n := range names {
			table[n] = keyword{n, parse}
		}
	}
	each(blockKeyword, "host", "match", "include")

	each(flag, "batchmode", "canonicalizefallbacklocal", "checkhostip", "clearallforwardings",
		"enableescapecommandline", "enablesshkeysign", "exitonforwardfailure",
		"forkafterauthentication", "forwardx11", "forwardx11trusted", "gatewayports",
		"gssapiauthentication", "gssapidelegatecredentials", "hashknownhosts",
		"hostbasedauthentication", "identitiesonly", "nohostauthenticationforlocalhost",
		"passwordauthentication", "permitlocalcommand", "proxyusefdpass", "stdinnull",
		"streamlocalbindunlink", "visualhostkey")
	each(states("yes", "yes", "true", "yes", "no", "no", "false", "no", "no-pq-kex", "no"), "warnweakcrypto")
	add(flag, "tcpkeepalive", "keepalive")
	add(flag, "kbdinteractiveauthentication", "challengeresponseauthentication",
		"skeyauthentication", "tisauthentication")
	each(compression, "compression")
	each(yesNoAsk, "updatehostkeys", "verifyhostkeydns")
	add(states("yes", "true", "true", "true", "no", "false", "false", "false",
		"unbound", "unbound", "host-bound", "host-bound"), "pubkeyauthentication", "dsaauthentication")
	each(states("yes", "true", "true", "true", "no", "false", "false", "false", "off", "false",
		"ask", "ask", "accept-new", "accept-new"), "stricthostkeychecking")
	each(states("any", "any", "inet", "inet", "inet6", "inet6"), "addressfamily")
	each(states("yes", "true", "true", "true", "no", "false", "false", "false",
		"always", "always"), "canonicalizehostname")
	each(states("yes", "true", "true", "true", "no", "false", "false", "false", "auto", "auto",
		"ask", "ask", "autoask", "autoask"), "controlmaster")
	each(states("yes", "true", "true", "true", "no", "false", "false", "false",
		"force", "force", "auto", "auto"), "requesttty")
	each(states("none", "none", "subsystem", "subsystem", "default", "default"), "sessiontype")
	each(states("ethernet", "ethernet", "point-to-point", "point-to-point",
		"yes", "point-to-point", "true", "point-to-point", "no", "false", "false", "false"), "tunnel")

	each(parseInt, "canonicalizemaxdots", "connectionattempts", "numberofpasswordprompts",
		"serveralivecountmax")
	add(parseInt, "requiredrsasize", "rsaminsize")
	each(parseTime, "connecttimeout", "forwardx11timeout")
	add(parseTime, "serveraliveinterval", "protocolkeepalives", "setuptimeout")
	each(parsePortLine, "port")
	each(parseRekeyLimit, "rekeylimit")

	each(parseText, "bindaddress", "bindinterface", "controlpath", "hostkeyalias", "hostname",
		"ignoreunknown", "kbdinteractivedevices", "preferredauthentications",
		"securitykeyprovider", "tag", "user", "xauthlocation")
	add(parseText, "pkcs11provider", "smartcarddevice")
	each(parseCommand, "knownhostscommand", "localcommand", "remotecommand")
	each(parseRefuseConnection, "refuseconnection")
	each(parseVersionAddendum, "versionaddendum")
	each(parseProxyCommand, "proxycommand")
	each(parseProxyJump, "proxyjump")
	add(parseIdentityFile, "identityfile", "identityfile2")
	each(parseCertificateFile, "certificatefile")
	each(listOf(maxHostFiles, nil), "globalknownhostsfile", "userknownhostsfile")
	each(listOf(maxWords, nil), "logverbose", "revokedhostkeys")
	each(listOf(maxWords, (*line).channelTimeout), "channeltimeout")
	each(parseCanonicalDomains, "canonicaldomains")
	each(parsePermittedCNAMEs, "canonicalizepermittedcnames")
	each(parseSendEnv, "sendenv")
	each(parseSetEnv, "setenv")

	each(algorithmsOf(Ciphers), "ciphers")
	each(algorithmsOf(MACs), "macs")
	each(algorithmsOf(KexAlgorithms), "kexalgorithms")
	each(algorithmsOf(KeyTypes), "hostkeyalgorithms")
	each(algorithmsOf(CASignatures), "casignaturealgorithms")
	add(algorithmsOf(KeyTypes), "hostbasedacceptedalgorithms", "hostbasedkeytypes")
	add(algorithmsOf(KeyTypes), "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes")

	each(parseAddKeysToAgent, "addkeystoagent")
	each(parseControlPersist, "controlpersist")
	each(parseEscapeChar, "escapechar")
	each(parseFingerprintHash, "fingerprinthash")
	each(parseForwardAgent, "forwardagent")
	each(parseIdentityAgent, "identityagent")
	each(parseIPQoS, "ipqos")
	each(parseLogLevel, "loglevel")
	each(parseSyslogFacility, "syslogfacility")
	each(parseObscureKeystrokes, "obscurekeystroketiming")
	each(parsePermitRemoteOpen, "permitremoteopen")
	each(parseBindMask, "streamlocalbindmask")
	each(parseTunnelDevice, "tunneldevice")
	each(parseForward, "dynamicforward", "localforward", "remoteforward")

	each(ignored, "protocol", "cipher", "fallbacktorsh", "globalknownhostsfile2",
		"rhostsauthentication", "userknownhostsfile2", "useroaming", "usersh", "useprivilegedport",
		// Patches of Debian, Red Hat and Apple.
		"gssapikeyexchange", "gssapitrustdns", "gssapirenewalforcesrekey",
		"gssapiclientidentity", "gssapiserveridentity", "gssapikexalgorithms")
	if runtime.GOOS == "darwin" {
		each(ignored, "usekeychain")
	}
	each(unsupported, "afstokenpassing", "kerberosauthentication", "kerberostgtpassing",
		"rsaauthentication", "rhostsrsaauthentication", "compressionlevel")
	return table
}()

// maxHostFiles is SSH_MAX_HOSTS_FILES; maxWords bounds lists OpenSSH leaves open.
const (
	maxHostFiles = 32
	maxWords     = 4096
)
