# What every script begins with: the shell's state, and functions that all of
# them use. It runs in whatever the server calls sh and needs nothing beyond
# POSIX utilities as busybox has them.
#
# A script takes requests on standard input and answers on standard output until
# standard input ends. Framed puts  M=<marker>  in front; the marker is random,
# and every line of an answer begins with it, so that whatever else writes to
# standard output is not taken for it. Data (paths, keys) only ever comes from read,
# never through eval.
#
# A request begins with "M " and a word, and ends with "M end". An answer: "M
# begin" as soon as the request is there, then lines "M word value", of which
# the last is for the script to choose.
#
# It sets M, nl, home, uid, os, node and descriptor 3, and the functions put, has,
# say, flush, number and next.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the scripts after it; M is set before it

# What a start-up file of the account exports must not shape what follows: the
# options of the shell and its functions, which bash hands down, and variables
# that change what the tools print.
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
unset IFS CDPATH ENV BASH_ENV FPATH LANG LANGUAGE \
	TIME_STYLE QUOTING_STYLE BLOCK_SIZE LS_BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE DU_BLOCK_SIZE \
	LS_OPTIONS LS_COLORS LSCOLORS CLICOLOR CLICOLOR_FORCE LS_SAMESORT COLUMNS TABSIZE COMMAND_MODE \
	GREP_OPTIONS GREP_COLOR GREP_COLORS POSIXLY_CORRECT POSIX_ME_HARDER _POSIX2_VERSION TZ
# Words are split in a few places, but never globbed.
set -f
umask 077
nl='
'
# The system's tools come before what the account has put in front of them.
PATH=/usr/bin:/bin:/usr/sbin:/sbin${PATH:+:$PATH}
# Solaris keeps the POSIX grep here.
[ -d /usr/xpg4/bin ] && PATH=/usr/xpg4/bin:$PATH
# Where messages go that nobody needs. Not every chroot has a /dev/null, and
# root must not make a file of that name.
if [ -c /dev/null ] && [ -w /dev/null ]; then
	exec 3>/dev/null
else
	exec 3>&2
fi

# The Korn shells without a built-in printf have print.
case ${KSH_VERSION-} in
'@(#)'*) put() { print -rn -- "$1"; } ;;
*) put() { printf %s "$1"; } ;;
esac

# has TOOL: whether there is such a program. What POSIX shells have built in
# takes the place of most: an account may see little of the system.
has() { command -v "$1" >&3 2>&3; }

out=
say() { out=$out$M\ $1$nl; }
flush() {
	put "$out"
	out=
}
# number TEXT: TEXT in number, 0 if it is none. Some shells run what they find
# in an arithmetic expression, so nothing unchecked gets into one.
number() {
	number=$1
	case $1 in '' | *[!0-9]*) number=0 ;; esac
}
# The next line of the request. Where the input ends, so do we.
next() { IFS= read -r "$1" || exit 0; }

home=${HOME-}
case $home in /*) ;; *) home=$(pwd) ;; esac
home=${home%/}
uid=$(id -u 2>&3)
case $uid in
'' | *[!0-9]*)
	uid=''
	{
		while read -r word row; do
			[ "$word" != Uid: ] || uid=${row%%[!0-9]*}
		done </proc/self/status
	} 2>&3
	;;
esac
# shellcheck disable=SC2046
set -- $(uname -sn 2>&3)
os=${1-} node=${2-}
if [ -z "$os" ]; then
	{ read -r os </proc/sys/kernel/ostype && read -r node </proc/sys/kernel/hostname; } 2>&3
fi
