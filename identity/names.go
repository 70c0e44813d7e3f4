package identity

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// foldCase: names of files that differ in case only are the same.
const foldCase = runtime.GOOS == "windows"

// PubPath is the public key file of an identity: name, with .pub added unless
// it ends so. On Windows .PUB is the same.
func PubPath(name string) string {
	if _, ok := cutPub(name, foldCase); ok {
		return name
	}
	return name + ".pub"
}

// PrivatePath is the file beside a public key file that holds the private key.
func PrivatePath(pub string) string {
	private, _ := cutPub(pub, foldCase)
	return private
}

// cutPub cuts .pub off a name, with fold in any case.
func cutPub(name string, fold bool) (rest string, ok bool) {
	const pub = ".pub"
	n := len(name) - len(pub)
	if n < 0 || name[n:] != pub && !(fold && strings.EqualFold(name[n:], pub)) {
		return name, false
	}
	return name[:n], true
}

// privateKeyBeside is the private key file that goes with a public key file; ""
// where there is none, or only one of PuTTY's, which nothing here can sign with.
// The file beside key.txt or key.pem must be seen to hold a private key: that it
// has the same name means less than with key.pub.
func privateKeyBeside(public string) string {
	private, named := cutPub(public, foldCase)
	if !named {
		private = strings.TrimSuffix(public, filepath.Ext(public))
	}
	info, err := os.Stat(private)
	if private == public || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	if _, err := Encrypted(private); errors.Is(err, ErrUnsupported) || err != nil && !named {
		return ""
	}
	return private
}
