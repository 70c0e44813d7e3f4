package sshclient

import (
	"errors"
	"net"
	"time"
)

// masterLimit bounds the look at the socket of a connection that ssh shares.
const masterLimit = time.Second

// tellNotShared reports, once, a connection that ssh would share: where one
// listens on ControlPath, ssh would neither ask for a secret nor be refused.
func (a *authenticator) tellNotShared() {
	o := a.o
	if a.sharedTold || o.NotShared == nil || o.NeverAsk || o.Host.ControlPath == "" {
		return
	}
	a.sharedTold = true
	master, err := net.DialTimeout("unix", o.Host.ControlPath, masterLimit)
	if err != nil {
		return
	}
	master.Close()
	o.NotShared(o.Host.ControlPath)
}

// failed is the error of Connect. A refused login is one that ssh may not have
// needed; a jump host's own connection has spoken for itself.
func (a *authenticator) failed(err error) error {
	var hop *HopError
	var auth *AuthError
	if errors.As(err, &auth) && !errors.As(err, &hop) {
		a.tellNotShared()
	}
	return a.pinError(err)
}
