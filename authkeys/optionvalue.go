package authkeys

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// An optionKind is an option sshd knows.
type optionKind struct {
	name string // as sshd(8) spells it
	// check judges a value: 0 where it is right. Strict is for what is to be
	// written; otherwise only what sshd refuses is wrong. Nil for an option
	// without a value.
	check func(value string, strict bool) (reason OptionReason, part string)
}

// optionKinds are the options of sshauthopt_parse in auth-options.c, by their
// names in lower case: sshd does not tell case apart.
var optionKinds = func() map[string]*optionKind {
	kinds := map[string]*optionKind{
		"command":      {check: func(string, bool) (OptionReason, string) { return 0, "" }},
		"environment":  {check: checkEnvironment},
		"expiry-time":  {check: checkTime},
		"from":         {check: checkFrom},
		"permitlisten": {check: checkListen},
		"permitopen":   {check: checkOpen},
		"principals":   {check: checkPrincipals},
		"tunnel":       {check: checkTunnel},
	}
	for _, name := range []string{"restrict", "cert-authority"} {
		kinds[name] = &optionKind{}
	}
	for _, name := range []string{"agent-forwarding", "port-forwarding", "pty", "user-rc", "X11-forwarding", "touch-required", "verify-required"} {
		kinds[strings.ToLower(name)] = &optionKind{name: name}
		kinds["no-"+strings.ToLower(name)] = &optionKind{name: "no-" + name}
	}
	for name, kind := range kinds {
		if kind.name == "" {
			kind.name = name
		}
	}
	return kinds
}()

func checkEnvironment(value string, _ bool) (OptionReason, string) {
	name, _, ok := strings.Cut(value, "=")
	for _, r := range name {
		ok = ok && (r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	}
	if !ok || name == "" {
		return OptionBadEnvironment, name
	}
	return 0, ""
}

func checkTime(value string, strict bool) (OptionReason, string) {
	at, _, ok := expiry(value)
	if !ok || strict && !strings.HasPrefix(at.Format("20060102150405"), strings.TrimRight(value, "Zz")) {
		return OptionBadTime, ""
	}
	return 0, ""
}

// expiry reads the time of an expiry-time as parse_absolute_time in misc.c
// does: a day that the month does not have is one of the next month. A time
// that is not marked as UTC is one of the server's time zone, which is not
// known here, and is returned as if it were UTC.
func expiry(value string) (at time.Time, utc, ok bool) {
	digits, utc := strings.CutSuffix(strings.ToUpper(value), "Z")
	if !utc {
		digits, utc = strings.CutSuffix(digits, "UTC")
	}
	if n := len(digits); n != 8 && n != 12 && n != 14 || !isNumber(digits) {
		return time.Time{}, false, false
	}
	number := func(from, to int) int {
		if from >= len(digits) {
			return 0
		}
		n, _ := strconv.Atoi(digits[from:to]) // digits, as tested above
		return n
	}
	month, day := number(4, 6), number(6, 8)
	hour, minute, second := number(8, 10), number(10, 12), number(12, 14)
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 61 {
		return time.Time{}, false, false
	}
	at = time.Date(number(0, 4), time.Month(month), day, hour, minute, second, 0, time.UTC)
	return at, utc, at.Unix() > 0
}

// checkFrom judges a list of host name patterns and networks as
// match_host_and_ip in match.c and addr_match_list in addrmatch.c do.
func checkFrom(value string, strict bool) (OptionReason, string) {
	positive := false
	for entry := range strings.SplitSeq(value, ",") {
		pattern, negated := strings.CutPrefix(entry, "!")
		positive = positive || !negated
		valid, inconsistent := network(pattern)
		switch {
		case pattern == "":
			return OptionBadPattern, entry
		case inconsistent, strict && !valid:
			return OptionBadNetwork, entry
		case strict && (strings.ContainsAny(pattern, blanks) || len(pattern) > maxPattern):
			return OptionBadPattern, entry
		}
	}
	if strict && !positive {
		return OptionOnlyNegated, ""
	}
	return 0, ""
}

// maxPattern is the longest entry of a list that match_pattern_list in match.c
// looks at, in bytes.
const maxPattern = 1022

// network judges address/masklen. It is inconsistent where sshd refuses the
// key for it (addr_pton_cidr in addr.c returns -2). What is neither is a
// pattern to sshd, and with a slash in it one that matches nothing.
func network(pattern string) (valid, inconsistent bool) {
	address, mask, slash := strings.Cut(pattern, "/")
	if !slash {
		return true, false
	}
	addr, err := netip.ParseAddr(address)
	bits, errBits := strconv.Atoi(mask)
	if err != nil || errBits != nil || !isNumber(mask) || bits > 128 || addr.Zone() != "" {
		return false, false
	}
	prefix, err := addr.Prefix(bits)
	if err != nil || prefix.Addr() != addr {
		return false, true
	}
	return true, false
}

func checkListen(value string, strict bool) (OptionReason, string) {
	if !strings.Contains(value, ":") {
		value = "*:" + value // handle_permit in auth-options.c
	}
	return checkHostPort(value, strict, true)
}

func checkOpen(value string, strict bool) (OptionReason, string) {
	return checkHostPort(value, strict, false)
}

// checkHostPort judges host:port as handle_permit in auth-options.c does with
// hpdelim2 and a2port of misc.c.
func checkHostPort(value string, strict, anyHost bool) (OptionReason, string) {
	host, port, ok := strings.Cut(value, ":")
	if strings.HasPrefix(value, "[") {
		if host, port, ok = strings.Cut(value, "]"); ok {
			port, ok = strings.CutPrefix(port, ":")
			host = host[1:]
			if _, err := netip.ParseAddr(host); strict && !anyHost && err != nil {
				return OptionBadHostPort, host
			}
		}
	} else if i := strings.IndexByte(host, '/'); !strict && i >= 0 {
		host, port, ok = value[:i], value[i+1:], true
	}
	switch number, err := strconv.Atoi(port); {
	case !ok, len(host) > 1024, strict && host == "" && !anyHost, strict && strings.ContainsAny(host, " /"):
		return OptionBadHostPort, host
	case port == "*", !strict && isService(port):
		// The server looks the name of a service up.
	case err != nil, !isNumber(port), number < 1, number > 65535:
		return OptionBadHostPort, port
	}
	return 0, ""
}

func checkPrincipals(value string, strict bool) (OptionReason, string) {
	for name := range strings.SplitSeq(value, ",") {
		if strict && name == "" {
			return OptionBadPrincipals, ""
		}
	}
	return 0, ""
}

// checkTunnel judges the number of a tunnel device as a2tun in misc.c does.
func checkTunnel(value string, _ bool) (OptionReason, string) {
	const most = 0x7fffffff - 2 // SSH_TUNID_MAX
	if n, err := strconv.Atoi(value); !strings.EqualFold(value, "any") && (err != nil || !isNumber(value) || n > most) {
		return OptionBadTunnel, ""
	}
	return 0, ""
}

// isService tells whether a text may be the name of a service.
func isService(text string) bool {
	return plausibleType(text) && strings.Trim(text, "0123456789-+") != ""
}

// isNumber tells whether a text is decimal digits and nothing else.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
