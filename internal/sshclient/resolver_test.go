package sshclient_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
)

// resolve makes name resolve to IPv4 addresses, in their order, until the test
// ends: the resolver asks a name server that is a function here (RFC 1035
// section 4.1). No such test may run in parallel with another.
func resolve(t *testing.T, name string, addresses ...net.IP) {
	t.Helper()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerName(server, addresses)
		return client, nil
	}}
}

// answerName answers questions over a stream: each with two bytes of length
// before it (RFC 1035 section 4.2.2). Only addresses of type A exist.
func answerName(c net.Conn, addresses []net.IP) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := c.Read(size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		for n := 0; n < len(query); {
			m, err := c.Read(query[n:])
			if err != nil {
				return
			}
			n += m
		}
		end := 12
		for query[end] != 0 {
			end += int(query[end]) + 1
		}
		question := query[12 : end+5]
		const typeA = 1
		found := addresses
		if binary.BigEndian.Uint16(question[len(question)-4:]) != typeA {
			found = nil
		}
		answer := append([]byte{}, query[:2]...)
		answer = append(answer, 0x85, 0x80, 0, 1, 0, byte(len(found)), 0, 0, 0, 0)
		answer = append(answer, question...)
		for _, address := range found {
			answer = append(answer, 0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4)
			answer = append(answer, address.To4()...)
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}
