package sshconfig

import (
	"slices"
	"strings"
)

// AlgorithmList is an algorithm setting as it was written, split at commas: nil
// for "not set". A '+', '-' or '^' before its first name makes it a change to a
// list of defaults; names in it may hold the wildcards * and ?. See [AlgorithmKind.Names].
type AlgorithmList []string

// change splits off the leading '+', '-' or '^'; 0 where there is none.
func (l AlgorithmList) change() (change byte, names []string) {
	if len(l) == 0 || l[0] == "" || strings.IndexByte("+-^", l[0][0]) < 0 {
		return 0, l
	}
	return l[0][0], append([]string{l[0][1:]}, l[1:]...)
}

// assemble is kex_assemble_names in kex.c: all are the names a wildcard may
// stand for.
func (l AlgorithmList) assemble(defaults, all []string) []string {
	if len(l) == 0 {
		return slices.Clone(defaults)
	}
	change, names := l.change()
	switch change {
	case '-':
		return slices.DeleteFunc(slices.Clone(defaults), func(d string) bool {
			return matchList(d, strings.Join(names, ","), false)
		})
	case '+':
		return unique(defaults, names, all)
	case '^':
		return unique(names, defaults, all)
	}
	return unique(names, nil, all)
}

// unique joins lists, wildcards replaced by the names of all they match, and
// keeps the first of equal names.
func unique(first, second, all []string) []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, list := range [][]string{first, second} {
		for _, name := range list {
			if !strings.ContainsAny(name, "*?") {
				add(name)
				continue
			}
			for _, a := range all {
				if matchPattern(a, name) {
					add(a)
				}
			}
		}
	}
	return out
}

// AlgorithmKind is a family of algorithm names: what OpenSSH knows, what it
// proposes by default, and the words it refuses others with. It is the one place
// both ssh -G and the connection take their lists from.
type AlgorithmKind struct {
	all, defaults []string
	once          []string // names of a single release: no wildcard stands for them
	wildcards     bool
	refusal       string // a format with %s
}

// Names returns what a setting stands for, in order of preference, as ssh -G
// prints it: OpenSSH's defaults for a nil list, the defaults with names added at
// the end (+), taken out (-) or put first (^), or else the names listed. Names
// with wildcards stand for all that match. Nobody has looked whether the program
// implements them.
func (k *AlgorithmKind) Names(l AlgorithmList) []string {
	return l.assemble(k.defaults, k.all)
}

// valid checks a setting when it is read. What is taken out with '-' is never
// checked.
func (k *AlgorithmKind) valid(l AlgorithmList) bool {
	change, names := l.change()
	if change == '-' {
		return true
	}
	for _, name := range names {
		known := slices.Contains(k.all, name) || slices.Contains(k.once, name)
		if k.wildcards && !known {
			known = slices.ContainsFunc(k.all, func(a string) bool { return matchPattern(a, name) })
		}
		if !known {
			return false
		}
	}
	return true
}

// The kinds. Their defaults are those of OpenSSH 10.6, in its order
// (myproposal.h; ssh-mldsa44-ed25519 stands where 10.6 has it). The names it
// knows are those of all releases from 9.2 on: a file written for one of them is
// not refused.
var (
	// Ciphers is the kind of Ciphers.
	Ciphers = &AlgorithmKind{
		refusal: "Bad SSH2 cipher spec '%s'.",
		all: strings.Fields(`3des-cbc aes128-cbc aes192-cbc aes256-cbc rijndael-cbc@lysator.liu.se
			aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com aes256-gcm@openssh.com
			chacha20-poly1305@openssh.com`),
		defaults: strings.Fields(`chacha20-poly1305@openssh.com aes128-gcm@openssh.com
			aes256-gcm@openssh.com aes128-ctr aes192-ctr aes256-ctr`),
	}

	// MACs is the kind of MACs.
	MACs = &AlgorithmKind{
		refusal: "Bad SSH2 MAC spec '%s'.",
		all: strings.Fields(`hmac-sha1 hmac-sha1-96 hmac-sha2-256 hmac-sha2-512 hmac-md5 hmac-md5-96
			umac-64@openssh.com umac-128@openssh.com hmac-sha1-etm@openssh.com
			hmac-sha1-96-etm@openssh.com hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com
			hmac-md5-etm@openssh.com hmac-md5-96-etm@openssh.com umac-64-etm@openssh.com
			umac-128-etm@openssh.com`),
		defaults: strings.Fields(`umac-64-etm@openssh.com umac-128-etm@openssh.com
			hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com hmac-sha1-etm@openssh.com
			umac-64@openssh.com umac-128@openssh.com hmac-sha2-256 hmac-sha2-512 hmac-sha1`),
	}

	// KexAlgorithms is the kind of KexAlgorithms.
	KexAlgorithms = &AlgorithmKind{
		refusal: "Bad SSH2 KexAlgorithms '%s'.",
		all: strings.Fields(`diffie-hellman-group1-sha1 diffie-hellman-group14-sha1
			diffie-hellman-group14-sha256 diffie-hellman-group16-sha512 diffie-hellman-group18-sha512
			diffie-hellman-group-exchange-sha1 diffie-hellman-group-exchange-sha256
			ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521
			mlkem768nistp256-sha256 curve25519-sha256 curve25519-sha256@libssh.org
			sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com mlkem768x25519-sha256`),
		defaults: strings.Fields(`mlkem768x25519-sha256
			sntrup761x25519-sha512 sntrup761x25519-sha512@openssh.com
			curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 ecdh-sha2-nistp384
			ecdh-sha2-nistp521 diffie-hellman-group-exchange-sha256 diffie-hellman-group16-sha512
			diffie-hellman-group18-sha512 diffie-hellman-group14-sha256`),
	}

	// KeyTypes is the kind of HostKeyAlgorithms, PubkeyAcceptedAlgorithms and
	// HostbasedAcceptedAlgorithms.
	KeyTypes = &AlgorithmKind{
		refusal:   "Bad key types '%s'.",
		wildcards: true,
		all:       allKeyTypes,
		once:      strings.Fields(`ssh-mldsa44-ed25519@openssh.com ssh-mldsa44-ed25519-cert-v01@openssh.com`), // 10.5
		defaults: strings.Fields(`ssh-ed25519-cert-v01@openssh.com
			ecdsa-sha2-nistp256-cert-v01@openssh.com ecdsa-sha2-nistp384-cert-v01@openssh.com
			ecdsa-sha2-nistp521-cert-v01@openssh.com sk-ssh-ed25519-cert-v01@openssh.com
			sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
			webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com rsa-sha2-512-cert-v01@openssh.com
			rsa-sha2-256-cert-v01@openssh.com ssh-mldsa44-ed25519-cert
			ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521
			sk-ssh-ed25519@openssh.com sk-ecdsa-sha2-nistp256@openssh.com
			webauthn-sk-ecdsa-sha2-nistp256@openssh.com rsa-sha2-512 rsa-sha2-256
			ssh-mldsa44-ed25519`),
	}

	// CASignatures is the kind of CASignatureAlgorithms.
	CASignatures = &AlgorithmKind{
		refusal:   "Bad key types '%s'.",
		wildcards: true,
		all:       slices.DeleteFunc(slices.Clone(allKeyTypes), isCertificateType),
		defaults: strings.Fields(`ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384
			ecdsa-sha2-nistp521 sk-ssh-ed25519@openssh.com sk-ecdsa-sha2-nistp256@openssh.com
			webauthn-sk-ecdsa-sha2-nistp256@openssh.com rsa-sha2-512 rsa-sha2-256`),
	}
)

var allKeyTypes = strings.Fields(`ssh-ed25519 ssh-ed25519-cert-v01@openssh.com
	sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com
	ssh-mldsa44-ed25519 ssh-mldsa44-ed25519-cert
	ecdsa-sha2-nistp256 ecdsa-sha2-nistp256-cert-v01@openssh.com
	ecdsa-sha2-nistp384 ecdsa-sha2-nistp384-cert-v01@openssh.com
	ecdsa-sha2-nistp521 ecdsa-sha2-nistp521-cert-v01@openssh.com
	sk-ecdsa-sha2-nistp256@openssh.com sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
	webauthn-sk-ecdsa-sha2-nistp256@openssh.com webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com
	ssh-dss ssh-dss-cert-v01@openssh.com ssh-rsa ssh-rsa-cert-v01@openssh.com
	rsa-sha2-256 rsa-sha2-256-cert-v01@openssh.com rsa-sha2-512 rsa-sha2-512-cert-v01@openssh.com`)

func isCertificateType(name string) bool {
	return strings.Contains(name, "-cert-v01@") || strings.HasSuffix(name, "-cert")
}
