module ssh-copy-id

go 1.26.0

require (
	github.com/Microsoft/go-winio v0.6.4
	github.com/davidmz/go-pageant v1.1.0
	github.com/kevinburke/ssh_config v1.6.0
	github.com/pkg/sftp v1.13.12
	github.com/spf13/pflag v1.1.0
	github.com/youmark/pkcs8 v0.0.0-20240726163527-a2c0da244d78
	golang.org/x/crypto v0.59.0
	golang.org/x/sys v0.50.0
	golang.org/x/term v0.48.0
)

// Test dependencies.
require (
	github.com/rogpeppe/go-internal v1.16.0
	mvdan.cc/sh/v3 v3.14.1
)

require (
	github.com/kr/fs v0.1.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
)
