package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestEveryOptionIsExplained keeps the help, the usage and the manual page in
// step with the options there are, in both directions.
func TestEveryOptionIsExplained(t *testing.T) {
	help, usage := fullHelp("ssh-copy-id"), usageText("ssh-copy-id")
	page, err := os.ReadFile("../../man/ssh-copy-id.1")
	if err != nil {
		t.Fatal(err)
	}
	manual := strings.ReplaceAll(string(page), `\&`, "")
	known := map[string]bool{}
	new(Flags).flagSet().VisitAll(func(o *pflag.Flag) {
		if o.Shorthand != "" {
			known["-"+o.Shorthand] = true
			stands(t, "help", help, `(^|[ ,])-`+regexp.QuoteMeta(o.Shorthand)+`[, ]`)
			stands(t, "usage", usage, `[[|\t]-`+regexp.QuoteMeta(o.Shorthand)+`[]:| ]`)
			stands(t, "manual", manual, `(?m)^\.It .*\bFl `+regexp.QuoteMeta(o.Shorthand)+`( |$)`)
		}
		if o.Hidden {
			return
		}
		known["--"+o.Name] = true
		stands(t, "help", help, `[ ]--`+o.Name+`[ \n]`)
		stands(t, "manual", manual, `(?m)^\.It .*\bFl -`+o.Name+`( |$)`)
	})
	for _, option := range regexp.MustCompile(`(?m)^ {2,6}(-.*?)(?:  |$)`).FindAllStringSubmatch(help, -1) {
		for name := range strings.FieldsSeq(option[1]) {
			if name = strings.TrimSuffix(name, ","); name[0] == '-' && !known[name] {
				t.Errorf("the help explains %s, which does not exist", name)
			}
		}
	}
	for _, item := range regexp.MustCompile(`(?m)^\.It Fl .*`).FindAllString(manual, -1) {
		for _, option := range regexp.MustCompile(`Fl (\S+)`).FindAllStringSubmatch(item, -1) {
			if !known["-"+option[1]] {
				t.Errorf("the manual page explains -%s, which does not exist", option[1])
			}
		}
	}
}

// stands tells where an option is missing.
func stands(t *testing.T, where, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("the %s has nothing that matches %s", where, pattern)
	}
}

func TestHelpFitsTheScreen(t *testing.T) {
	for line := range strings.Lines(fullHelp("ssh-copy-id")) {
		if len(strings.TrimSuffix(line, "\n")) > 80 || strings.Contains(line, "\t") || strings.TrimRight(line, " \n")+"\n" != line {
			t.Errorf("wider than 80 columns, a tab, or a blank at the end: %q", line)
		}
	}
}

// TestUsageBeginsAsTheScripts: programs look for the first line, and people
// for the name they typed.
func TestUsageBeginsAsTheScripts(t *testing.T) {
	usage := usageText("./bin/ssh-copy-id")
	want := "Usage: ./bin/ssh-copy-id [-h|-?|-f|-n|-s|-x] [-i [identity_file]] [-t target_path]" +
		" [-F ssh_config] [[-o ssh_option] ...] [-p port] [user@]hostname\n\t-f: force mode -- "
	if !strings.HasPrefix(usage, want) {
		t.Errorf("got\n%s\nwant it to begin\n%s", usage, want)
	}
}

// TestTexts has the usage and the help to the byte.
func TestTexts(t *testing.T) {
	golden(t, "usage", []shown{
		{"short", func(o output) { o.Usage() }},
		{"long", func(o output) { o.Text(fullHelp("ssh-copy-id")) }},
	})
}
