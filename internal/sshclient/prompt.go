package sshclient

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// passwordWords ask for the password of an account, in the languages that PAM
// and sshd are translated to. They are looked for in the last line of a prompt.
var passwordWords = []string{
	"password", "passwort", "kennwort", "mot de passe", "contraseña", "contrasenya", "senha", "palavra-passe",
	"wachtwoord", "lösenord", "adgangskode", "passord", "salasana", "hasło", "heslo", "jelszó", "parola", "şifre",
	"пароль", "κωδικός πρόσβασης", "סיסמה", "密码", "密碼", "パスワード", "암호", "비밀번호", "mật khẩu", "kata sandi",
}

// factorWords name something else that is secret: a code, a token, the
// passphrase of a key. They count anywhere in what the server shows.
var factorWords = []string{
	"passphrase", "passcode", "otp", "totp", "hotp", "token", "tokencode", "one-time", "one time", "onetime", "single-use",
	"verification", "authenticator", "securid", "yubikey", "duo", "2fa", "mfa", "factor", "sms", "challenge", "s/key", "opie",
	"einmalpasswort", "einmalkennwort", "usage unique", "vérification", "verificación", "verificação", "verifica", "un solo uso",
	"одноразовый", "одноразовый код", "验证", "驗證", "动态", "動態", "一次性", "ワンタイム", "認証コード", "인증", "일회용",
}

// otherWords make a prompt ask for something else than the password that is
// valid now: a new one, the same once more, something besides it. They count in
// the last line.
var otherWords = []string{
	"new", "retype", "re-enter", "reenter", "repeat", "again", "confirm", "verify", "code", "pin", "key", "response", "phrase", "and", "or",
	"neues", "neue", "neuen", "wiederholen", "erneut", "nochmals", "bestätigen", "nouveau", "confirmez", "retapez", "nueva", "nuevo",
	"repita", "confirme", "código", "nuova", "nova", "novamente", "nieuw", "nieuwe", "nytt", "nowe", "новый", "повторите", "код",
	"新", "再", "确认", "確認", "새", "다시", "확인",
}

var addressed = regexp.MustCompile(`\S*@\S*`)

// asksForPassword reports whether a prompt of keyboard-interactive asks for the
// password of the account, and nothing else. introduction is what the server
// shows before it. Whatever is not understood is for a prompt: a password that is
// sent in place of a code ends up in the log of another system. The names of
// user and host are no part of the question.
func asksForPassword(introduction, prompt, user, host string) bool {
	whole := words(introduction+"\n"+prompt, user, host)
	last := words(lastLine(prompt), user, host)
	return !containsAny(whole, factorWords) && !containsAny(last, otherWords) && !strings.ContainsAny(last, "+&") &&
		containsAny(last, passwordWords)
}

// expiredWords are what PAM says, before or in its question, of a password that
// has to be changed (pam_unix and its kin; sshd does not translate them).
var expiredWords = []string{"password has expired", "password expired", "required to change your password", "change your password", "new password"}

// saysExpired reports whether questions after an accepted password are about a
// new one.
func saysExpired(questions []string) bool {
	text := strings.ToLower(strings.Join(questions, "\n"))
	return slices.ContainsFunc(expiredWords, func(words string) bool { return strings.Contains(text, words) })
}

// lastLine is the last line of a text that is not blank: sshd puts PAM's remarks
// before its question.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexAny(text, "\r\n")+1:]
}

// words is text in small letters without the names in it.
func words(text, user, host string) string {
	text = addressed.ReplaceAllString(strings.ToLower(text), " ")
	for _, name := range []string{user, host} {
		text = removeWord(text, strings.ToLower(name))
	}
	return text
}

func removeWord(text, word string) string {
	for from := 0; ; {
		at := wordAt(text[from:], word)
		if at < 0 {
			return text
		}
		text = text[:from+at] + " " + text[from+at+len(word):]
		from += at
	}
}

func containsAny(text string, list []string) bool {
	for _, word := range list {
		if wordAt(text, word) >= 0 {
			return true
		}
	}
	return false
}

// wordAt finds a word that is no part of a longer one; in scripts that do not
// part words, anywhere. It returns -1 where there is none.
func wordAt(text, word string) int {
	if word == "" {
		return -1
	}
	parted := true
	for _, r := range word {
		parted = parted && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return -1
		}
		at += from
		if !parted || !letterBefore(text[:at]) && !letterAfter(text[at+len(word):]) {
			return at
		}
		from = at + len(word)
	}
}

func letterBefore(text string) bool {
	letters := strings.TrimRightFunc(text, isWordRune)
	return len(letters) < len(text)
}

func letterAfter(text string) bool {
	letters := strings.TrimLeftFunc(text, isWordRune)
	return len(letters) < len(text)
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
