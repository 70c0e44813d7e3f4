package sshclient_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

// proposal is what a client puts forward in SSH_MSG_KEXINIT (RFC 4253 section
// 7.1), as far as it is compared.
type proposal struct{ kex, hostKeys, ciphers, macs []string }

// proposalOf connects and reads the client's proposal.
func proposalOf(t *testing.T, lines ...string) proposal {
	t.Helper()
	packets := make(chan []byte, 1)
	addr := speak(t, func(c net.Conn, _ <-chan struct{}) {
		io.WriteString(c, "SSH-2.0-listener\r\n")
		r := bufio.NewReader(c)
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return
		}
		packet := make([]byte, min(binary.BigEndian.Uint32(length[:]), 1<<16))
		if _, err := io.ReadFull(r, packet); err == nil {
			packets <- packet
		}
	})
	_, err := connect(t, sshclient.Options{Host: hostAt(t, addr, lines...)})
	var packet []byte
	select {
	case packet = <-packets:
	default:
		t.Fatalf("no proposal: %v", err)
	}
	var init struct {
		Cookie                                  [16]byte `sshtype:"20"`
		Kex, HostKeys, CiphersOut, CiphersIn    []string
		MACsOut, MACsIn, Compression1, Compress []string
		Lang1, Lang2                            []string
		First                                   bool
		Reserved                                uint32
	}
	if err := ssh.Unmarshal(packet[1:len(packet)-int(packet[0])], &init); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(init.CiphersOut, init.CiphersIn) || !slices.Equal(init.MACsOut, init.MACsIn) {
		t.Errorf("the directions differ: %+v", init)
	}
	kex := slices.DeleteFunc(init.Kex, func(s string) bool { return s == "ext-info-c" || s == "kex-strict-c-v00@openssh.com" })
	return proposal{kex, init.HostKeys, init.CiphersOut, init.MACsOut}
}

// TestProposal: what is proposed is what -G prints, in that order, without the
// names that the ssh package lacks, and nothing else.
func TestProposal(t *testing.T) {
	for _, lines := range [][]string{
		nil,
		{"KexAlgorithms=+diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "Ciphers=+aes128-cbc", "MACs=+hmac-sha1-96",
			"HostKeyAlgorithms=+ssh-rsa"},
		{"KexAlgorithms=-ecdh*,curve*", "Ciphers=-aes*", "MACs=-umac*,hmac-sha1*", "HostKeyAlgorithms=-ecdsa*"},
		{"KexAlgorithms=^diffie-hellman-group16-sha512", "Ciphers=^aes256-ctr", "MACs=^hmac-sha1", "HostKeyAlgorithms=^rsa*"},
		{"KexAlgorithms=curve25519-sha256@libssh.org,sntrup761x25519-sha512", "Ciphers=aes192-ctr,aes256-cbc", "MACs=hmac-sha2-512,hmac-md5"},
	} {
		t.Run(strings.Join(lines, " "), func(t *testing.T) {
			h := hostAt(t, "127.0.0.1:1", lines...)
			got := proposalOf(t, lines...)
			for _, c := range []struct {
				keyword   string
				got, want []string
			}{
				{"KexAlgorithms", got.kex, sshconfig.KexAlgorithms.Names(h.KexAlgorithms)},
				{"HostKeyAlgorithms", got.hostKeys, sshconfig.KeyTypes.Names(h.HostKeyAlgorithms)},
				{"Ciphers", got.ciphers, sshconfig.Ciphers.Names(h.Ciphers)},
				{"MACs", got.macs, sshconfig.MACs.Names(h.MACs)},
			} {
				want := slices.DeleteFunc(c.want, func(name string) bool { return !slices.Contains(sshclient.Supported(c.keyword), name) })
				if !slices.Equal(c.got, want) || len(want) == 0 {
					t.Errorf("%s: proposed\n%q, want\n%q", c.keyword, c.got, want)
				}
			}
		})
	}
}

// TestProposalWithoutDoors: nothing OpenSSH does not propose by itself.
func TestProposalWithoutDoors(t *testing.T) {
	got := proposalOf(t)
	for _, name := range []string{"diffie-hellman-group14-sha1", "diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1",
		"hmac-sha1-96", "aes128-cbc", "3des-cbc", "ssh-rsa", "ssh-dss"} {
		if slices.Contains(slices.Concat(got.kex, got.hostKeys, got.ciphers, got.macs), name) {
			t.Errorf("%s is proposed", name)
		}
	}
	if !slices.Contains(got.kex, "diffie-hellman-group-exchange-sha256") || got.kex[0] != "mlkem768x25519-sha256" ||
		got.ciphers[0] != "chacha20-poly1305@openssh.com" {
		t.Errorf("%+v", got)
	}
}

// TestWeakKexWarning: the warning of OpenSSH 10.1, and when it stays away.
func TestWeakKexWarning(t *testing.T) {
	const warning = "** WARNING: connection is not using a post-quantum key exchange algorithm.\n" +
		"** This session may be vulnerable to \"store now, decrypt later\" attacks.\n" +
		"** The server may need to be upgraded. See https://openssh.com/pq.html"
	for _, c := range []struct {
		name, server string
		lines        []string
		warned       bool
	}{
		{"classical", "curve25519-sha256", nil, true},
		{"post-quantum", "mlkem768x25519-sha256", nil, false},
		{"WarnWeakCrypto no", "curve25519-sha256", []string{"WarnWeakCrypto=no"}, false},
		{"WarnWeakCrypto no-pq-kex", "curve25519-sha256", []string{"WarnWeakCrypto=no-pq-kex"}, false},
		{"KexAlgorithms chosen", "curve25519-sha256", []string{"KexAlgorithms=^curve25519-sha256"}, false},
		{"LogLevel ERROR", "curve25519-sha256", []string{"LogLevel=ERROR"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := newSigner(t)
			s := serve(t, func(cfg *sshtest.Config) { cfg.Crypto.KeyExchanges = []string{c.server} }, key.PublicKey())
			o := options(t, s)
			o.Host = hostAt(t, s.Addr(), append(c.lines, "UserKnownHostsFile="+o.Host.UserKnownHostsFiles[0])...)
			var told []string
			o.UI.Notice = func(text string) { told = append(told, text) }
			o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if want := map[bool][]string{true: {warning}}[c.warned]; !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
		})
	}
}
