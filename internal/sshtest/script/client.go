package script

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest"
)

// flags reads the options of a command of ours.
func flags(ts *testscript.TestScript, name string, args []string, define func(*flag.FlagSet)) []string {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	define(f)
	if err := f.Parse(args); err != nil {
		ts.Fatalf("%s: %v", name, err)
	}
	return f.Args()
}

func cmdGenkey(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "genkey")
	var kind, passphrase, comment string
	args = flags(ts, "genkey", args, func(f *flag.FlagSet) {
		f.StringVar(&kind, "t", "ed25519", "")
		f.StringVar(&passphrase, "N", "", "")
		f.StringVar(&comment, "C", "alice@client", "")
	})
	if len(args) != 1 {
		ts.Fatalf("usage: genkey [-t TYPE] [-N PASSPHRASE] [-C COMMENT] FILE")
	}
	file := ts.MkAbs(args[0])
	switch kind {
	case "dsa", "ed25519-sk", "ecdsa-sk", "mldsa44-ed25519":
		key, err := publicOnly(kind)
		ts.Check(err)
		line := fmt.Sprintf("%s %s %s\n", typeInside(key), base64.StdEncoding.EncodeToString(key), comment)
		ts.Check(os.WriteFile(file+".pub", []byte(line), 0o644))
	default:
		key, err := sshtest.GenerateKey(kind)
		ts.Check(err)
		ts.Check(sshtest.WriteKey(file, key, comment, passphrase))
	}
}

// publicOnly makes public keys of the types whose private half this process
// cannot have, or is no longer written by anything.
func publicOnly(kind string) ([]byte, error) {
	if kind == "mldsa44-ed25519" { // of OpenSSH 10.6
		return ssh.Marshal(struct{ Type, Key string }{"ssh-" + kind, rand.Text() + strings.Repeat("k", 1344-len(rand.Text()))}), nil
	}
	if kind == "dsa" { // numbers of the right size; nobody will sign with them
		n := func(bits int) *big.Int {
			b := make([]byte, bits/8)
			rand.Read(b)
			b[0] |= 0x80
			b[len(b)-1] |= 1
			return new(big.Int).SetBytes(b)
		}
		p := n(1024)
		less := func() *big.Int { return new(big.Int).Rsh(n(1024), 1) }
		return ssh.Marshal(struct {
			Type       string
			P, Q, G, Y *big.Int
		}{"ssh-dss", p, n(160), less(), less()}), nil
	}
	inner, err := sshtest.GenerateHostKeys(strings.TrimSuffix(kind, "-sk"))
	if err != nil {
		return nil, err
	}
	// PROTOCOL.u2f: the plain key's fields, then the application.
	blob := inner[0].PublicKey().Marshal()
	var plain struct {
		Type string
		Rest []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(blob, &plain); err != nil {
		return nil, err
	}
	plain.Type = "sk-" + plain.Type + "@openssh.com"
	plain.Rest = append(plain.Rest, ssh.Marshal(struct{ Application string }{"ssh:"})...)
	return ssh.Marshal(plain), nil
}

// typeInside is the first string of a key, its type.
func typeInside(key []byte) string {
	var head struct {
		Type string
		Rest []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(key, &head); err != nil {
		panic(err) // it was made here
	}
	return head.Type
}

func cmdGencert(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "gencert")
	var principals string
	args = flags(ts, "gencert", args, func(f *flag.FlagSet) { f.StringVar(&principals, "n", "alice", "") })
	if len(args) != 2 {
		ts.Fatalf("usage: gencert [-n PRINCIPALS] CA FILE")
	}
	ca, err := ssh.ParsePrivateKey([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(ts.ReadFile(args[1] + ".pub")))
	ts.Check(err)
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.UserCert, KeyId: comment,
		ValidPrincipals: strings.Split(principals, ","), ValidBefore: ssh.CertTimeInfinity,
	}
	ts.Check(cert.SignCert(rand.Reader, ca))
	ts.Check(os.WriteFile(ts.MkAbs(args[1])+"-cert.pub", []byte(sshtest.PublicLine(cert, comment)), 0o644))
}

func cmdWrite(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "write")
	if len(args) < 2 {
		ts.Fatalf("usage: write FILE PART...")
	}
	var text strings.Builder
	for _, part := range args[1:] {
		if file, ok := strings.CutPrefix(part, "@"); ok {
			text.WriteString(strings.TrimSuffix(ts.ReadFile(file), "\n"))
			continue
		}
		plain, err := strconv.Unquote(`"` + strings.ReplaceAll(part, `"`, `\"`) + `"`)
		ts.Check(err)
		text.WriteString(plain)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.String()), 0o600))
}

func cmdUTF16(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "utf16")
	orders := map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian}
	if len(args) != 3 || orders[args[0]] == nil {
		ts.Fatalf("usage: utf16 little|big FROM FILE")
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + ts.ReadFile(args[1]))) {
		out = orders[args[0]].AppendUint16(out, unit)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out, 0o600))
}

func cmdAgent(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "ssh-agent")
	var dead bool
	var passphrase string
	args = flags(ts, "ssh-agent", args, func(f *flag.FlagSet) {
		f.BoolVar(&dead, "dead", false, "")
		f.StringVar(&passphrase, "N", "", "")
	})
	w := worldOf(ts)
	if w.agent != nil {
		w.agent.Close()
		w.agent = nil
	}
	if dead {
		socket, remove, err := sshtest.DeadSocket()
		ts.Check(err)
		ts.Defer(remove)
		ts.Setenv("SSH_AUTH_SOCK", socket)
		return
	}
	a, err := sshtest.StartAgent()
	ts.Check(err)
	w.agent = a
	for _, file := range args {
		ts.Check(a.AddFile(ts.MkAbs(file), passphrase))
	}
	ts.Setenv("SSH_AUTH_SOCK", a.Socket())
}

func cmdSigned(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "agent-signed")
	a := worldOf(ts).agent
	if a == nil || len(args) != 1 {
		ts.Fatalf("usage: agent-signed N, after ssh-agent")
	}
	compare(ts, "signatures of the agent", a.Signatures(), args[0])
}

const (
	askpassProgram = "sshtest-askpass"
	askpassEnv     = "SSHTEST_ASKPASS" // the file with the answers
)

func cmdAskpass(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "askpass")
	if len(args) != 1 {
		ts.Fatalf("usage: askpass FILE")
	}
	program, err := exec.LookPath(askpassProgram)
	ts.Check(err)
	ts.Setenv("SSH_ASKPASS", program)
	ts.Setenv(askpassEnv, ts.MkAbs(args[0]))
}

// runAskpass is the askpass program: it takes the first line off the file.
func runAskpass() {
	file := os.Getenv(askpassEnv)
	answer, err := nextAnswer(file)
	prompt := strings.Join(os.Args[1:], " ")
	if hint := os.Getenv("SSH_ASKPASS_PROMPT"); hint != "" {
		prompt = hint + ": " + prompt
	}
	if aerr := appendFile(file+".asked", prompt+"\n"); err == nil {
		err = aerr
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer)
}

func nextAnswer(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	r := bufio.NewReader(strings.NewReader(string(data)))
	line, err := r.ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		return "", errors.New("no answer left")
	}
	rest, _ := io.ReadAll(r)
	return strings.TrimRight(line, "\r\n"), os.WriteFile(file, rest, 0o600)
}
