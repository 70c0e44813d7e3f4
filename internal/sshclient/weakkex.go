package sshclient

import (
	"encoding/binary"
	"slices"
	"strings"

	"ssh-copy-id/internal/sshconfig"
)

// The warning of OpenSSH 10.1 and later (warn_nonpq_kex in sshconnect.c), line
// by line.
const (
	notPostQuantum = "** WARNING: connection is not using a post-quantum key exchange algorithm.\n" +
		"** This session may be vulnerable to \"store now, decrypt later\" attacks.\n"
	upgradeServer = "** The server may need to be upgraded. See https://openssh.com/pq.html"
)

// warnWeakKex warns, once for a host, where neither side's choice leads to a
// post-quantum key exchange. ours and theirs are the proposals. As in ssh_login
// of sshconnect.c nothing is said to whoever chose KexAlgorithms, nor with
// WarnWeakCrypto off; and nothing but with -v where the server has a method that
// ssh has and this program has not, since ssh would not warn there.
func (o *Options) warnWeakKex(ours, theirs []string) {
	i := slices.IndexFunc(ours, func(name string) bool { return slices.Contains(theirs, name) })
	if i < 0 || postQuantum(ours[i]) || o.warned || o.Host.KexAlgorithms != nil || !o.Host.WarnWeakCrypto {
		return
	}
	o.warned = true
	for _, name := range sshconfig.KexAlgorithms.Names(nil) {
		if postQuantum(name) && slices.Contains(theirs, name) {
			o.debug(1, "the key exchange is %s: the server has %s, which ssh would use and this program does not have", ours[i], name)
			return
		}
	}
	o.notice(notPostQuantum + upgradeServer)
}

// postQuantum reports whether a key exchange resists a quantum computer
// (kex_is_pq_from_name in kex-names.c).
func postQuantum(kex string) bool {
	return strings.HasPrefix(kex, "mlkem768") || strings.HasPrefix(kex, "sntrup761")
}

// maxKexInit bounds the first packet of a server, which is its proposal: the
// largest packet of RFC 4253 section 6.1.
const maxKexInit = 35000

// kexInitMessage is SSH_MSG_KEXINIT.
const kexInitMessage = 20

// proposedKex takes the key exchange methods out of a server's first packet, which
// is not encrypted (RFC 4253 sections 6 and 7.1). whole is false while bytes
// of it are missing.
func proposedKex(packet []byte) (names []string, whole bool) {
	const header, cookie = 4 + 1, 1 + 16 // length and padding length; message number and cookie
	if len(packet) < 4 {
		return nil, false
	}
	length := binary.BigEndian.Uint32(packet)
	if length < 1 || length > maxKexInit {
		return nil, true
	}
	if uint32(len(packet)-4) < length {
		return nil, false
	}
	packet = packet[:4+length]
	if len(packet) < header+cookie || packet[header] != kexInitMessage {
		return nil, true
	}
	list, _, ok := cutString(packet[header+cookie:])
	if !ok {
		return nil, true
	}
	return strings.Split(string(list), ","), true
}
