package cli

import "fmt"

// usageText is what -h, -? and a command line with an error show. name is the one
// that messages begin with.
func usageText(name string) string {
	return fmt.Sprintf("Usage: %s %s\n%s", name, synopsis, usageLines)
}

const synopsis = `[-h|-?|-f|-n|-s|-x] [-i [identity_file]] [-t target_path] [-F ssh_config] [[-o ssh_option] ...] [-p port] [user@]hostname`

const usageLines = `	-f: force mode -- add the keys without looking whether they are there already
	-n: dry run    -- tell what would be added, and change nothing
	-s: use sftp   -- change the file by sftp alone, for servers that run no commands
	-x: debug      -- trace what is done, on the remote side too
	-J: jump       -- go through this host, or these with commas between
	-G: config     -- print what ssh_config makes of the host, and do nothing
	-v: verbose    -- tell about the connection as ssh -v does; up to three times
	-h|-?: print this help
	--help: explain every option
`

// fullHelp is the text of --help.
func fullHelp(name string) string {
	return fmt.Sprintf("Usage: %s [option ...] [user@]hostname\n%s", name, helpText)
}

const helpText = `
Adds your public keys to the authorized_keys file of an account on another
machine, so that you can log in there without a password.

Which keys:
  -i, --identity [FILE]    install the key of FILE; .pub is added to the name
                           where it is missing and such a file is there; else
                           FILE is read: a .ppk of PuTTY, an SSH2 or PEM key,
                           the public half of a private key. Without FILE: the
                           newest ~/.ssh/id*.pub. Without -i: every key of the
                           agent, or else the newest ~/.ssh/id*.pub.
  -f, --force              add the keys without looking whether they are there
                           already; the private key need not be at hand
      --keygen             where there is no key, make one (Ed25519) and install
                           it: FILE of -i, or ~/.ssh/id_ed25519. Its passphrase
                           is asked for; no file is ever overwritten
      --no-passphrase      make that key without a passphrase

What stands around it:
      --restrict           let the key log in and nothing more: no forwarding,
                           no terminal
      --from LIST          only from these addresses or host names: patterns,
                           with commas between
      --command COMMAND    whoever logs in with the key gets this command only
      --expiry-time TIME   until then: YYYYMMDD[HHMM[SS]][Z]
      --key-option K[=V]   another option of authorized_keys, see sshd(8); may
                           be given several times
      --comment TEXT       this comment in place of the key's own

What is done:
  -n, --dry-run            tell what would be added, and change nothing
  -t, --target-path PATH   add to this file on the remote side instead of
                           .ssh/authorized_keys
  -s, --sftp               change the file by sftp alone, for servers that run
                           no commands
      --for-user NAME      as root: add to the file of this account, with its
                           rights
      --key-format FORMAT  openssh, or rfc4716 for servers that want keys
                           between BEGIN SSH2 PUBLIC KEY lines
      --print-commands PLATFORM
                           print what to type on an appliance that keeps keys in
                           its configuration, for the user that the hostname is
                           given with, and do nothing; "list" names them
      --diagnose           tell why the server refuses the keys, and what mends
                           it; change nothing. Exit with 0 if it accepts them
      --no-repair          leave permissions as they are, even where they make
                           the server ignore the keys
      --verify             exit with status 1 if the server refuses a key that
                           has been added
      --no-verify          do not ask the server whether it accepts the keys

How to get there:
  -p, --port PORT          port of the SSH server
  -F, --config FILE        read FILE in place of the usual ssh_config files;
                           "none" reads no file at all
  -o, --option LINE        a line of ssh_config, as in -o Port=2222; may be
                           given several times
  -J, --jump HOST[,HOST]   go through these hosts (ProxyJump)
      --host-key PRINT     take an unknown host whose key has this fingerprint,
                           SHA256:..., without a question, and refuse another;
                           may be given several times
      --password-file FILE use the first line of FILE as the password; "-" is
                           standard input
      --password-fd N      read the password from this open file descriptor
      --password-env NAME  take it from this environment variable
  -G, --print-config       print what ssh_config makes of the host, in the
                           format of ssh -G, and do nothing else

What is told:
  -v, --verbose            tell about the connection as ssh -v does; -vv and
                           -vvv tell more
  -x, --debug              trace what is done, on the remote side too
  -h, -?, --usage          print the short usage, with exit status 1
      --help               print this text
      --version            print the version

The word after -i is its file if another word is left to be the host;
"-i -- WORD" makes it the host. Options may follow the host.

The exit status is 0 if the keys are on the remote side, whether they had to be
added or not, and 1 otherwise: also where the server refuses a key although its
file has the very line. See ssh-copy-id(1).
`
