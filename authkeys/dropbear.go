package authkeys

import (
	"strconv"
	"strings"

	"ssh-copy-id/internal/sshkey"
)

// reads reports whether dropbear finds a key in a line.
func (r Reader) reads(text, keyType, blob string) bool {
	_, found := r.dropbearLine(text, keyType, blob)
	return found
}

// dropbearLine looks for a key in a line as checkpubkey_line in
// svr-authpubkey.c does, and returns the options before it as written. The key
// type is at the start, or follows exactly one blank or tab behind the options;
// then come one blank and the base64 up to the next blank.
func (r Reader) dropbearLine(text, keyType, blob string) (options string, found bool) {
	if strings.IndexByte(text, 0) >= 0 {
		return "", false
	}
	if !strings.HasPrefix(text, keyType) {
		text = strings.TrimLeft(text, blanks)
		quoted, escaped, end := false, false, len(text)
		for i := range len(text) {
			c := text[i]
			if !quoted && strings.IndexByte(blanks, c) >= 0 {
				end = i
				break
			}
			escaped = !escaped && c == '\\'
			if !escaped && c == '"' {
				quoted = !quoted
			}
		}
		if end == len(text) || text[0] == '#' {
			return "", false
		}
		options, text = text[:end], text[end+1:]
	}
	rest, ok := strings.CutPrefix(text, keyType+" ")
	token, _, _ := strings.Cut(rest, " ")
	return options, ok && token == blob
}

// dropbearOptions judges options as svr_parse_pubkey_options in
// svr-authpubkeyoptions.c does; nil where dropbear takes them.
func (r Reader) dropbearOptions(text string) *OptionError {
	commands := 0
	for text != "" {
		name := text[:len(text)-len(strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"))]
		kind := optionKinds[strings.ToLower(name)]
		failed := &OptionError{Option: name, Reason: OptionUnknown}
		if kind == nil || r.lacks[kind.name] {
			return failed
		}
		failed.Option, text = kind.name, text[len(name):]
		if kind.check != nil {
			value, rest, reason := dropbearValue(kind.name, text)
			if kind.name == "command" {
				if commands++; commands > 1 {
					reason = OptionRepeated
				}
			}
			if failed.Value, failed.Reason = value, reason; reason != 0 {
				return failed
			}
			text = rest
		}
		if text != "" && text[0] != ',' {
			failed.Reason = OptionTakesNoValue
			return failed
		}
		text = strings.TrimPrefix(text, ",")
	}
	return nil
}

// dropbearValue reads ="value" at the start of a text: a backslash counts before
// every character, and only in a command.
func dropbearValue(name, text string) (value, rest string, reason OptionReason) {
	text, ok := strings.CutPrefix(text, `="`)
	if !ok {
		return "", text, OptionBadQuotes
	}
	end, escaped := -1, false
	for i := range len(text) {
		if !escaped && text[i] == '"' {
			end = i
			break
		}
		escaped = name == "command" && !escaped && text[i] == '\\'
	}
	if end < 0 {
		return text, "", OptionBadQuotes
	}
	value, rest = text[:end], text[end+1:]
	port := value[strings.LastIndexByte(value, ':')+1:]
	number, err := strconv.Atoi(port)
	switch {
	case name == "command", name == "permitopen" && port == "*" && port != value:
	case err != nil, number < 0, number > 65535, name == "permitopen" && port == value, name == "permitlisten" && port != value:
		// dropbear wants host:port for permitopen, and a port alone for
		// permitlisten.
		reason = OptionBadHostPort
	}
	return value, rest, reason
}

// asDropbear reads a line as dropbear does, for which a carriage return ends a
// line too (buf_getline in dbutil.c).
func (r *stateReader) asDropbear(l Line) {
	var dead Finding
	for part := range strings.SplitSeq(l.Text, "\r") {
		if !mayHold([]byte(part), r.want) {
			continue
		}
		options, found := r.reader.dropbearLine(part, r.key.Type(), r.want)
		finding := r.dropbearFinding(part, options, found)
		if found && finding.Kind == 0 {
			r.judge(l.Number, splitOptions(options), Finding{}, false)
			return // one line of the file, as people count
		}
		if dead.Kind == 0 {
			dead = finding
		}
	}
	if dead.Kind != 0 {
		dead.Line = l.Number
		r.Findings = append(r.Findings, dead)
	}
}

// dropbearFinding returns why dropbear does not let the key in by a line; the
// zero Finding where it does, or where the line does not hold the key.
func (r *stateReader) dropbearFinding(text, options string, found bool) Finding {
	e, err := readLine(text)
	isKey := err == nil && blob(e.Key) == r.want
	switch limit := r.reader.maxLine; {
	case !found && !isKey:
		l := Line{Text: text, Err: err}
		if err == nil {
			l.Entry = &e
		} else if err.(*ParseError).Reason == NoEntry {
			l.Err = nil
		}
		kind, reason := hidden(l, r.want)
		return Finding{Kind: kind, Reason: reason}
	case strings.IndexByte(text, 0) >= 0:
		return Finding{Kind: FoundDamaged, Reason: NotText}
	case limit > 0 && len(text) > limit:
		return Finding{Kind: FoundLong, Limit: limit}
	case !found:
		return Finding{Kind: FoundLayout}
	}
	if bits := sshkey.RSABits(r.key); bits > 0 && bits < 1024 {
		return Finding{Kind: FoundShortRSA, Bits: bits}
	}
	if failed := r.reader.dropbearOptions(options); failed != nil {
		return Finding{Kind: FoundOptionsRefused, Option: failed.Option, Value: failed.Value, OptionReason: failed.Reason}
	}
	return Finding{}
}
