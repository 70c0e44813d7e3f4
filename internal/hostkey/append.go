package hostkey

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ssh-copy-id/internal/owneronly"
	"ssh-copy-id/internal/sshkey"
	"ssh-copy-id/internal/textfile"
)

// add notes the key for the names in the first user file. A hashed line holds
// one name, a plain one all of them (write_host_entry in hostfile.c).
func (v *Verifier) add(key ssh.PublicKey, names ...string) error {
	file := v.policy.UserFiles[0]
	if missing, err := v.notYet(file, key, names); err == nil {
		// Another copy may have noted it while the question was open.
		names = missing
	}
	if len(names) == 0 {
		return nil
	}
	value := " " + key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal()) + "\n"
	if !v.policy.Hash {
		return appendText(file, strings.Join(names, ",")+value)
	}
	var text strings.Builder
	for _, name := range names {
		text.WriteString(knownhosts.HashHostname(name) + value)
	}
	return appendText(file, text.String())
}

// notYet returns those of the names the file has no line with the key for.
func (v *Verifier) notYet(file string, key ssh.PublicKey, names []string) ([]string, error) {
	var missing []string
	for _, name := range names {
		found := false
		err := v.scanFile(file, func(l textLine) error {
			e, ok, err := l.forName(name)
			found = found || ok && e.marker == markNone && sshkey.Equal(e.key, key)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !found {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// appendText adds whole lines to the end of a file with a single write, which the
// kernel places as one at the end as it then is: two copies running at once
// cannot mix their lines. A last line without a newline is ended first. The file
// is created for its owner alone; an existing one keeps its mode.
func appendText(file, text string) error {
	f, err := openAppend(file)
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(filepath.Dir(file)) == ".ssh" {
		if err := owneronly.Mkdir(filepath.Dir(file)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		f, err = openAppend(file)
	}
	if err != nil {
		return err
	}
	// A file system without locks is no reason not to note a host.
	_ = lock(f)
	if isUTF16(f) {
		return errors.Join(errUTF16, f.Close())
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			text = "\n" + text
		}
	}
	_, err = f.Write([]byte(text))
	return errors.Join(err, f.Close())
}

var errUTF16 = errors.New("the file is in UTF-16: a line in another encoding would spoil it")

func isUTF16(f *os.File) bool {
	var start [2]byte
	n, _ := f.ReadAt(start[:], 0)
	return textfile.IsUTF16(start[:n])
}

// openAppend prefers to read as well, to see how the file ends.
func openAppend(file string) (*os.File, error) {
	f, err := owneronly.OpenFile(file, os.O_RDWR|os.O_APPEND|os.O_CREATE)
	if errors.Is(err, fs.ErrPermission) {
		return owneronly.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	}
	return f, err
}
