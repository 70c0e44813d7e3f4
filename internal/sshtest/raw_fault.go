package sshtest

import (
	"bufio"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net"

	"golang.org/x/crypto/ssh"
)

// rawFaultTalk is the talk of the faults that come to a key exchange; nil for
// others.
func rawFaultTalk(kind string) func(net.Conn) {
	switch kind {
	case "large-exponent":
		return func(c net.Conn) {
			conn := &RawConn{conn: c, r: bufio.NewReader(c)}
			if conn.propose([]string{rawKex}, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}) == nil {
				conn.showHostKey(rsaBlob(new(big.Int).SetUint64(1<<32 + 1)))
			}
		}
	case "long-offer":
		return func(c net.Conn) {
			var names []string
			for i := range 1000 {
				names = append(names, fmt.Sprintf("key-exchange-of-some-other-day-%03d", i))
			}
			conn := &RawConn{conn: c, r: bufio.NewReader(c)}
			if conn.propose(names, []string{ssh.KeyAlgoED25519}) == nil {
				io.Copy(io.Discard, c)
			}
		}
	}
	return nil
}

// propose exchanges versions and proposals.
func (c *RawConn) propose(kex, hostKeys []string) error {
	if _, err := io.WriteString(c.conn, rawVersion+"\r\n"); err != nil {
		return err
	}
	if _, err := readLine(c.r); err != nil {
		return err
	}
	proposal := rawProposal()
	proposal.Kex, proposal.HostKeys = kex, hostKeys
	if err := c.WritePacket(ssh.Marshal(&proposal)); err != nil {
		return err
	}
	_, err := c.expect(msgKexInit)
	return err
}

// showHostKey answers the key exchange with a host key, and with a signature
// that is none: what it is for fails before that is looked at.
func (c *RawConn) showHostKey(blob []byte) error {
	if _, err := c.expect(msgECDHInit); err != nil {
		return err
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if err := c.WritePacket(ssh.Marshal(&ecdhReply{HostKey: blob, Public: ephemeral.PublicKey().Bytes(), Signature: blob})); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c.conn)
	return err
}

// rsaBlob is a public RSA key of 2048 bits in the form of RFC 4253, section 6.6,
// with this exponent.
func rsaBlob(exponent *big.Int) []byte {
	modulus := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	return ssh.Marshal(struct {
		Format string
		E, N   *big.Int
	}{ssh.KeyAlgoRSA, exponent, modulus})
}
