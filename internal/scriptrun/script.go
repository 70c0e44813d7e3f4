package scriptrun

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
)

//go:embed prelude.sh
var prelude string

// Prelude is prelude.sh, stripped: how a program for New begins.
var Prelude = Strip(prelude)

// Strip returns a script without comments and indentation, as it is sent. It knows
// no quotes, so the script must not hold strings with lines that look like a
// comment.
func Strip(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimLeft(line, " \t")
		if line != "\n" && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// NewMarker makes the word that marks the lines of a script.
func NewMarker() string {
	var b [12]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// Framed returns a stripped script as Bootstrap wants it.
func Framed(marker, program string, trace bool) string {
	text := "M=" + marker + "\n"
	if trace {
		text += "set -x\n"
	}
	return text + program + "# " + marker
}

// SystemPath is where tools are looked for before the account's PATH; prelude.sh
// has the same.
const SystemPath = "/usr/bin:/bin:/usr/sbin:/sbin"

// Bootstrap returns the exec request that reads a script from standard input and
// runs it. What follows the script there stays unread, for the script; the first
// byte of it is a newline, which may be read as well.
//
// Every login shell takes the line as it is: it holds no quote, "!", "\" or
// newline between its single quotes, which csh, tcsh and fish treat unlike
// sh, and no exec, which rbash forbids. dd reads what is missing and never
// more, in one go as a rule; without dd the shell reads line by line, and so
// byte by byte. A text that does not begin and end as it should, because a
// start-up file of the shell has read a part of the input, is not run at all.
// Functions that bash inherits come after what it calls here. The system's dd
// comes before one that the account has in its PATH.
func Bootstrap(marker string, script string) string {
	return fmt.Sprintf(`sh -c 'x=;[ "$BASH_VERSION" ]&&unset -f dd echo read command;`+
		`PATH=%s${PATH:+:$PATH};`+
		`d(){ dd bs=$((%d-${#x})) count=1;};`+
		`if [ "$(command -v dd)" ];then while [ ${#x} -lt %d ];do `+
		`y=$(if [ -c /dev/null ];then d 2>/dev/null;else d;fi;echo .);`+
		`[ "$y" = . ]&&break;x=$x${y%%.};done;`+
		`else n=$(echo;echo .);while IFS= read -r y;do x=$x$y;[ "$y" = "# %s" ]&&break;x=$x${n%%.};done;fi;`+
		`case $x in "M=%s"*"# %s")eval "$x";;*)echo;echo %s damaged;esac'`,
		SystemPath, len(script), len(script), marker, marker, marker, marker)
}
