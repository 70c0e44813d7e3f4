package sshclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ssh-copy-id/internal/sshconfig"
)

// carrier is what an SSH connection runs over.
type carrier struct {
	conn net.Conn
	// remote is the peer's address; nil where a ProxyCommand or a jump host is
	// between.
	remote net.Addr
	// redial makes another connection by the same route; nil where that takes
	// another ProxyCommand.
	redial func(ctx context.Context, network, address string) (net.Conn, error)
	// closeHops closes the jump hosts between; nil where there are none.
	closeHops func() error
	// blame turns the error of a connection into that of what carried it; nil
	// where there is nothing to say.
	blame func(h *sshconfig.Host, err error) error
}

// dial makes a connection: another one over the same jump hosts, where there
// are some, and else a new one from scratch.
func (route *carrier) dial(ctx context.Context, o *Options) (*carrier, error) {
	if route.closeHops == nil {
		return dial(ctx, o)
	}
	conn, err := route.redial(ctx, "", "")
	if err != nil {
		return nil, &DialError{Host: o.Host.HostName, Port: o.Host.Port, Err: err}
	}
	return &carrier{conn: conn, redial: route.redial, closeHops: route.closeHops}, nil
}

func portText(port int) string { return strconv.Itoa(port) }

// dial reaches the host as its configuration says: through a jump host, a
// ProxyCommand, or TCP.
func dial(ctx context.Context, o *Options) (*carrier, error) {
	h := o.Host
	switch {
	case o.Dial != nil:
		conn, err := o.Dial(ctx, network(h), net.JoinHostPort(h.HostName, portText(h.Port)))
		if err != nil {
			return nil, &DialError{Host: h.HostName, Port: h.Port, Err: err}
		}
		return &carrier{conn: conn, remote: conn.RemoteAddr(), redial: o.Dial}, nil
	case h.ProxyJump != "":
		return dialJump(ctx, o)
	case h.ProxyCommand != "":
		return dialCommand(o)
	}
	return dialTCP(ctx, o)
}

// network is the address family of AddressFamily.
func network(h *sshconfig.Host) string {
	switch h.AddressFamily {
	case "inet":
		return "tcp4"
	case "inet6":
		return "tcp6"
	}
	return "tcp"
}

// dialTCP tries the addresses of the host in order, ConnectionAttempts times
// with a second between the rounds, as ssh_connect_direct does. ConnectTimeout
// bounds each address.
func dialTCP(ctx context.Context, o *Options) (*carrier, error) {
	h := o.Host
	addresses, err := lookup(ctx, h)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: h.ConnectTimeout, KeepAlive: -1}
	if h.TCPKeepAlive {
		dialer.KeepAlive = 0
	}
	var last error
	for round := range max(h.ConnectionAttempts, 1) {
		if round > 0 && !pause(ctx, time.Second) {
			break
		}
		for _, address := range addresses {
			o.debug(1, "connecting to %s [%s] port %d", h.HostName, address, h.Port)
			conn, err := dialAddress(ctx, h, dialer, address)
			if err == nil {
				return &carrier{
					conn: conn, remote: conn.RemoteAddr(),
					redial: func(ctx context.Context, _, _ string) (net.Conn, error) {
						return dialAddress(ctx, h, dialer, address)
					},
				}, nil
			}
			last = err
			if ctx.Err() != nil {
				break
			}
			o.debug(1, "connect to address %s port %d: %s", address, h.Port, systemText(err))
		}
	}
	return nil, &DialError{Host: h.HostName, Port: h.Port, Err: last}
}

// dialAddress connects to one address of the host, from where BindAddress or
// BindInterface want.
func dialAddress(ctx context.Context, h *sshconfig.Host, dialer net.Dialer, address string) (net.Conn, error) {
	family := "tcp6"
	if ip, err := netip.ParseAddr(address); err == nil && ip.Unmap().Is4() {
		family = "tcp4"
	}
	var err error
	if dialer.LocalAddr, err = localAddress(h, family); err != nil {
		return nil, err
	}
	return dialer.DialContext(ctx, family, net.JoinHostPort(address, portText(h.Port)))
}

// closeOnce closes conn and does not mind if it is closed already.
func closeOnce(conn net.Conn) func() error {
	return func() error {
		if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	}
}

// pause waits d; false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// lookup returns the addresses of the host in the resolver's order.
func lookup(ctx context.Context, h *sshconfig.Host) ([]string, error) {
	found, err := net.DefaultResolver.LookupIPAddr(ctx, h.HostName)
	if err != nil {
		return nil, &DialError{Host: h.HostName, Port: h.Port, Resolving: true, Err: err}
	}
	var addresses []string
	for _, a := range found {
		is4 := a.IP.To4() != nil
		if h.AddressFamily == "inet" && !is4 || h.AddressFamily == "inet6" && is4 {
			continue
		}
		addresses = append(addresses, a.String())
	}
	if len(addresses) == 0 {
		//lint:ignore ST1005 getaddrinfo's own words
		err := errors.New("Address family for hostname not supported")
		return nil, &DialError{Host: h.HostName, Port: h.Port, Resolving: true, Err: err}
	}
	return addresses, nil
}

// localAddress is where BindAddress or BindInterface want a connection of a
// family to come from; nil for anywhere.
func localAddress(h *sshconfig.Host, family string) (net.Addr, error) {
	switch {
	case h.BindAddress != "":
		address, err := net.ResolveTCPAddr(family, net.JoinHostPort(h.BindAddress, "0"))
		if err != nil {
			return nil, errors.New("BindAddress " + h.BindAddress + ": Name or service not known")
		}
		return address, nil
	case h.BindInterface != "":
		return interfaceAddress(h.BindInterface, family)
	}
	return nil, nil
}

// interfaceAddress picks an address of an interface in the family, and no
// link-local one (check_ifaddrs in sshconnect.c).
func interfaceAddress(name, family string) (net.Addr, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, errors.New("no network interface " + name)
	}
	addresses, err := device.Addrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		ip, ok := a.(*net.IPNet)
		if ok && (ip.IP.To4() != nil) == (family == "tcp4") && !ip.IP.IsLinkLocalUnicast() {
			return &net.TCPAddr{IP: ip.IP}, nil
		}
	}
	return nil, errors.New("interface " + name + " has no address of the family")
}

// systemText is an operating system error in the words of strerror(3), without
// the addresses that the net package writes before it.
func systemText(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		text := number.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}
