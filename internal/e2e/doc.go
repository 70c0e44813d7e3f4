// Package e2e runs the built program against the real thing: sshd, dropbear and
// TinySSH in namespaces of their own (real_*_test.go), the .exe under Wine
// (wine_*_test.go), and OpenSSH's own script through the stories that the
// program itself passes at the top of the module (oracle_test.go).
package e2e
