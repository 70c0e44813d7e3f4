package hostkey

import (
	"net"
	"slices"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

type status int

const (
	statusNew status = iota
	statusOK
	statusChanged
	statusRevoked
)

// lookUp is check_key_in_hostkeys of hostfile.c: what the lines for one name say
// about a key. found is the line that decided, nil for a new key.
func lookUp(entries []entry, key ssh.PublicKey) (result status, found *entry) {
	cert, isCert := key.(*ssh.Certificate)
	for i := range entries {
		e := &entries[i]
		if e.marker == markRevoked && revokes(e, key) {
			return statusRevoked, e
		}
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case isCert && e.marker == markCA && sshkey.Equal(cert.SignatureKey, e.key),
			!isCert && e.marker == markNone && sshkey.Equal(key, e.key):
			return statusOK, e
		case isCert && e.marker == markCA, !isCert && e.marker == markNone:
			result, found = statusChanged, e
		}
	}
	return result, found
}

// revokes reports whether a line revokes the key, or the key or the authority of
// a certificate.
func revokes(e *entry, key ssh.PublicKey) bool {
	if sshkey.Equal(sshkey.Plain(e.key), sshkey.Plain(key)) {
		return true
	}
	cert, ok := key.(*ssh.Certificate)
	return ok && sshkey.Equal(sshkey.Plain(e.key), cert.SignatureKey)
}

func revokedIn(entries []entry, key ssh.PublicKey) bool {
	return slices.ContainsFunc(entries, func(e entry) bool { return e.marker == markRevoked && revokes(&e, key) })
}

// noAddress stands for the address of a host behind a proxy.
const noAddress = "<no hostip for proxy command>"

// sight is what is looked up: a name and an address with the lines for them.
type sight struct {
	name    string
	entries []entry
	ip      string
	address []entry // nil unless CheckHostIP applies
	// withoutPort marks the second look at a host on another port, under its bare
	// name: it may confirm a key, and nothing else.
	withoutPort bool
}

// verify is verify_host_key of sshconnect.c.
func (v *Verifier) verify(remote net.Addr, key ssh.PublicKey) error {
	if sshkey.Equal(v.accepted, key) {
		return nil
	}
	if err := v.checkRevokedFiles(key); err != nil {
		return err
	}
	if err := v.check(remote, key); err != nil {
		return err
	}
	v.accepted = key
	return nil
}

// check is the first half of check_host_key: what to look up.
func (v *Verifier) check(remote net.Addr, key ssh.PublicKey) error {
	ip, local := address(remote)
	if v.policy.NoAuthForLocalhost && local && v.policy.Alias == "" {
		v.debug("Forcing accepting of host key for loopback/localhost.")
		return nil
	}
	if local || ip == "" || v.host == fileName(ip, v.port) {
		v.checkIP = false
	}
	s, err := v.sight(v.name, ip, v.port, key)
	if err != nil {
		return err
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		done, err := v.checkCertificate(s, ip, cert)
		if done {
			return err
		}
		v.debug("No matching CA found. Retry with plain key")
		key = cert.Key
	}
	return v.checkPlain(s, ip, key)
}

// sight collects the lines for a name and, with CheckHostIP, for the address.
func (v *Verifier) sight(name, ip string, port int, key ssh.PublicKey) (sight, error) {
	s := sight{name: name, entries: v.entries, ip: noAddress}
	if ip != "" {
		s.ip = fileName(ip, port)
	}
	if name != v.name {
		// The bare name of a host on another port: files only, as in ssh.
		s.withoutPort = true
		var err error
		if s.entries, err = v.load(name); err != nil {
			return s, err
		}
	} else {
		more, err := v.command("HOSTNAME", name, key)
		if err != nil {
			return s, err
		}
		s.entries = append(slices.Clip(s.entries), more...)
	}
	if !v.checkIP {
		return s, nil
	}
	var err error
	if s.address, err = v.load(s.ip); err != nil {
		return s, err
	}
	if !s.withoutPort {
		more, err := v.command("ADDRESS", s.ip, key)
		if err != nil {
			return s, err
		}
		s.address = append(s.address, more...)
	}
	return s, nil
}

// portless is a second look under the bare name, where ssh takes one.
func (v *Verifier) portless(ip string, key ssh.PublicKey) (sight, bool, error) {
	if v.policy.Alias != "" || v.port == 22 {
		return sight{}, false, nil
	}
	v.debug("checking without port identifier")
	s, err := v.sight(fileName(v.host, 22), ip, 22, key)
	return s, err == nil, err
}

// checkCertificate settles the matter (done) if a known authority signed the
// certificate for this host, or if it is revoked. Otherwise the key in it counts
// as if it had come without a certificate.
func (v *Verifier) checkCertificate(s sight, ip string, cert *ssh.Certificate) (done bool, err error) {
	result, found := lookUp(s.entries, cert)
	if result == statusNew && !s.withoutPort {
		second, ok, err := v.portless(ip, cert)
		if err != nil {
			return true, err
		}
		if ok {
			return v.checkCertificate(second, ip, cert)
		}
	}
	switch result {
	case statusRevoked:
		return true, v.refuseRevoked(s.name, cert, found)
	case statusOK:
		if reason := v.checkCert(cert); reason != "" {
			v.alert(reason)
			return false, nil
		}
		v.debug("Host '%s' is known and matches the %s host certificate.", s.name, sshkey.TypeName(cert))
		v.debug("Found CA key in %s:%d", found.file, found.line)
		v.showKey(cert)
		return true, nil
	case statusChanged:
		v.debug("Host certificate authority does not match @cert-authority in %s:%d", found.file, found.line)
	}
	return false, nil
}

// checkPlain is the second half of check_host_key, for a key without certificate.
func (v *Verifier) checkPlain(s sight, ip string, key ssh.PublicKey) error {
	result, found := lookUp(s.entries, key)
	addressResult, addressFound := result, (*entry)(nil)
	if v.checkIP {
		addressResult, addressFound = lookUp(s.address, key)
		if addressResult == statusRevoked {
			return v.refuseRevoked(s.ip, key, addressFound)
		}
	}
	var err error
	switch result {
	case statusOK:
		v.confirmed(s, key, found, addressResult)
	case statusNew:
		if !s.withoutPort {
			var done bool
			if done, err = v.checkPortless(ip, key); done {
				return err
			}
		}
		err = v.unknown(s, key, addressResult)
	case statusChanged:
		return v.changed(s, key, found, addressResult, addressFound)
	case statusRevoked:
		return v.refuseRevoked(s.name, key, found)
	}
	if err == nil && v.checkIP && addressResult == statusChanged {
		return v.addressDiffers(s, key, found, addressFound)
	}
	return err
}

// checkPortless looks whether the bare name confirms (or revokes) the key.
func (v *Verifier) checkPortless(ip string, key ssh.PublicKey) (done bool, err error) {
	s, ok, err := v.portless(ip, key)
	if err != nil || !ok {
		return err != nil, err
	}
	switch result, _ := lookUp(s.entries, key); result {
	case statusOK, statusRevoked:
		v.debug("found matching key w/out port")
		return true, v.checkPlain(s, ip, key)
	}
	return false, nil
}

// confirmed is a known host with the right key.
func (v *Verifier) confirmed(s sight, key ssh.PublicKey, found *entry, addressResult status) {
	kind := sshkey.TypeName(key)
	v.debug("Host '%s' is known and matches the %s host key.", s.name, kind)
	v.debug("Found key in %s:%d", found.file, found.line)
	v.trusted = !found.command && slices.Contains(v.policy.UserFiles, found.file)
	if !v.checkIP || addressResult != statusNew {
		v.showKey(key)
		return
	}
	switch {
	case !v.writable || s.withoutPort || found.command:
		v.notice(kind + " host key for IP address '" + s.ip + "' not in list of known hosts.")
	case v.add(key, s.ip) != nil:
		v.notice("Failed to add the " + kind + " host key for IP address '" + s.ip +
			"' to the list of known hosts (" + v.policy.UserFiles[0] + ").")
	default:
		v.notice("Warning: Permanently added the " + kind + " host key for IP address '" + s.ip +
			"' to the list of known hosts.")
	}
}

func (v *Verifier) showKey(key ssh.PublicKey) {
	if v.policy.VisualHostKey {
		hash := v.policy.FingerprintHash
		v.notice("Host key fingerprint is " + fingerprint(key, hash) + "\n" + randomart(key, hash))
	}
}

// changed refuses, or goes on without secrets if checking is off.
func (v *Verifier) changed(s sight, key ssh.PublicKey, found *entry, addressResult status, addressFound *entry) error {
	e := &ChangedError{
		Host: s.name, Type: sshkey.TypeName(key), Fingerprint: fingerprint(key, v.policy.FingerprintHash),
		KnownType: sshkey.TypeName(found.key), KnownFile: found.file, KnownLine: found.line,
	}
	if files := v.files(); len(files) > 0 {
		e.File = files[0]
	}
	differs := addressResult != statusChanged || addressFound != nil && !sshkey.Equal(addressFound.key, found.key)
	if v.checkIP && differs {
		e.Address = &AddressState{IP: s.ip, Known: addressResult != statusNew, Same: addressResult == statusOK}
		if addressFound != nil {
			e.Address.File, e.Address.Line = addressFound.file, addressFound.line
		}
	}
	if v.policy.Strict != "no" {
		return e
	}
	v.goOnUnsafe(e.warning())
	return nil
}

func (v *Verifier) refuseRevoked(name string, key ssh.PublicKey, found *entry) error {
	e := &RevokedError{
		Host: name, Type: sshkey.TypeName(key), Fingerprint: fingerprint(key, v.policy.FingerprintHash),
		File: found.file, Line: found.line,
	}
	if v.policy.Strict != "no" {
		return e
	}
	v.goOnUnsafe(e.warning())
	return nil
}

// goOnUnsafe lets a connection pass that nobody vouches for, without anything
// that whoever sits in the middle could make use of.
func (v *Verifier) goOnUnsafe(warning string) {
	v.unsafe = true
	v.alert(warning)
	v.alert("Password authentication is disabled to avoid man-in-the-middle attacks.")
	v.alert("Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.")
}

// address takes the address apart; "" stands for one that is not known.
func address(remote net.Addr) (ip string, local bool) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok || tcp.IP == nil || tcp.IP.IsUnspecified() {
		return "", false
	}
	return (&net.IPAddr{IP: tcp.IP, Zone: tcp.Zone}).String(), tcp.IP.IsLoopback()
}
