package sshconfig

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// canonicalize settles the host name after the first pass: an address gets its
// usual form; a name is completed by CanonicalDomains and replaced by its alias
// where the configuration asks for that (main and resolve_canonicalize in ssh.c).
func (e *evaluation) canonicalize(host string) (string, error) {
	set := e.set
	family := set.or("addressfamily", "any")
	how := set.or("canonicalizehostname", "false")
	isAddress := addressLike(host)
	if !isAddress {
		_, isAddress = canonicalAddress(host, family)
	}
	if !isAddress {
		host = asciiLower(host)
	}
	direct := set.cleared("proxycommand") == "" && set.jump == nil
	resolved := false
	if how != "false" || isAddress {
		var err error
		if host, resolved, err = e.completeName(host, family, how, direct); err != nil {
			return "", err
		}
	}
	if !resolved && e.followsCNAMEs() && (direct || how == "always") {
		alias, ok := e.in.LookupHost(host)
		if !ok && direct {
			return "", e.stop("Could not resolve hostname %s: Name or service not known", host)
		}
		if ok {
			host = e.followCNAME(host, alias, how, direct)
		}
	}
	return host, nil
}

// completeName is resolve_canonicalize. resolved says whether the name is known
// to exist.
func (e *evaluation) completeName(host, family, how string, direct bool) (name string, resolved bool, err error) {
	if address, ok := canonicalAddress(host, family); ok {
		return address, true, nil
	}
	if addressLike(host) || how == "false" || !direct && how != "always" {
		return host, false, nil
	}
	candidates := []string{host}
	if !strings.HasSuffix(host, ".") {
		dots, _ := strconv.Atoi(e.set.or("canonicalizemaxdots", "1"))
		if strings.Count(host, ".") > dots {
			return host, false, nil
		}
		candidates = nil
		for _, domain := range e.set.list["canonicaldomains"] {
			candidates = append(candidates, host+"."+domain+".")
		}
	}
	for _, candidate := range candidates {
		if alias, ok := e.in.LookupHost(candidate); ok {
			full := strings.TrimSuffix(candidate, ".")
			return e.followCNAME(full, alias, how, direct), true, nil
		}
	}
	if !e.set.is("canonicalizefallbacklocal", true) {
		return "", false, e.stop("Could not resolve host \"%s\"", host)
	}
	return host, false, nil
}

// followsCNAMEs reports whether CanonicalizePermittedCNAMEs holds any rule.
func (e *evaluation) followsCNAMEs() bool {
	rules := e.set.cnames
	return len(rules) > 0 && !(len(rules) == 1 && asciiLower(rules[0].source) == "none" && rules[0].target == "")
}

// followCNAME takes the alias for the name if a rule allows it.
func (e *evaluation) followCNAME(name, alias, how string, direct bool) string {
	alias = strings.TrimSuffix(alias, ".")
	if alias == "" || alias == name || how == "false" || !direct && how != "always" || !e.followsCNAMEs() {
		return name
	}
	for _, rule := range e.set.cnames {
		if matchList(name, rule.source, true) && matchList(alias, rule.target, true) {
			return alias
		}
	}
	return name
}

// addressLike reports whether a name can only be an address (is_addr_fast).
func addressLike(name string) bool {
	return strings.ContainsAny(name, "%:") || strings.Trim(name, "0123456789.") == ""
}

// canonicalAddress writes an address the way getnameinfo does, unless it differs
// by its case alone. ok is false for names, and for addresses outside the
// address family.
func canonicalAddress(name, family string) (address string, ok bool) {
	if addr, err := netip.ParseAddr(name); err == nil && addr.Is6() {
		if family == "inet" || !knownZone(addr.Zone()) {
			return "", false
		}
		if address = formatIPv6(addr); strings.EqualFold(address, name) {
			address = name
		}
		return address, true
	}
	octets, ok := parseIPv4(name)
	if !ok || family == "inet6" {
		return "", false
	}
	return netip.AddrFrom4(octets).String(), true
}

func knownZone(zone string) bool {
	if zone == "" {
		return true
	}
	if n, err := strconv.Atoi(zone); err == nil {
		_, err = net.InterfaceByIndex(n)
		return err == nil || n >= 0
	}
	_, err := net.InterfaceByName(zone)
	return err == nil
}

// formatIPv6 differs from netip for the old IPv4-compatible addresses only.
func formatIPv6(addr netip.Addr) string {
	b := addr.As16()
	for i, c := range b[:12] {
		if c != 0 {
			break
		}
		if i == 11 && (b[12] != 0 || b[13] != 0) {
			text := "::" + netip.AddrFrom4([4]byte(b[12:])).String()
			if addr.Zone() != "" {
				text += "%" + addr.Zone()
			}
			return text
		}
	}
	return addr.String()
}

// parseIPv4 reads what inet_aton reads: one to four numbers, decimal, octal or
// hexadecimal, the last one filling the rest.
func parseIPv4(s string) (octets [4]byte, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return octets, false
	}
	for i, part := range parts {
		if part == "" || strings.Trim(asciiLower(part), "0123456789abcdefx") != "" || part[0] < '0' || part[0] > '9' {
			return octets, false
		}
		base, digits := 10, part
		switch lower := asciiLower(part); {
		case strings.HasPrefix(lower, "0x"):
			base, digits = 16, part[2:]
		case len(part) > 1 && part[0] == '0':
			base, digits = 8, part[1:]
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil {
			return octets, false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return octets, false
			}
			octets[i] = byte(n)
			continue
		}
		for j := 3; j >= i; j-- {
			octets[j] = byte(n)
			n >>= 8
		}
		if n != 0 {
			return octets, false
		}
	}
	return octets, true
}

// lookupHost resolves a name with the system's resolver.
//
// For a name with a dot at the end getaddrinfo passes over the hosts file, which
// Go does not. So such a name counts only if the DNS answers about it at all;
// that it has no text records is answer enough.
func lookupHost(name string) (alias string, ok bool) {
	if _, err := net.LookupHost(name); err != nil {
		return "", false
	}
	if strings.HasSuffix(name, ".") {
		_, err := net.LookupTXT(name)
		var failure *net.DNSError
		if errors.As(err, &failure) && !failure.IsNotFound {
			return "", false
		}
	}
	alias, _ = net.LookupCNAME(name)
	return alias, true
}

// maxCanonical is MAX_CANON_DOMAINS in readconf.h.
const maxCanonical = 32

// parseCanonicalDomains keeps the domains in lower case and without a dot at
// the end.
func parseCanonicalDomains(l *line, name string) error {
	_, made := l.evaluation.set.list[name]
	check := func(l *line, arg string) error {
		if _, wrong := validDomain(arg); wrong != "" {
			return l.bad("%s", wrong)
		}
		return nil
	}
	if err := listOf(maxCanonical, check)(l, name); err != nil {
		return err
	}
	if domains := l.evaluation.set.list[name]; !made {
		for i, d := range domains {
			domains[i] = strings.TrimSuffix(asciiLower(d), ".")
		}
	}
	return nil
}

func parsePermittedCNAMEs(l *line, _ string) error {
	set := l.evaluation.set
	made := len(set.cnames) > 0
	var rules []cnameRule
	for len(l.left) > 0 {
		arg := l.next()
		rule := cnameRule{source: asciiLower(arg)}
		switch {
		case asciiLower(arg) == "none":
			if len(rules) > 0 || len(l.left) > 0 {
				return l.bad("keyword %s \"none\" argument must appear alone.", l.keyword)
			}
		case arg == "*":
			rule.target = "*"
		default:
			source, targets, ok := strings.Cut(rule.source, ":")
			if !ok || targets == "" {
				return l.bad("Invalid permitted CNAME \"%s\"", rule.source)
			}
			rule = cnameRule{source, targets}
		}
		if rules = append(rules, rule); l.active && !made && len(rules) > maxCanonical {
			return l.bad("too many permitted CNAMEs.")
		}
	}
	if l.active && !made {
		set.cnames = rules
	}
	return nil
}
