package sshclient

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshconfig"
)

// openSSHHostKeyOrder is the order in which OpenSSH prefers host key
// algorithms (KEX_DEFAULT_PK_ALG in myproposal.h), as far as the ssh package
// knows them. An unknown host is asked about with the same key ssh would show.
var openSSHHostKeyOrder = []string{
	ssh.CertAlgoED25519v01,
	ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	ssh.KeyAlgoED25519,
	ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// openSSHCASignatures are what OpenSSH lets a certificate be signed with
// (SSH_ALLOWED_CA_SIGALGS in myproposal.h).
var openSSHCASignatures = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// minRekey is the least number of bytes between changes of keys: more than a
// login takes.
const minRekey = 256 << 10

// clientConfig is what the ssh package needs to know for one connection.
func clientConfig(ctx context.Context, o *Options, a *authenticator, w *wire, conn *Conn) (*ssh.ClientConfig, error) {
	h := o.Host
	config := &ssh.ClientConfig{
		User:          h.User,
		ClientVersion: "SSH-2.0-ssh-copy-id",
		AuthCallback:  a.next,
		BannerCallback: func(text string) error {
			if a.banners++; a.banners > maxBanners {
				return errTooManyBanners
			}
			if !o.NeverAsk || o.HostKey == nil { // a second connection need not repeat it
				o.notice(text)
			}
			return nil
		},
	}
	if err := algorithms(h, &config.Config); err != nil {
		return nil, err
	}
	if h.RekeyLimit > 0 {
		// ssh changes keys only after the login; sshd takes it amiss before.
		config.RekeyThreshold = max(h.RekeyLimit, minRekey)
	}
	check, err := hostKeyCheck(ctx, o, a, config)
	if err != nil {
		return nil, err
	}
	config.HostKeyCallback = func(address string, remote net.Addr, key ssh.PublicKey) error {
		if conn.HostKey != nil {
			// A new key exchange on a connection that goes on: the clock of the
			// handshake is not for it, and the host must stay who it is.
			return sameKey(conn.HostKey)(address, remote, key)
		}
		w.relax()
		o.debug(1, "server host key: %s %s", key.Type(), ssh.FingerprintSHA256(key))
		if bits, short := rsaTooShort(key, h.RequiredRSASize); short {
			conn.hostKeyErr = &ShortKeyError{Host: h.HostName, Bits: bits, Required: h.RequiredRSASize}
			return conn.hostKeyErr
		}
		if err := check(address, remote, key); err != nil {
			conn.hostKeyErr = err
			return err
		}
		if o.Identified != nil {
			if err := o.Identified(w.serverVersion()); err != nil {
				conn.hostKeyErr = err
				return err
			}
		}
		conn.HostKey = key
		w.allow(w.limit)
		return nil
	}
	return config, nil
}

// hostKeyCheck sets the host key algorithms and gives the check of the key.
func hostKeyCheck(ctx context.Context, o *Options, a *authenticator, config *ssh.ClientConfig) (ssh.HostKeyCallback, error) {
	h := o.Host
	known := o.HostKey
	if known == nil {
		known = a.hostKey
	}
	if known != nil {
		config.HostKeyAlgorithms = keyAlgorithms(known.Type())
		return sameKey(known), nil
	}
	verifier, err := hostkey.New(policy(ctx, o), h.HostName, h.Port)
	if err != nil {
		return nil, err
	}
	wanted := supported(h.HostKeyAlgorithms.Apply(openSSHHostKeyOrder), openSSHHostKeyOrder, ssh.InsecureAlgorithms().HostKeys)
	if len(wanted) == 0 {
		return nil, &AlgorithmError{Keyword: "HostKeyAlgorithms"}
	}
	config.HostKeyAlgorithms = a.pins.left(verifier.Algorithms(wanted))
	if len(config.HostKeyAlgorithms) == 0 {
		return nil, &AlgorithmError{Keyword: "HostKeyAlgorithms"}
	}
	if h.UpdateHostKeys == "yes" {
		a.learner = &learner{o: o, verifier: verifier, allowed: wanted}
	}
	a.secretsAllowed = verifier.SecretsAllowed
	return verifier.Callback(), nil
}

// sameKey accepts key and no other.
func sameKey(key ssh.PublicKey) ssh.HostKeyCallback {
	return func(host string, _ net.Addr, offered ssh.PublicKey) error {
		if !bytes.Equal(offered.Marshal(), key.Marshal()) {
			return fmt.Errorf("%s showed another host key than a moment ago", host)
		}
		return nil
	}
}

// policy is the part of ssh_config that is about host keys.
func policy(ctx context.Context, o *Options) hostkey.Policy {
	h := o.Host
	p := hostkey.Policy{
		Strict:             h.StrictHostKeyChecking,
		UserFiles:          h.UserKnownHostsFiles,
		GlobalFiles:        h.GlobalKnownHostsFiles,
		Hash:               h.HashKnownHosts,
		Alias:              h.HostKeyAlias,
		CheckHostIP:        h.CheckHostIP,
		NoAuthForLocalhost: h.NoHostAuthenticationForLocalhost,
		Batch:              h.BatchMode,
		FingerprintHash:    h.FingerprintHash,
		VisualHostKey:      h.VisualHostKey,
		Pins:               o.Pins,
		RevokedFiles:       h.RevokedHostKeys,
		Home:               o.Home,
		Ask:                o.UI.Line,
		Notice:             o.notice,
		Alert:              o.alert,
		Debug:              func(text string) { o.debug(1, "%s", text) },
		KnownHostsCommand:  hostKeyCommand(ctx, o),
	}
	if h.CASignatureAlgorithms != nil {
		p.CASignatureAlgorithms = h.CASignatureAlgorithms.Apply(openSSHCASignatures)
	}
	return p
}

// algorithms applies Ciphers, MACs and KexAlgorithms. OpenSSH knows more names
// than the ssh package does; those are passed over, but something must remain.
func algorithms(h *sshconfig.Host, config *ssh.Config) error {
	secure, insecure := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	var defaults ssh.Config
	defaults.SetDefaults()
	for _, kind := range []struct {
		keyword                string
		list                   sshconfig.AlgorithmList
		to                     *[]string
		defaults, known, weaks []string
	}{
		{"KexAlgorithms", h.KexAlgorithms, &config.KeyExchanges, defaults.KeyExchanges, secure.KeyExchanges, insecure.KeyExchanges},
		{"Ciphers", h.Ciphers, &config.Ciphers, defaults.Ciphers, secure.Ciphers, insecure.Ciphers},
		{"MACs", h.MACs, &config.MACs, defaults.MACs, secure.MACs, insecure.MACs},
	} {
		*kind.to = supported(kind.list.Apply(kind.defaults), kind.known, kind.weaks, kind.defaults)
		if len(*kind.to) == 0 {
			return &AlgorithmError{Keyword: kind.keyword}
		}
	}
	return nil
}

// supported keeps the names that one of the lists knows.
func supported(names []string, known ...[]string) []string {
	var kept []string
	for _, name := range names {
		if slices.ContainsFunc(known, func(list []string) bool { return slices.Contains(list, name) }) {
			kept = append(kept, name)
		}
	}
	return kept
}
