package sshclient_test

import (
	"errors"
	"testing"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest"
)

// TestExpiredPasswordInteractive: what PAM asks after an expired password is not
// answered with the one that was given, and is known for what it is.
func TestExpiredPasswordInteractive(t *testing.T) {
	for _, c := range []struct {
		name, second string
		expired      bool
	}{
		{"pam_unix", "You are required to change your password immediately (administrator enforced).\nCurrent password: ", true},
		{"new one at once", "New password: ", true},
		{"second factor", "Verification code: ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			answered := make(chan bool, 1)
			o := hostile(t, func(s *sshtest.RawConn) error {
				if err := s.AwaitMethod("keyboard-interactive"); err != nil {
					return err
				}
				if err := s.WritePacket(infoRequest(1, "Password: ")); err != nil {
					return err
				}
				if _, err := s.ReadPacket(); err != nil {
					return err
				}
				if err := s.WritePacket(infoRequest(1, c.second)); err != nil {
					return err
				}
				_, err := s.ReadPacket()
				answered <- err == nil
				return err
			})
			o.Password, o.UI.Secret, o.UI.Line = []byte("secret"), nil, nil
			_, err := connect(t, o)
			var auth *sshclient.AuthError
			if !errors.As(err, &auth) || auth.PasswordExpired != c.expired {
				t.Errorf("%T %+v", err, err)
			}
			if <-answered {
				t.Error("the second question was answered")
			}
		})
	}
}
