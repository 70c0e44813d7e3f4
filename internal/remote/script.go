package remote

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
)

//go:embed install.sh
var installScript string

// program is install.sh without comments and indentation, as it is sent.
var program = strip(installScript)

// strip drops what the shell does not need. It knows no quotes, so the script
// must not hold strings with lines that look like a comment.
func strip(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(line, " \t")
		if line != "\n" && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// newMarker makes the word that marks a session's lines.
func newMarker() string {
	var b [12]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// script is the text a session sends first.
func script(marker string, trace bool) string {
	text := "M=" + marker + "\n"
	if trace {
		text += "set -x\n"
	}
	return text + program + "# " + marker
}

// bootstrap is the exec request that reads a script from standard input and
// runs it. What follows the script there stays unread, for the script.
//
// Every login shell takes the line as it is: it holds no quote, "!", "\" or
// newline between its single quotes, which csh, tcsh and fish treat unlike
// sh, and no exec, which rbash forbids. dd reads what is missing and never
// more, in one go as a rule. A text that does not begin and end as it should,
// because a start-up file of the shell has read a part of the input, is not
// run at all.
func bootstrap(marker string, script string) string {
	n := len(script)
	return fmt.Sprintf(`sh -c 'x=;`+
		`while [ ${#x} -lt %d ];do y=$(dd bs=$((%d-${#x})) count=1 2>/dev/null;echo .);`+
		`[ "$y" = . ]&&break;x=$x${y%%.};done;`+
		`case $x in "M=%s"*"# %s")eval "$x";;*)echo;echo %s damaged;esac'`,
		n, n, marker, marker, marker)
}
