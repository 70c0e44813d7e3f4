package sshclient

import (
	"time"

	"golang.org/x/crypto/ssh"
)

// keepAlive asks a silent server for a sign of life, and ends the connection
// when too many questions in a row stay without one (ServerAliveInterval and
// ServerAliveCountMax; server_alive_check in clientloop.c). Whatever arrives is
// a sign of life.
func keepAlive(o *Options, client *ssh.Client, w *wire, done <-chan struct{}) {
	tick := time.NewTicker(o.Host.ServerAliveInterval)
	defer tick.Stop()
	answered := make(chan struct{}, 1)
	answered <- struct{}{}
	unanswered, heard := 0, w.received()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if now := w.received(); now != heard {
			unanswered, heard = 0, now
			continue
		}
		if unanswered >= o.Host.ServerAliveCountMax {
			o.alert("Timeout, server " + o.Host.HostName + " not responding.")
			client.Close()
			return
		}
		unanswered++
		select {
		case <-answered:
			go func() {
				// Yes and no are both signs of life; so is the connection's end.
				client.SendRequest("keepalive@openssh.com", true, nil)
				answered <- struct{}{}
			}()
		default: // the last question is still on its way
		}
	}
}

// debugUnused names the settings that change nothing here, for -v.
func (o *Options) debugUnused() {
	h := o.Host
	if h.Compression {
		o.debug(1, "Compression is not supported: going on without")
	}
	if h.RekeyInterval > 0 {
		o.debug(1, "RekeyLimit: keys are changed after an amount of data, not after a time")
	}
	if h.PKCS11Provider != "" {
		o.debug(1, "PKCS11Provider is not supported: load the token into an agent")
	}
	if h.UpdateHostKeys == "ask" {
		o.debug(1, "UpdateHostKeys ask is not supported: host keys are not updated")
	}
	if h.VerifyHostKeyDNS != "no" {
		o.debug(1, "VerifyHostKeyDNS is not supported: known_hosts decides")
	}
}
