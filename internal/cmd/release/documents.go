package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// style makes mandoc's page one to read on a screen: no endless lines, and no
// headings that look like links.
const style = `    body { max-width: 52em; margin: 1em auto; padding: 0 1em;
      font-family: sans-serif; line-height: 1.5; }
    h1 { font-size: 1.4em; }
    h2 { font-size: 1.1em; }
    dd { margin-bottom: 0.7em; }
    table.Nm td { vertical-align: top; }
    table.Nm td:first-child { white-space: nowrap; }
    a.permalink { color: inherit; text-decoration: none; }
`

// documents are the files beside the program: the licences, the installer, and
// the manual to read in an editor and in a browser.
func (r *release) documents() ([]file, error) {
	licences, err := r.licences()
	if err != nil {
		return nil, err
	}
	// ASCII reads the same in Notepad, in more and in every code page.
	text, err := r.manual("-T", "ascii")
	if err != nil {
		return nil, err
	}
	page, err := r.manual("-T", "html", "-O", "toc")
	if err != nil {
		return nil, err
	}
	head, rest, found := bytes.Cut(page, []byte("  </style>\n"))
	if !found {
		return nil, errors.New("mandoc made a page without a style")
	}
	page = bytes.Join([][]byte{head, []byte(style), []byte("  </style>\n"), rest}, nil)
	installer, err := os.ReadFile(filepath.Join(r.root, "scripts", "install.ps1"))
	if err != nil {
		return nil, err
	}
	return []file{
		{"LICENSE.txt", crlf(licences)},
		{"install.ps1", crlf(installer)},
		{"ssh-copy-id.1.txt", crlf(plain(text))},
		{"ssh-copy-id.1.html", page},
	}, nil
}

// manual is what mandoc makes of the manual. The system that its foot names is
// the release, not the machine mandoc runs on.
func (r *release) manual(format ...string) ([]byte, error) {
	args := append([]string{"-I", "os=ssh-copy-id " + r.version}, format...)
	cmd := exec.Command("mandoc", append(args, filepath.Join(r.root, "man", "ssh-copy-id.1"))...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("mandoc is not installed: it renders the manual")
	case err != nil:
		return nil, fmt.Errorf("mandoc: %v\n%s", err, stderr.Bytes())
	}
	return out, nil
}

// plain takes away what makes a printer print bold and underlined: a
// character, a backspace and what is to be seen in its place.
func plain(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c != '\b' {
			out = append(out, c)
		} else if len(out) > 0 {
			out = out[:len(out)-1]
		}
	}
	return out
}

// crlf gives the lines the ends that every Notepad knows.
func crlf(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
}
