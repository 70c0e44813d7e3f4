//go:build unix

package sshtest

import "net"

func dialAgent(socket string) (net.Conn, error) { return net.Dial("unix", socket) }
