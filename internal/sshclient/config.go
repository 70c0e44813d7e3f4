package sshclient

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// minRekey is the least number of bytes between changes of keys: more than a
// login takes.
const minRekey = 256 << 10

// clientConfig is what the ssh package needs to know for the connection.
func (c *connection) clientConfig() (*ssh.ClientConfig, error) {
	h := c.o.Host
	config := &ssh.ClientConfig{
		User:           h.User,
		ClientVersion:  strings.TrimSpace("SSH-2.0-ssh-copy-id " + h.VersionAddendum),
		AuthCallback:   c.next,
		BannerCallback: c.banner,
	}
	if err := algorithms(h, &config.Config); err != nil {
		return nil, err
	}
	if h.RekeyLimit > 0 {
		// ssh changes keys only after the login; sshd takes it amiss before.
		config.RekeyThreshold = max(h.RekeyLimit, minRekey)
	}
	check, err := c.hostKeyCheck(config)
	if err != nil {
		return nil, err
	}
	config.HostKeyCallback = func(address string, remote net.Addr, key ssh.PublicKey) error {
		if c.conn.HostKey != nil {
			// A new key exchange on a connection that goes on: the clock of the
			// handshake is not for it, and the host must stay who it is.
			return sameKey(c.conn.HostKey)(address, remote, key)
		}
		if c.conn.hostKeyErr = c.identify(check, address, remote, key); c.conn.hostKeyErr != nil {
			return c.conn.hostKeyErr
		}
		c.conn.HostKey = key
		c.o.warnWeakKex(config.KeyExchanges, c.wire.keyExchanges())
		c.wire.extend(c.wire.limit)
		return nil
	}
	return config, nil
}

// banner shows what the server sends before the login.
func (c *connection) banner(text string) error {
	if c.banners++; c.banners > maxBanners {
		return errTooManyBanners
	}
	if !c.o.NeverAsk || c.o.HostKey == nil { // a second connection need not repeat it
		c.o.notice(text)
	}
	return nil
}

// identify checks the key that the server shows first.
func (c *connection) identify(check ssh.HostKeyCallback, address string, remote net.Addr, key ssh.PublicKey) error {
	h := c.o.Host
	c.wire.stopTimer()
	c.o.debug(1, "server host key: %s %s", key.Type(), ssh.FingerprintSHA256(key))
	if bits, short := rsaTooShort(key, h.RequiredRSASize); short {
		return &ShortKeyError{Host: h.HostName, Bits: bits, Required: h.RequiredRSASize}
	}
	if err := check(address, remote, key); err != nil {
		return err
	}
	if c.o.Identified != nil {
		return c.o.Identified(c.wire.serverVersion())
	}
	return nil
}

// hostKeyCheck sets the host key algorithms and returns the check of the key.
func (c *connection) hostKeyCheck(config *ssh.ClientConfig) (ssh.HostKeyCallback, error) {
	h := c.o.Host
	known := c.o.HostKey
	if known == nil {
		known = c.hostKey
	}
	if known != nil {
		config.HostKeyAlgorithms = keyAlgorithms(known.Type())
		return sameKey(known), nil
	}
	verifier, err := hostkey.New(policy(c.ctx, c.o), h.HostName, h.Port)
	if err != nil {
		return nil, err
	}
	// An unknown host is asked about with the same key ssh would show.
	names := sshconfig.KeyTypes.Names(h.HostKeyAlgorithms)
	wanted := supported("HostKeyAlgorithms", names)
	config.HostKeyAlgorithms = c.pins.left(verifier.Algorithms(wanted))
	if len(config.HostKeyAlgorithms) == 0 {
		return nil, &AlgorithmError{Keyword: "HostKeyAlgorithms", Wanted: names}
	}
	if h.UpdateHostKeys == "yes" {
		c.learner = &learner{o: c.o, verifier: verifier, allowed: wanted}
	}
	c.secretsAllowed = verifier.SecretsAllowed
	return verifier.Callback(), nil
}

// sameKey accepts key and no other.
func sameKey(key ssh.PublicKey) ssh.HostKeyCallback {
	return func(host string, _ net.Addr, offered ssh.PublicKey) error {
		if !sshkey.Equal(offered, key) {
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

		CASignatureAlgorithms: sshconfig.CASignatures.Names(h.CASignatureAlgorithms),
	}
	return p
}

// algorithms applies Ciphers, MACs and KexAlgorithms. OpenSSH knows more names
// than the ssh package does; those are passed over, but something must remain.
func algorithms(h *sshconfig.Host, config *ssh.Config) error {
	for _, kind := range []struct {
		keyword string
		names   []string
		to      *[]string
	}{
		{"KexAlgorithms", sshconfig.KexAlgorithms.Names(h.KexAlgorithms), &config.KeyExchanges},
		{"Ciphers", sshconfig.Ciphers.Names(h.Ciphers), &config.Ciphers},
		{"MACs", sshconfig.MACs.Names(h.MACs), &config.MACs},
	} {
		*kind.to = supported(kind.keyword, kind.names)
		if len(*kind.to) == 0 {
			return &AlgorithmError{Keyword: kind.keyword, Wanted: kind.names}
		}
	}
	return nil
}

// curve25519LibSSH is the older name of curve25519-sha256. The ssh package has
// it, and leaves it out of its lists.
const curve25519LibSSH = "curve25519-sha256@libssh.org"

// Supported returns the algorithms that a keyword of ssh_config can open, those
// included that nobody should use without need.
func Supported(keyword string) []string {
	secure, insecure := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	switch keyword {
	case "KexAlgorithms":
		return slices.Concat(secure.KeyExchanges, []string{curve25519LibSSH}, insecure.KeyExchanges)
	case "Ciphers":
		return slices.Concat(secure.Ciphers, insecure.Ciphers)
	case "MACs":
		return slices.Concat(secure.MACs, insecure.MACs)
	case "HostKeyAlgorithms":
		return slices.Concat(secure.HostKeys, insecure.HostKeys)
	}
	return nil
}

// supported returns the names that the ssh package implements.
func supported(keyword string, names []string) []string {
	implemented := Supported(keyword)
	var kept []string
	for _, name := range names {
		if slices.Contains(implemented, name) {
			kept = append(kept, name)
		}
	}
	return kept
}
