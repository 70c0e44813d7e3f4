package sshconfig

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	kb "github.com/kevinburke/ssh_config"
)

// maxFileSize bounds what is read of one configuration file. OpenSSH has no
// bound; this one is far above any configuration and below what would hurt.
const maxFileSize = 32 << 20

// maxLexedLine is the longest line given to the lexer, which builds its tokens
// rune by rune and takes quadratic time for a long one.
const maxLexedLine = 512

// directive is one line of configuration that says something.
type directive struct {
	file    string
	line    int    // 0 for the command line
	keyword string // lower case
	rest    string // the argument text as written, outer white space removed
	args    []string
	badArgs bool // a quote is never closed
}

// source is a configuration file, read once and evaluated once or twice.
type source struct {
	directives []directive
	err        error // why it could not be opened or read
	untrusted  bool  // owner or mode would let others change it
	converted  bool  // it is in an encoding that ssh cannot read
}

// readSource opens and splits a file. All errors are in the result.
func readSource(path string) *source {
	f, err := os.Open(path)
	if err != nil {
		return &source{err: err}
	}
	defer f.Close()
	src := &source{untrusted: !trustedFile(f)}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return src // ssh reads a directory as an empty file
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(data) > maxFileSize {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxFileSize>>20)
	}
	if err != nil {
		src.err = err
		return src
	}
	if onWindows {
		data, src.converted = plainText(data)
	}
	src.directives = parseLines(path, data)
	return src
}

// parseLines splits a file into directives.
//
// ssh_config.DecodeBytes takes the plain lines apart: keyword, separator and
// value. What it would read differently from OpenSSH is not given to it and is
// split here: Host, Match and Include lines, which it evaluates in its own way
// (Include by opening files, Match by refusing most criteria), and lines that are
// not [plain].
func parseLines(path string, data []byte) []directive {
	lines := strings.Split(string(data), "\n")
	lexed := lexPlain(lines, len(data))
	directives := make([]directive, 0, len(lines))
	for i, text := range lines {
		d := directive{file: path, line: i + 1}
		if kv := lexed[i]; kv != nil {
			d.keyword, d.rest = asciiLower(kv.Key), kv.Value
		} else if d.keyword, d.rest = splitLine(text); d.keyword == "" {
			continue
		}
		args, ok := splitArguments(d.rest)
		d.args, d.badArgs = args, !ok
		directives = append(directives, d)
	}
	return directives
}

// lexPlain returns what the lexer makes of the plain lines, nil for the others.
func lexPlain(lines []string, size int) []*kb.KV {
	lexed := make([]*kb.KV, len(lines))
	var text bytes.Buffer
	text.Grow(size + 1)
	var numbers []int // of each line given to the lexer: its index in lines
	for i, line := range lines {
		if plain(line) {
			text.WriteString(strings.Trim(line, " \t"))
			text.WriteByte('\n')
			numbers = append(numbers, i)
		}
	}
	cfg, err := kb.DecodeBytes(text.Bytes())
	if err != nil {
		return lexed
	}
	for _, host := range cfg.Hosts {
		for _, node := range host.Nodes {
			if kv, ok := node.(*kb.KV); ok {
				lexed[numbers[kv.Pos().Line-1]] = kv
			}
		}
	}
	return lexed
}

// plain reports whether the lexer and OpenSSH read the line alike: a keyword, a
// separator with at most one '=', and a value of printable ASCII that holds no
// quote, backslash or '#'.
func plain(line string) bool {
	if len(line) > maxLexedLine {
		return false
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\t', c >= ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != '#':
		default:
			return false
		}
	}
	body := strings.Trim(line, " \t")
	end := strings.IndexAny(body, " \t=")
	if end <= 0 {
		return false
	}
	switch asciiLower(body[:end]) {
	case "host", "match", "include":
		return false
	}
	separator := body[end:]
	value := strings.TrimLeft(separator, " \t=")
	separator = separator[:len(separator)-len(value)]
	return value != "" && strings.Count(separator, "=") <= 1
}
