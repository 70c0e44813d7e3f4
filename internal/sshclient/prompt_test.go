package sshclient

import "testing"

func TestAsksForPassword(t *testing.T) {
	for _, tt := range []struct {
		introduction, prompt string
		want                 bool
	}{
		{"", "Password: ", true},
		{"", "password:", true},
		{"", "Password for alice@box:", true}, // FreeBSD
		{"", "alice@box's password: ", true},
		{"", "(alice@box) Password: ", true},
		{"", "Password for alice: ", true},
		{"", "Enter your LDAP password: ", true},
		{"", "(current) UNIX password: ", true},
		{"", "Current password: ", true},
		{"", "Warning: your password will expire in 3 days.\nPassword: ", true},
		{"Welcome to the new server\n", "Password: ", true},
		{"", "Passwort: ", true},
		{"", "Passwort für alice: ", true},
		{"", "Kennwort:", true},
		{"", "Mot de passe : ", true},
		{"", "Contraseña: ", true},
		{"", "Пароль: ", true},
		{"", "密码：", true},
		{"", "密碼:", true},
		{"", "パスワード:", true},
		{"", "암호: ", true},
		// The names of user and host are no part of the question.
		{"", "Password for token@new.example.com: ", true},
		{"", "new-box password: ", false},

		{"", "", false},
		{"", "   \n", false},
		{"", "Verification code: ", false},
		{"", "\n\n\nEnter passphrase for key '/home/alice/.ssh/id_ed25519': ", false},
		{"", "Password for key '/home/alice/.ssh/id_rsa': ", false},
		{"", "One-time password (OATH) for `alice': ", false},
		{"", "One-Time Password:", false},
		{"", "Token: ", false},
		{"", "Token password: ", false},
		{"", "Duo passcode: ", false},
		{"", "Passcode or option (1-3): ", false},
		{"", "Password + OTP: ", false},
		{"", "Password+Code: ", false},
		{"", "Password & PIN: ", false},
		{"", "Password/OTP: ", false},
		{"", "Password and second factor: ", false},
		{"", "Password or PIN: ", false},
		{"", "PIN: ", false},
		{"", "Enter PIN for smart card: ", false},
		{"", "New password: ", false},
		{"", "Enter new UNIX password: ", false},
		{"", "Retype new password: ", false},
		{"", "Password again: ", false},
		{"", "First Factor: ", false},
		{"", "S/Key response: ", false},
		{"otp-md5 97 ke1234\n", "Password: ", false},
		{"Enter the code of your authenticator app\n", "Password: ", false},
		{"", "Your password has expired.\nResponse: ", false},
		{"", "Yubikey for alice: ", false},
		{"", "Login: ", false},
		{"", "Passwords: ", false},
		{"", "Einmalpasswort: ", false},
		{"", "Neues Passwort: ", false},
		{"", "Passwort wiederholen: ", false},
		{"", "Nouveau mot de passe : ", false},
		{"", "Mot de passe à usage unique : ", false},
		{"", "Nueva contraseña: ", false},
		{"", "Новый пароль: ", false},
		{"", "Одноразовый пароль: ", false},
		{"", "验证码：", false},
		{"", "动态密码：", false},
		{"", "新密码：", false},
		{"", "新しいパスワード:", false},
		{"", "ワンタイムパスワード:", false},
		{"", "새 암호: ", false},
	} {
		if got := asksForPassword(tt.introduction, tt.prompt, "alice", "box"); got != tt.want {
			t.Errorf("after %q, %q: %v, want %v", tt.introduction, tt.prompt, got, tt.want)
		}
	}
	for _, name := range []string{"token", "new", "pin", "or"} {
		if !asksForPassword("", "Password for "+name+": ", name, "code") || !asksForPassword("", "code password: ", name, "code") {
			t.Errorf("user %q: the name is taken for a part of the question", name)
		}
	}
}
