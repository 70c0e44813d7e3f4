package agentconn

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// protectBlock is CRYPTPROTECTMEMORY_BLOCK_SIZE, in bytes.
const protectBlock = 16

// pageantPipe returns the name of Pageant's pipe for a user, as PuTTY builds
// it (agent_named_pipe_name, capi_obfuscate_string): the word "Pageant",
// padded with zeros, encrypted in place by protect with a key that belongs to
// the user's session, hashed as an SSH string. Nobody else can make that name,
// so nobody else's pipe is mistaken for it.
func pageantPipe(user string, protect func([]byte) error) (string, error) {
	// A principal is user@domain, a logon name DOMAIN\user; PuTTY uses user.
	user, _, _ = strings.Cut(user, "@")
	user = user[strings.LastIndexByte(user, '\\')+1:]
	block := make([]byte, protectBlock)
	copy(block, "Pageant")
	if err := protect(block); err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint32(nil, protectBlock), block...))
	return `\\.\pipe\pageant.` + user + "." + hex.EncodeToString(sum[:]), nil
}
