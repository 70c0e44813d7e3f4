package cli

import "strings"

// otherSpelling adds to an error of the command line what to write in the place
// of an option that PuTTY, plink, scp and ssh have and this command has not. A
// password that follows -pw is not repeated.
func otherSpelling(e *UsageError, args []string) *UsageError {
	if e.Hint != "" {
		return e
	}
	if strings.HasPrefix(e.Text, "Bad port 'w") && givenPassword(args) {
		e.Text = "Bad port 'w'"
		e.Hint = "-pw is PuTTY's: without it the password is asked for, and --password-file FILE reads it from a file"
		return e
	}
	letter, unknown := strings.CutPrefix(e.Text, "illegal option -- ")
	if !unknown {
		return e
	}
	value := valueOf(letter, args)
	or := func(word string) string {
		if value != "" {
			return value
		}
		return word
	}
	switch letter {
	case "P":
		e.Hint = "a port is given with -p: -p " + or("port")
	case "l":
		e.Hint = "the user is given with the host: " + or("user") + "@hostname"
	case "4":
		e.Hint = "that is -o AddressFamily=inet"
	case "6":
		e.Hint = "that is -o AddressFamily=inet6"
	case "b":
		if value == "atch" { // plink's -batch
			e.Hint = "that is -o BatchMode=yes"
		} else {
			e.Hint = "the address to connect from is given with -o BindAddress=" + or("address")
		}
	case "c":
		e.Hint = "ciphers are given with -o Ciphers=" + or("list")
	case "m":
		e.Hint = "MACs are given with -o MACs=" + or("list")
	}
	return e
}

// givenPassword reports whether there is an option -pw, or one of that beginning.
func givenPassword(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		if strings.HasPrefix(arg, "-pw") {
			return true
		}
	}
	return false
}

// valueOf is what follows the first option of a letter, in its word or as
// the next one; "" where that is an option or nothing.
func valueOf(letter string, args []string) string {
	for i, arg := range args {
		rest, found := strings.CutPrefix(arg, "-"+letter)
		switch {
		case arg == "--":
			return ""
		case !found:
		case rest != "":
			return rest
		case i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			return args[i+1]
		}
	}
	return ""
}
