package authkeys_test

import (
	"errors"
	"fmt"

	"ssh-copy-id/authkeys"
)

const (
	laptop = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKKp1/0HF6HlPhQy9jyfc14k+DHAwIKEyq220j2iWozp"
	backup = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIYm3b8nkFOVNOMhT8jppRnwWHC5B5B7SCGx9OWnRRfc"
)

func ExampleParseEntry() {
	entry, err := authkeys.ParseEntry(`from="10.0.0.0/8,*.example.org",no-pty ` + laptop + " alice@laptop")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, option := range entry.Options {
		fmt.Println(option)
	}
	fmt.Println(entry.Key.Type(), entry.Comment)
	// Output:
	// from="10.0.0.0/8,*.example.org"
	// no-pty
	// ssh-ed25519 alice@laptop
}

func ExampleParseError() {
	_, err := authkeys.ParseEntry("-----BEGIN OPENSSH PRIVATE KEY-----")
	var failed *authkeys.ParseError
	if errors.As(err, &failed) && failed.Reason == authkeys.PrivateKey {
		fmt.Println("this must not leave the machine:", err)
	}
	// Output: this must not leave the machine: a private key
}

func ExampleFile_Append() {
	// The last newline is missing, and one of the keys is there already.
	file := authkeys.Parse([]byte("# the backup job\nrestrict " + backup))

	var wanted []authkeys.Entry
	for _, line := range []string{backup + " root@backup", laptop + " alice@laptop"} {
		entry, err := authkeys.ParseEntry(line)
		if err != nil {
			fmt.Println(err)
			return
		}
		wanted = append(wanted, entry)
	}
	for _, entry := range file.Append(wanted...) {
		fmt.Println("added:", entry.Comment)
	}
	fmt.Printf("%s", file.Bytes())
	// Output:
	// added: alice@laptop
	// # the backup job
	// restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIYm3b8nkFOVNOMhT8jppRnwWHC5B5B7SCGx9OWnRRfc
	// ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKKp1/0HF6HlPhQy9jyfc14k+DHAwIKEyq220j2iWozp alice@laptop
}

func ExampleFile_Find() {
	file := authkeys.Parse([]byte("# keys of alice\n\nrestrict,pty " + laptop + " alice@laptop\n"))
	entry, err := authkeys.ParseEntry(laptop)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range file.Find(entry.Key) {
		fmt.Println("line", line.Number, "with the options", line.Entry.Options)
	}
	// Output: line 3 with the options [restrict pty]
}

func ExampleFile_Lines() {
	file := authkeys.Parse([]byte(laptop + "\nThe agent has no identities.\n"))
	for line := range file.Lines() {
		if line.Err != nil {
			fmt.Printf("line %d: %v\n", line.Number, line.Err)
		}
	}
	// Output: line 2: not a public key
}
