# The way into another account, run by root before install.sh.
#
# It becomes that account, with its user id, group id and groups, in "/" and
# with a clean environment, and there runs what comes next on standard input,
# which is install.sh. So nothing is ever done with root's power in a directory
# that the account controls: a link placed there leads to what the account could
# write by itself, and what is created is the account's.
#
# The loader puts  M=<marker>  in front. Standard input then holds
#   the name of the account
#   the command that reads install.sh from there and runs it
#   install.sh and its requests
# Names only ever come from read, and go to programs as arguments.
#
# Where it cannot be done the answer to the request is "M fail start <reason>".
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh

# See prelude.sh.
set +e +u +C +a
PS4='+ ' LC_ALL=C
export LC_ALL
unalias -a
if [ -n "${BASH_VERSION-}" ]; then
	# shellcheck disable=SC3044
	for name in $(declare -F); do
		case $name in declare | -*) ;; *) unset -f "$name" ;; esac
	done
fi
unset IFS CDPATH ENV BASH_ENV FPATH
# Words are split in a few places, but never globbed.
set -f
nl='
'
# See prelude.sh.
PATH=/usr/bin:/bin:/usr/sbin:/sbin${PATH:+:$PATH}
# Solaris keeps the POSIX id here.
[ -d /usr/xpg4/bin ] && PATH=/usr/xpg4/bin:$PATH
export PATH

# The Korn shells without a built-in printf have print.
case ${KSH_VERSION-} in
'@(#)'*) put() { print -rn -- "$1"; } ;;
*) put() { printf %s "$1"; } ;;
esac

# fail REASON DETAIL
fail() {
	put "$nl$M begin$nl$M fail start $1$nl$M detail $2$nl$M end failed$nl"
	exit 0
}

# The next line of the input. Where it ends, so do we.
next() { IFS= read -r "$1" || exit 0; }

# sane NAME: whether an account may be called so. Beyond POSIX's characters are
# those of directory services: user@domain, DOMAIN\user, host$.
sane() {
	case $1 in
	'' | -* | +* | . | .. | *[!A-Za-z0-9._@+\\\$-]*) return 1 ;;
	esac
	[ ${#1} -le 256 ]
}

# entry NAME: sets row, the account's line of the password file. getent also
# takes a user id for a name, and busybox has none; id -P is that of macOS and
# FreeBSD, with more fields in the middle.
entry() {
	for source in getent id; do
		case $source in
		getent) row=$(getent passwd "$1" 2>/dev/null) ;;
		id) row=$(id -P "$1" 2>/dev/null) ;;
		esac
		row=${row%%"$nl"*}
		case $row in "$1:"*) return 0 ;; esac
	done
	{
		while IFS= read -r row; do
			case $row in "$1:"*) return 0 ;; esac
		done </etc/passwd
	} 2>/dev/null
	return 1
}

# digits TEXT...: whether each is a number.
digits() {
	[ $# -gt 0 ] || return 1
	for word in "$@"; do
		case $word in '' | *[!0-9]*) return 1 ;; esac
	done
}

# as WAY COMMAND: turns this process into COMMAND, run by sh as the account.
# The environment is clean before the switch already; those of the programs that
# make a new one put the same in it. None of them runs the login shell, which
# may be one that refuses.
as() {
	case $1 in
	runuser) set -- -u "$name" -- "$sh" -c "$2" ;;
	setpriv) set -- --reuid="$uid" --regid="$gid" --groups="$list" -- "$sh" -c "$2" ;;
	# util-linux, shadow, busybox and toybox.
	'su -s') set -- -s "$sh" -c "$2" "$name" ;;
	# The BSDs and macOS, where -m takes the shell from SHELL.
	'su -m') set -- -m "$name" -c "$2" ;;
	sudo) set -- -n -H -u "$name" -- "$sh" -c "$2" ;;
	doas) set -- -n -u "$name" "$sh" -c "$2" ;;
	# OpenWrt has no other. Without the file, which nobody can put there, it
	# would look for a shell that is running already.
	start-stop-daemon) set -- -S -q -c "$name" -p /nonexistent/pid -a "$sh" -- -c "$2" ;;
	chroot) set -- --userspec="$uid:$gid" --groups="$list" / "$sh" -c "$2" ;;
	esac
	exec env -i PATH="$PATH" LC_ALL=C HOME="$home" LOGNAME="$name" USER="$name" SHELL="$sh" "${way%% *}" "$@"
}

# works: whether way leads to the account, and to nothing more: with a group
# too many of root's, links could reach what the account cannot. Sets why.
works() {
	said=$(as "$way" "echo; echo $M is \$(id -u) \$(id -g) . \$(id -G)" </dev/null 2>&1)
	is=${said##*"$nl$M is "}
	is=${is%%"$nl"*}
	case $is in
	"$uid $gid . "*)
		# shellcheck disable=SC2086
		set -- ${is#*.}
		digits "$@" || return 1
		for group in "$@"; do
			case " $groups " in
			*" $group "*) ;;
			*)
				why="leaves group $group"
				return 1
				;;
			esac
		done
		return 0
		;;
	esac
	# What it complains of; lines of a trace may be among it.
	why=failed said=$said$nl
	while [ -n "$said" ]; do
		row=${said%%"$nl"*}
		said=${said#*"$nl"}
		case $row in
		+*) ;;
		*:*) why=${row#"${way%% *}: "} said='' ;;
		esac
	done
	return 1
}

cd /
# Set by next, and here for shellcheck.
name='' boot=''
next name
# Before the name there is a newline that the loader may have read.
[ -n "$name" ] || next name
next boot
me=$(id -u)
[ "$me" = 0 ] || fail 'not root' "user id $me"
sane "$name" || fail 'no account' 'not a name of an account'
uid=$(id -u "$name" 2>/dev/null) gid=$(id -g "$name" 2>/dev/null) groups=$(id -G "$name" 2>/dev/null)
# shellcheck disable=SC2086
if ! entry "$name" || ! digits "$uid" "$gid" $groups; then
	fail 'no account' 'the system does not know it'
fi
# Nobody would be switched to, and its home may be another than root's.
[ "$uid" -ne 0 ] || fail 'is root' 'the account has user id 0'
home=${row%:*}
home=${home##*:}
case $home in /*) ;; *) fail 'no account' 'it has no home directory' ;; esac
list='' tried='' why=''
for group in $groups; do list=$list${list:+,}$group; done
sh=$(command -v sh)
case $sh in /*) ;; *) sh=/bin/sh ;; esac
for way in runuser setpriv 'su -s' 'su -m' sudo doas start-stop-daemon chroot; do
	command -v "${way%% *}" >/dev/null 2>&1 || continue
	works && as "$way" "$boot"
	tried="$tried${tried:+; }$way: $why"
done
fail 'cannot switch' "${tried:-there is none of runuser, setpriv, su, sudo, doas, start-stop-daemon and chroot}"
