package hostkey

import (
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// checkCert judges a host certificate whose authority is known, for the name
// without a port. It returns ssh's words for what is wrong, or ""
// (sshkey_cert_check_host in sshkey.c).
func (v *Verifier) checkCert(cert *ssh.Certificate) string {
	name := v.host
	if v.policy.Alias != "" {
		name = v.policy.Alias
	}
	now := time.Now().Unix()
	principal := ""
	switch {
	case cert.CertType != ssh.HostCert:
		return "Certificate invalid: not a host certificate"
	case now < 0 || uint64(now) < cert.ValidAfter:
		return "Certificate invalid: not yet valid"
	case uint64(now) >= cert.ValidBefore:
		return "Certificate invalid: expired"
	}
	if len(cert.ValidPrincipals) > 0 {
		i := slices.IndexFunc(cert.ValidPrincipals, func(p string) bool { return name == p })
		if i < 0 {
			return "Certificate invalid: name is not a listed principal"
		}
		principal = cert.ValidPrincipals[i]
	}
	if len(cert.CriticalOptions) > 0 {
		return "Certificate contains unsupported critical options(s)"
	}
	if !v.signatureAllowed(cert.Signature.Format) {
		return "Certificate signed with disallowed algorithm"
	}
	// The signature of the authority itself.
	if err := new(ssh.CertChecker).CheckCert(principal, cert); err != nil {
		return "Certificate invalid: " + err.Error()
	}
	return ""
}

func (v *Verifier) signatureAllowed(format string) bool {
	if v.policy.CASignatureAlgorithms == nil {
		return format != ssh.KeyAlgoRSA && format != "ssh-dss"
	}
	return slices.Contains(v.policy.CASignatureAlgorithms, format)
}
