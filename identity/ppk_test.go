package identity

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

// TestReadPPK reads what PuTTYgen wrote; want is what puttygen -L says of it.
func TestReadPPK(t *testing.T) {
	line := func(name string) string { return strings.TrimRight(putty(t, name+".pub"), " \n") }
	tests := []struct{ file, want string }{
		{"rsa-v2.ppk", line("rsa")},
		{"rsa-v2-encrypted.ppk", line("rsa")},
		{"rsa-v3-encrypted.ppk", line("rsa")},
		{"ed25519-v2.ppk", line("ed25519")}, // the comment has blanks and is not ASCII
		{"ed25519-v3.ppk", line("ed25519")},
		{"ed25519-v3-argon2i.ppk", line("ed25519")},
		{"ed25519-v3-argon2d.ppk", line("ed25519")},
		{"ecdsa256-v3.ppk", line("ecdsa256")},
		{"ecdsa521-v2.ppk", line("ecdsa521")}, // no comment
		{"dsa-v2.ppk", line("dsa")},
		{"latin1-v2.ppk", keyOf(line("ed25519")) + " J\xfcrgen"},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			ways := written(putty(t, test.file), FormatPPK)
			if test.file == "latin1-v2.ppk" {
				ways = map[string]string{"as it is": putty(t, test.file)}
			}
			for how, content := range ways {
				path := writeFile(t, filepath.Join(t.TempDir(), "key.ppk"), content)
				ids, err := ReadPublicHalf(path)
				if err != nil || len(ids) != 1 || ids[0].Entry.Line() != test.want {
					t.Errorf("%s: %v, %v; want %q", how, ids, err, test.want)
					continue
				}
				if want := (Origin{Source: File, Path: path, Format: FormatPPK, UTF16: strings.HasPrefix(how, "UTF-16")}); ids[0].Origin != want {
					t.Errorf("%s: origin %+v", how, ids[0].Origin)
				}
				if _, err := ReadFile(path); !errors.Is(err, ErrPrivateKey) {
					t.Errorf("%s: in the place of a public key: %v", how, err)
				}
			}
		})
	}
}

func TestReadPPKRefuses(t *testing.T) {
	good, encrypted := putty(t, "ed25519-v3.ppk"), putty(t, "ed25519-v3-argon2i.ppk")
	rsa, cert := putty(t, "rsa-v2.ppk"), published(t, "ed25519-cert")
	with := func(content, old, new string) string {
		if !strings.Contains(content, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(content, old, new, 1)
	}
	tests := []struct {
		name, content string
		err           error
	}{
		{"only the first line", "PuTTY-User-Key-File-3: ssh-ed25519\n", ErrPPK},
		{"less than that", "PuTTY-User-Key-File-", ErrPPK},
		{"version 1", with(rsa, "File-2", "File-1"), ErrPPKVersion},
		{"version 4", with(good, "File-3", "File-4"), ErrPPKVersion},
		{"version 2 in the place of 3", with(good, "File-3", "File-2"), ErrPPK},
		{"another cipher", with(good, "none", "aes128-ctr"), ErrPPK},
		{"another comment", with(good, "work", "home"), ErrPPKMAC},
		{"another type", with(good, "ssh-ed25519", "ssh-rsa"), ErrPPKMAC},
		{"another type under a passphrase", with(encrypted, "ssh-ed25519", "ssh-rsa"), ErrPPK},
		{"a signature's name for the type", with(putty(t, "rsa-v3-encrypted.ppk"), "ssh-rsa", "rsa-sha2-256"), ErrPPK},
		{"options in the place of the type", with(encrypted, "ssh-ed25519", "restrict ssh-ed25519"), ErrPPK},
		{"another key under a passphrase", with(encrypted, "AAAAC3", "AAAAD3"), ErrPPK},
		{"the key cut short", with(rsa, "Public-Lines: 6", "Public-Lines: 5"), ErrPPK},
		{"more lines than there are", with(good, "Private-Lines: 1", "Private-Lines: 9"), ErrPPK},
		{"a great many lines", with(good, "Private-Lines: 1", "Private-Lines: 2147483647"), ErrPPK},
		{"a number that is none", with(good, "Private-Lines: 1", "Private-Lines: -1"), ErrPPK},
		{"no MAC", good[:strings.Index(good, "Private-MAC")], ErrPPK},
		{"half a MAC", good[:len(good)-20], ErrPPK},
		{"the hash of version 1", with(good, "Private-MAC", "Private-Hash"), ErrPPK},
		{"text behind it", good + "x", ErrPPK},
		{"a line too many", with(good, "Private-Lines", "x: y\nPrivate-Lines"), ErrPPK},
		{"half a block", with(encrypted, "Private-Lines: 1\n", "Private-Lines: 1\nAAAA"), ErrPPK},
		{"an unknown derivation", with(encrypted, "Argon2i", "scrypt"), ErrPPK},
		{"no salt", with(encrypted, "Argon2-Salt", "Salt"), ErrPPK},
		{"a salt that is not in hexadecimal", with(encrypted, "Salt: ", "Salt: x"), ErrPPK},
		{"a certificate", with(with(encrypted, "ssh-ed25519", strings.Fields(cert)[0]),
			encrypted[strings.Index(encrypted, "Public-Lines"):strings.Index(encrypted, "Key-Derivation")], "Public-Lines: 1\n"+strings.Fields(cert)[1]+"\n"), ErrCertificate},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "key.ppk"), test.content)
			ids, err := ReadPublicHalf(path)
			var file *FileError
			if ids != nil || !errors.Is(err, test.err) || !errors.As(err, &file) || err.Error() != path+": "+test.err.Error() {
				t.Errorf("got %v, %v; want %v", ids, err, test.err)
			}
		})
	}
	path := writeFile(t, filepath.Join(t.TempDir(), "key.ppk"), putty(t, "ed448-v3.ppk"))
	if ids, err := ReadPublicHalf(path); err != nil || ids[0].Entry.Key.Type() != "ssh-ed448" || !authkeys.Opaque(ids[0].Entry.Key) {
		t.Errorf("a type that is not understood: %v, %v", ids, err)
	}
}

// Whatever byte of an unencrypted file is changed, no other key and no other
// comment comes out; nor where a byte is missing.
func TestPPKMAC(t *testing.T) {
	for _, name := range []string{"ed25519-v2.ppk", "ed25519-v3.ppk", "ecdsa256-v3.ppk"} {
		content := putty(t, name)
		want, err := ppkKey([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, at int, damaged string) {
			t.Helper()
			got, err := ppkKey([]byte(damaged))
			if err == nil && got.Line() != want.Line() {
				t.Fatalf("%s: %s %d: %q", name, what, at, got.Line())
			}
			if err != nil && !errors.Is(err, ErrPPK) && !errors.Is(err, ErrPPKMAC) && !errors.Is(err, ErrPPKVersion) {
				t.Errorf("%s: %s %d: %v", name, what, at, err)
			}
		}
		for i := range content {
			for bit := range 8 {
				check("a flipped bit in byte", i, content[:i]+string([]byte{content[i] ^ 1<<bit})+content[i+1:])
			}
			for _, other := range []byte("\x00\n\r :A") {
				check("another byte at", i, content[:i]+string([]byte{other})+content[i+1:])
			}
			check("without byte", i, content[:i]+content[i+1:])
			check("cut at", i, content[:i])
		}
	}
}

func FuzzPPK(f *testing.F) {
	for _, name := range []string{"rsa-v2", "rsa-v3-encrypted", "ed25519-v2", "ed25519-v3", "ed25519-v3-argon2d", "ecdsa521-v2", "dsa-v2", "ed448-v3", "latin1-v2"} {
		f.Add([]byte(putty(f, name+".ppk")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := string(data)
		entry, err := ppkKey(data)
		if string(data) != before {
			t.Error("the file was changed")
		}
		if err != nil {
			return
		}
		if !strings.HasPrefix(before, ppkMagic) || strings.ContainsAny(entry.Line(), "\r\n\x00") {
			t.Errorf("the line to install is %q", entry.Line())
		}
		if !strings.Contains(before, ": "+entry.Key.Type()) {
			t.Errorf("a key of the type %s", entry.Key.Type())
		}
	})
}
