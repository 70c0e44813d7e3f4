package sshtest

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Message numbers of the transport (RFC 4250, section 4.1.2, and RFC 8731).
const (
	msgDisconnect = 1
	msgIgnore     = 2
	msgDebug      = 4
	msgExtInfo    = 7
	msgKexInit    = 20
	msgNewKeys    = 21
	msgECDHInit   = 30
)

// What a Raw server offers; each is all there is of its kind. An AEAD cipher
// needs no MAC (RFC 5647, section 5.1), and its length field is not encrypted,
// so that WriteRaw can put a false one on the wire.
const (
	rawVersion = "SSH-2.0-sshtest_raw"
	rawKex     = "curve25519-sha256"
	rawCipher  = "aes128-gcm@openssh.com"
	rawMAC     = "hmac-sha2-256"
)

const (
	maxRawPacket = 256 << 10 // PACKET_MAX_SIZE of OpenSSH's packet.c
	rawPadding   = 16        // packets are filled up to this: the block of AES
)

// kexInit is SSH_MSG_KEXINIT (RFC 4253, section 7.1).
type kexInit struct {
	Cookie                          [16]byte `sshtype:"20"`
	Kex, HostKeys                   []string
	CiphersIn, CiphersOut           []string
	MACsIn, MACsOut                 []string
	CompressionsIn, CompressionsOut []string
	LanguagesIn, LanguagesOut       []string
	FirstKexFollows                 bool
	Reserved                        uint32
}

// rawProposal is what a Raw server offers.
func rawProposal() kexInit {
	mine := kexInit{
		Kex: []string{rawKex}, HostKeys: []string{ssh.KeyAlgoED25519},
		CiphersIn: []string{rawCipher}, CiphersOut: []string{rawCipher},
		MACsIn: []string{rawMAC}, MACsOut: []string{rawMAC},
		CompressionsIn: []string{"none"}, CompressionsOut: []string{"none"},
	}
	rand.Read(mine.Cookie[:])
	return mine
}

// ecdhInit and ecdhReply are the messages of RFC 5656, section 4, which RFC
// 8731 takes over.
type ecdhInit struct {
	Public []byte `sshtype:"30"`
}

type ecdhReply struct {
	HostKey   []byte `sshtype:"31"`
	Public    []byte
	Signature []byte
}

// seal protects one direction of a connection as RFC 5647 says.
type seal struct {
	aead  cipher.AEAD
	nonce []byte
}

func newSeal(key, iv []byte) (*seal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &seal{aead, iv}, err
}

// next counts the packet: the last eight bytes of the nonce are a number.
func (s *seal) next() {
	counter := s.nonce[4:12]
	binary.BigEndian.PutUint64(counter, binary.BigEndian.Uint64(counter)+1)
}

// handshake is the server's side of the version and the key exchange. Strict
// key exchange holds only where both sides announce it (OpenSSH's PROTOCOL,
// section 1.10), which this side never does.
func (c *RawConn) handshake(key ed25519.PrivateKey) error {
	if _, err := io.WriteString(c.conn, rawVersion+"\r\n"); err != nil {
		return err
	}
	clientVersion, err := readLine(c.r)
	if err != nil {
		return err
	}
	mine := rawProposal()
	serverInit := ssh.Marshal(&mine)
	if err := c.WritePacket(serverInit); err != nil {
		return err
	}
	clientInit, err := c.expect(msgKexInit)
	if err != nil {
		return err
	}
	var theirs kexInit
	if err := ssh.Unmarshal(clientInit, &theirs); err != nil {
		return err
	}
	if !slices.Contains(theirs.Kex, rawKex) || !slices.Contains(theirs.CiphersIn, rawCipher) ||
		!slices.Contains(theirs.HostKeys, ssh.KeyAlgoED25519) || theirs.FirstKexFollows {
		return fmt.Errorf("client offers %+v", theirs)
	}
	return c.exchangeKeys(key, []byte(clientVersion), clientInit, serverInit)
}

// exchangeKeys is curve25519-sha256 (RFC 8731), and what RFC 4253, section 7.2,
// makes of its result.
func (c *RawConn) exchangeKeys(key ed25519.PrivateKey, clientVersion, clientInit, serverInit []byte) error {
	packet, err := c.expect(msgECDHInit)
	if err != nil {
		return err
	}
	var init ecdhInit
	if err := ssh.Unmarshal(packet, &init); err != nil {
		return err
	}
	public, err := ecdh.X25519().NewPublicKey(init.Public)
	if err != nil {
		return err
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	shared, err := ephemeral.ECDH(public)
	if err != nil {
		return err
	}
	secret := struct{ K *big.Int }{new(big.Int).SetBytes(shared)}
	reply := ecdhReply{HostKey: ed25519Blob(key), Public: ephemeral.PublicKey().Bytes()}
	digest := sha256.New()
	digest.Write(ssh.Marshal(struct {
		ClientVersion, ServerVersion, ClientInit, ServerInit, HostKey, ClientPublic, ServerPublic []byte
	}{clientVersion, []byte(rawVersion), clientInit, serverInit, reply.HostKey, init.Public, reply.Public}))
	digest.Write(ssh.Marshal(secret))
	session := digest.Sum(nil)
	reply.Signature = ssh.Marshal(struct {
		Format string
		Blob   []byte
	}{ssh.KeyAlgoED25519, ed25519.Sign(key, session)})
	if err := c.WritePacket(ssh.Marshal(&reply)); err != nil {
		return err
	}
	if err := c.WritePacket([]byte{msgNewKeys}); err != nil {
		return err
	}
	if _, err := c.expect(msgNewKeys); err != nil {
		return err
	}
	derive := func(letter string, size int) []byte {
		sum := sha256.Sum256(slices.Concat(ssh.Marshal(secret), session, []byte(letter), session))
		return sum[:size]
	}
	if c.in, err = newSeal(derive("C", 16), derive("A", 12)); err != nil {
		return err
	}
	c.out, err = newSeal(derive("D", 16), derive("B", 12))
	return err
}

// ed25519Blob is the public key in the form of RFC 8709, section 4.
func ed25519Blob(key ed25519.PrivateKey) []byte {
	return ssh.Marshal(struct {
		Format string
		Public []byte
	}{ssh.KeyAlgoED25519, key.Public().(ed25519.PublicKey)})
}

// ReadPacket gives the payload of the next packet. It passes over
// SSH_MSG_IGNORE, SSH_MSG_DEBUG and SSH_MSG_EXT_INFO, and ends with io.EOF
// where the client disconnects.
func (c *RawConn) ReadPacket() ([]byte, error) {
	for {
		payload, err := c.readPacket()
		if err != nil {
			return nil, err
		}
		switch payload[0] {
		case msgIgnore, msgDebug, msgExtInfo:
		case msgDisconnect:
			return nil, io.EOF
		default:
			return payload, nil
		}
	}
}

// readPacket undoes WritePacket.
func (c *RawConn) readPacket() ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(c.r, prefix[:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(prefix[:]))
	if length < 6 || length > maxRawPacket {
		return nil, fmt.Errorf("packet of %d bytes", length)
	}
	if c.in != nil {
		length += c.in.aead.Overhead()
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return nil, err
	}
	if c.in != nil {
		var err error
		if body, err = c.in.aead.Open(body[:0], c.in.nonce, body, prefix[:]); err != nil {
			return nil, err
		}
		c.in.next()
	}
	end := len(body) - int(body[0])
	if end < 2 {
		return nil, errors.New("packet without payload")
	}
	return body[1:end], nil
}

// WritePacket sends a packet in the form of RFC 4253, section 6, encrypted from
// the key exchange on. The payload may be anything that ends up below 4 GiB.
func (c *RawConn) WritePacket(payload []byte) error {
	// Without encryption the length counts as part of what is filled up.
	unpadded := 1 + len(payload)
	if c.out == nil {
		unpadded += 4
	}
	padding := rawPadding - unpadded%rawPadding
	if padding < 4 {
		padding += rawPadding
	}
	prefix := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))
	body := slices.Concat([]byte{byte(padding)}, payload, make([]byte, padding))
	if c.out != nil {
		body = c.out.aead.Seal(nil, c.out.nonce, body, prefix)
		c.out.next()
	}
	return c.WriteRaw(slices.Concat(prefix, body))
}

// WriteRaw puts bytes on the TCP connection as they are. After the key exchange
// the first four of them are the length of a packet, which is not encrypted.
func (c *RawConn) WriteRaw(b []byte) error {
	_, err := c.conn.Write(b)
	return err
}

// expect reads a packet that must be of one type.
func (c *RawConn) expect(kind byte) ([]byte, error) {
	payload, err := c.ReadPacket()
	if err == nil && payload[0] != kind {
		err = fmt.Errorf("message %d where %d was due", payload[0], kind)
	}
	return payload, err
}

// readLine reads the client's identification (RFC 4253, section 4.2).
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n') // at most the reader's buffer
	return strings.TrimRight(string(line), "\r\n"), err
}
