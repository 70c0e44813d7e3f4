#!/bin/sh
# The remote half of package remote. It runs in whatever the server calls sh
# and needs nothing beyond POSIX utilities as busybox has them.
#
# It takes requests on standard input and answers on standard output until
# standard input ends. The loader puts  M=<marker>  in front; the marker is
# random, and every line of an answer begins with it, so that whatever else
# writes to standard output is told apart. Data (paths, keys) only ever comes
# from read, never through eval.
#
# A request:
#   M read|add [repair] [guard]
#   the target path as the person gave it, empty: the account's own file
#   what must hold before lines are added: none (no line contains a blob), any,
#     or a sum as answered earlier
#   number of blobs, then one blob a line
#   number of lines, then the lines to add
#   length of the lines in bytes and in characters, newlines counted
#   sums of the lines; sums of a newline and the lines
#   M end
#
# An answer: "M begin" as soon as the request is there, then lines "M word
# value", then "M end state" (the file as it is; nothing was changed), "M end
# applied" or "M end failed". Lines "M wait" come in between while somebody
# else holds the lock.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh

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
for tool in cksum sha256sum none; do
	has "$tool" && break
done

# locate TARGET: sets file and dir, and which of home and dir are ours to mend.
locate() {
	# shellcheck disable=SC2016,SC2088
	case $1 in
	'') file=$home/.ssh/authorized_keys ;;
	/*) file=$1 ;;
	'~/'*) file=$home/${1#??} ;;
	'$HOME/'*) file=$home/${1#??????} ;;
	'${HOME}/'*) file=$home/${1#????????} ;;
	*) file=$home/$1 ;;
	esac
	# Systems that have another file in place of ~/.ssh/authorized_keys. One that
	# is asked for by name is taken everywhere.
	own=$os
	[ -z "$1" ] || own=given
	if [ "$own" = Haiku ]; then
		file=$home/config/settings/ssh/authorized_keys
	elif [ "$own" = VMkernel ]; then
		# ESXi; its AuthorizedKeysFile is /etc/ssh/keys-%u/authorized_keys.
		account=${LOGNAME:-${USER-}}
		file=/etc/ssh/keys-$account/authorized_keys
		case $account in
		'' | */* | *"$nl"*)
			# Whose file it is cannot be told, so this is the last answer.
			file='' real=''
			fail target failed 'LOGNAME: holds no account name'
			flush
			exit 0
			;;
		esac
	elif [ "$own" != given ] && [ "$uid" = 0 ]; then
		if [ -f /etc/openwrt_release ]; then
			file=/etc/dropbear/authorized_keys
		elif [ -d /nsconfig ] && { [ -e /netscaler ] || has nscli; }; then
			# Citrix NetScaler (ADC): what is below /root goes with a restart.
			file=/nsconfig/ssh/authorized_keys
			say "note $file opens every local account; neither /flash nor /flash/nsconfig may be writable for the group or others"
		fi
	fi
	dir=${file%/*}
	mendhome='' menddir=''
	case $1:$dir in
	# Those directories have the modes that the system gave them.
	:/etc/ssh/keys-* | :/nsconfig/ssh) ;;
	:"$home"/* | *:"$home/.ssh") mendhome=1 menddir=1 ;;
	:*) menddir=1 ;;
	esac
	# The helper of Fedora CoreOS reads a directory as well, before the file.
	# shellcheck disable=SC2088
	if [ "$file" = "$home/.ssh/authorized_keys" ] && [ -d "$file.d/" ] && [ -n "$(ls -A "$file.d/" 2>&3)" ]; then
		say 'note ~/.ssh/authorized_keys.d holds files, which the server may read before authorized_keys'
	fi
}

# entry PATH: what ls tells of it, links followed, in mode, owner and size.
entry() {
	mode='' owner=''
	row=$(ls -ldnL "$1" 2>&3) || return 1
	# shellcheck disable=SC2086
	set -- $row
	mode=$1 owner=$3
}

# measure FILE: sets size, in bytes, counted where that is possible.
measure() {
	if has wc; then
		size=$(wc -c <"$1" 2>&3)
		# shellcheck disable=SC2086
		set -- $size
		size=${1-}
	else
		size=''
		row=$(ls -ldnL "$1" 2>&3)
		# shellcheck disable=SC2086
		set -- $row
		size=${5-}
	fi
	case $size in
	'' | *[!0-9]*)
		why='wc: not found'
		return 1
		;;
	esac
}

# ours PATH: whether the account owns it.
ours() {
	if has ls; then
		entry "$1" && [ "$owner" = "$uid" ]
	else
		# Not of POSIX, but of every shell that is small.
		# shellcheck disable=SC3067
		[ -O "$1" ]
	fi
}

# list PATH: in rows, ls -ldn of every directory down to PATH, and of PATH;
# with a second argument that one is an option for ls.
list() {
	rest=${1#/} at='' more=${2-}
	set -- /
	while [ -n "$rest" ]; do
		at=$at/${rest%%/*}
		set -- "$@" "$at"
		case $rest in
		*/*) rest=${rest#*/} ;;
		*) rest='' ;;
		esac
	done
	rows=$(ls -ldn ${more:+"$more"} "$@" 2>&3)
}

# linked PATH: sets row, where the link leads.
linked() {
	if has readlink; then
		row=$(readlink "$1" 2>&3 && put .)
		row=${row%"$nl."}
	else
		row=$(ls -ld "$1" 2>&3)
		row=${row#*" $1 -> "}
	fi
	[ -n "$row" ]
}

# physical PATH: sets real, the path with every link resolved.
physical() {
	real=$1 hops=0
	while [ -h "$real" ] && [ "$hops" -lt 20 ]; do
		linked "$real" || break
		case $row in
		/*) real=$row ;;
		*) real=${real%/*}/$row ;;
		esac
		hops=$((hops + 1))
	done
	row=$(cd -P "${real%/*}/" 2>&3 && pwd -P) && real=${row%/}/${real##*/}
}

# survey: looks along the path, and says where the file really is.
survey() {
	list "$file"
	facts=$rows$nl real=$file realdir=$dir/ realhome=$home
	case $nl$rows$file/ in
	*"${nl}l"* | */../*)
		list "$file" -L
		facts=$facts$rows$nl
		physical "$home/."
		realhome=${real%/.}
		physical "$dir/."
		realdir=$real
		physical "$file"
		list "$real"
		facts=$facts$rows$nl
		;;
	esac
	inhome='' dirinhome=''
	case $real in "$realhome"/*) inhome=1 ;; esac
	case $realdir in "$realhome"/*) dirinhome=1 ;; esac
}

sayfacts() {
	say "home ${home:-/}"
	say "user ${LOGNAME:-${USER-}}"
	say "uid $uid"
	say "os $os"
	say "path $file"
	[ "$real" = "$file" ] || say "real $real"
	rest=$facts
	while [ -n "$rest" ]; do
		row=${rest%%"$nl"*}
		rest=${rest#*"$nl"}
		[ -z "$row" ] || say "fact $row"
	done
}

# digest FILE: sets total, one word that changes with the content.
digest() {
	total=absent
	[ -e "$1" ] || return 0
	case $tool in
	none) measure "$1" && total=size:$size ;;
	*)
		total=$("$tool" <"$1") || return 1
		# shellcheck disable=SC2086
		set -- $total
		[ "$tool" = cksum ] && total=cksum:$1:$2 || total=$tool:$1
		;;
	esac
}

# istext FILE: it is not UTF-16 by its structure (File.UTF16 in package
# authkeys): the first two characters are ASCII with a NUL each, or a byte order
# mark is there and the first NUL is half of such a character. Latin-1 in a
# comment and a block of NULs do not matter. In what is looked at, 0 is NUL,
# f and e are the bytes of a mark.
istext() {
	begin=$(dd bs=512 count=1 <"$1" 2>&3 | tr -c '\000\376\377' x | tr '\000\376\377' 0ef)
	row=${begin%%0*}
	case $begin in
	[!0]0[!0]0* | 0[!0]0[!0]*) return 1 ;;
	fe*0*) [ $((${#row} % 2)) -eq 0 ] ;;
	ef*0*)
		case ${begin#"$row"} in
		0[!0]*) [ $((${#row} % 2)) -eq 1 ] ;;
		esac
		;;
	esac
}

# islined FILE: its last byte is a newline, or it is empty.
islined() {
	[ -s "$1" ] || return 0
	if has tail && has wc; then
		# shellcheck disable=SC2046
		[ $(tail -c 1 "$1" | wc -l) -eq 1 ]
	else
		row=''
		while IFS= read -r row; do :; done <"$1"
		[ -z "$row" ]
	fi
}

# mend WANT PATH: WANT is go-w, 700 or 600. Only what the account owns, and
# a mode that is stricter already stays. With plan set nothing is changed.
mend() {
	entry "$2" || return 0
	[ "$owner" = "$uid" ] || return 0
	case $1,$mode in
	700,drwx--[-S]--[-T]* | 600,-[r-][w-]-------*) return 0 ;;
	# A world-writable home with the sticky bit is a shared directory.
	go-w,d????????[tT]*) return 0 ;;
	700,d* | 600,-*) ;;
	go-w,?????w* | go-w,????????w*) ;;
	*) return 0 ;;
	esac
	if [ -n "$plan" ]; then
		say "would $1 $mode $2"
		return 0
	fi
	from=$mode how=$1
	[ "$how" = 600 ] && how=u-x,go-rwx
	if why=$(chmod "$how" "$2" 2>&1) && entry "$2"; then
		say "mended $from $mode $2"
	else
		cause "$why"
		case $why in
		*chmod*) say "note $why" ;;
		*) say "note chmod: $why" ;;
		esac
	fi
}
menddirs() {
	if [ -n "$mendhome" ]; then
		mend go-w "${home:-/}"
		# A linked directory outside the home is somebody else's business.
		[ -z "$dirinhome" ] || mend 700 "$dir"
	elif [ -n "$menddir" ]; then
		mend 700 "$dir"
	fi
}
mendfile() {
	if [ -n "$inhome" ] || [ "$dir" = /etc/dropbear ]; then
		mend 600 "$file"
	elif [ "$real" = "$file" ]; then
		mend go-w "$file"
	fi
}

# cause TEXT: the line of what a tool printed that says what went wrong, in
# why; a trace may be among it.
cause() {
	why='' rest=$1$nl
	while [ -n "$rest" ]; do
		row=${rest%%"$nl"*}
		rest=${rest#*"$nl"}
		case $row in
		+*) ;;
		*:*) why=$row rest='' ;;
		esac
	done
}

# fail STAGE REASON [DETAIL]: DETAIL is what a tool printed.
fail() {
	cause "${3-}"
	refuse "$1" "$2" "$why"
}
# refuse STAGE REASON DETAIL
refuse() {
	say "fail $1 $2"
	say "detail $3"
	sayfacts
	say 'end failed'
}

# usable: whether file is something keys can be in.
usable() {
	if [ -d "$file" ] || [ "$file" = "$dir/" ]; then
		fail target directory
	elif [ -e "$file" ] && ! [ -f "$file" ]; then
		fail target irregular
	elif [ -e "$file" ] && ! [ -r "$file" ]; then
		fail target unreadable
	else
		return 0
	fi
	return 1
}

# search [-e BLOB]...: the lines of the file that hold one of the blobs, with
# their numbers, as grep -n prints them.
search() {
	if has tr && has grep; then
		# A NUL would make grep call the file binary and hold back the lines.
		tr '\000' '\001' <"$file" | grep -n -F "$@"
		return
	fi
	at=0
	while IFS= read -r row || [ -n "$row" ]; do
		at=$((at + 1))
		for blob; do
			case $blob,$row in
			-e,*) ;;
			*,*"$blob"*) put "$at:$row$nl" && break ;;
			esac
		done
	done <"$file"
}

# candidates: standard input as lines of the answer.
candidates() {
	if has head && has sed; then
		head -n 10001 | sed "s/^/$M line /"
		return
	fi
	at=0
	while [ "$at" -le 10000 ] && IFS= read -r row; do
		at=$((at + 1))
		put "$M line $row$nl"
	done
}

# report [-e BLOB]...: the state of the file; changes nothing.
report() {
	sayfacts
	plan=1
	menddirs
	mendfile
	plan=
	if [ -e "$file" ]; then
		measure "$file" && say "size $size"
		islined "$file" || say unlined
		istext "$file" || say nottext
		if [ $# -gt 0 ] && [ -s "$file" ]; then
			flush
			search "$@" | candidates
		fi
	fi
	if [ "$uid" = 0 ] && [ -n "$target" ] && foreign "$file"; then
		say "foreign $who"
	fi
	digest "$file"
	say "sum $total"
	say 'end state'
}

# agrees [-e BLOB]...: 0 when the file is as the request demands, 1 when it is
# not, 2 when that cannot be told.
agrees() {
	case $expect in
	any) return 0 ;;
	none)
		[ -s "$file" ] && [ $# -gt 0 ] || return 0
		if ! has grep; then
			[ -z "$(search "$@")" ]
			return
		fi
		grep -q -F "$@" "$file" 2>&3
		case $? in
		0) return 1 ;;
		1) return 0 ;;
		esac
		return 2
		;;
	esac
	digest "$file" || return 2
	[ "$total" = "$expect" ]
}

# check [-e BLOB]...: agrees, and the answer where it does not.
check() {
	agrees "$@"
	case $? in
	0) return 0 ;;
	1) report "$@" ;;
	*) fail compare tool ;;
	esac
	return 1
}

# While the lock is held nothing short of KILL stops us: the work in between is
# a few milliseconds, and half of it done is what must not be.
calm() { trap '' HUP INT QUIT TERM PIPE; }
alert() { trap - HUP INT QUIT TERM PIPE; }

# nap: adds what it slept to idle, in tenths of a second.
nap() {
	# Many that wait for each other look less often the longer it takes: on a
	# small machine looking is most of the work.
	tenths=$((($$ + idle) % 3 + 1 + (idle < 200 ? idle / 20 : 10)))
	if sleep "0.$tenths" 2>&3; then
		idle=$((idle + tenths))
	elif sleep 1; then
		idle=$((idle + 10))
	else
		why='sleep: not found'
		return 1
	fi
}

# stale LOCK OWNER: the owner died on this machine, or has shown no change for
# 20 seconds, which is a thousand times what it needs. What another account
# left there is never touched: it may be a trap.
stale() {
	if [ $((idle - since)) -lt 200 ]; then
		case $2 in
		# Its directory lets nothing be removed.
		free) ;;
		"$node "*)
			pid=${2#* }
			pid=${pid%% *}
			case $pid in '' | *[!0-9]*) return 1 ;; esac
			! kill -0 "$pid" 2>&3 || return 1
			;;
		*) return 1 ;;
		esac
	fi
	! [ -h "$1" ] && ours "$1"
}

# peek FILE: sets was to its first line, if it is a regular file: what a link or
# a pipe in its place leads to is never opened.
peek() {
	was=''
	[ -f "$1" ] && ! [ -h "$1" ] && { IFS= read -r was <"$1"; } 2>&3
}

# seize LOCK OWNER: takes over in place a lock left behind, once among all who
# try, and undoes an append that was cut short.
seize() {
	[ $((idle - since)) -lt 200 ] || rmdir "$1/seized" 2>&3
	mkdir "$1/seized" 2>&3 || return 1
	peek "$1/owner"
	if [ "$was" != "$2" ]; then
		rmdir "$1/seized" 2>&3
		return 1
	fi
	put "$me$nl" >"$1/owner"
	undone=''
	if [ -h "$1/journal" ]; then
		# From a full disk; see append. What was appended is known if it was the same.
		linked "$1/journal"
		number "$row"
		if [ "$number" = "$row" ]; then
			rollback "$number" "$data"
			[ -n "$undone" ] || rollback "$number" "$nl$data"
		fi
	elif [ -f "$1/journal" ] && [ -f "$1/data" ] && ! [ -h "$1/data" ]; then
		was='' where='' fin=''
		{ { IFS= read -r was && IFS= read -r where && IFS= read -r fin; } <"$1/journal"; } 2>&3
		number "$was"
		if [ "$fin" = end ] && [ "$where" = "$file" ]; then
			whole=$(cat "$1/data" && put .)
			rollback "$number" "${whole%.}"
		fi
	fi
	[ -z "$undone" ] || say "note recovered $file"
	rm -f "$1/data" "$1/journal"
	rmdir "$1/seized"
}

# hold LOCK: makes the directory LOCK ours; returns 1 where there can be no
# such directory, 2 when somebody held it for 30 seconds, or others have been
# quicker for two minutes.
hold() {
	idle=0 since=0 told=0 last='' misses=0
	while :; do
		calm
		why='File exists'
		# Only one of many makes it, and looking costs no process.
		if ! [ -e "$1" ] && why=$(mkdir "$1" 2>&1); then
			# Without rm it could not be taken out again.
			has rm && { put "$me$nl" >"$1/owner"; } 2>&3
			return 0
		fi
		if [ -d "$1" ] && ! [ -h "$1" ]; then
			misses=0
			if ours "$1"; then
				peek "$1/owner"
				[ "$was" = "$last" ] || since=$idle
				last=$was
				if stale "$1" "$last" && seize "$1" "$last"; then
					return 0
				fi
			elif [ "$1" = "$intmp" ]; then
				# What another account has put there is no lock of ours.
				alert
				return 1
			fi
			alert
			[ $((idle - since)) -lt 300 ] && [ "$idle" -lt 1200 ] || return 2
			# Every second, so that the client knows that we are there.
			if [ "$idle" -ge "$told" ]; then
				put "$nl$M wait $((idle / 10)) $last$nl"
				told=$((idle + 10))
			fi
			nap || return 2
		else
			alert
			# It may have gone between the two looks at it, but not every time.
			misses=$((misses + 1))
			[ "$misses" -lt 5 ] || return 1
			case $why in *'File exists'*) ;; *) return 1 ;; esac
		fi
	done
}

# places: where the lock may be: beside the file if that directory is the
# account's own; else, or where it cannot be, in the home, or in /tmp.
places() {
	beside=$file.ssh-copy-id.lock
	athome=$home/.ssh-copy-id.lock
	intmp=/tmp/.ssh-copy-id.$uid.lock
}

# lock: takes the lock. Where there is no place for one, lock is empty: the
# account may be able to write to the file all the same.
lock() {
	me="$node $$ $M"
	lock=''
	places
	ours "$dir/" || beside=
	# Nothing can be taken out of such a directory.
	if [ -n "$beside" ] && [ "$os" = Linux ] && has lsattr; then
		row=$(lsattr -d "$dir/" 2>&3)
		case ${row%% *} in *a*) beside='' ;; esac
	fi
	if has mkdir && { has rm || has rmdir; }; then
		for lock in ${beside:+"$beside"} "$athome" "$intmp"; do
			hold "$lock"
			case $? in
			0) return 0 ;;
			2) return 1 ;;
			esac
		done
	fi
	lock=''
	calm
}

unlock() {
	if [ -n "$lock" ]; then
		# Only one that stays is still ours: another may have been made by now.
		rm -rf "$lock" 2>&3 || rmdir "$lock" 2>&3 || { put "free$nl" >"$lock/owner"; } 2>&3
	fi
	alert
}

# behind SIZE: sets got to what follows SIZE bytes in the file, or to all of it
# where nothing can skip them, with a dot as the end; empty if it cannot be read.
behind() {
	if has tail; then
		got=$(tail -c "+$(($1 + 1))" "$file" 2>&3 && put .)
	elif has dd; then
		got=$(dd bs=1 skip="$1" <"$file" 2>&3 && put .)
	else
		got='' row=''
		while IFS= read -r row; do got=$got$row$nl; done <"$file"
		got=$got$row.
	fi
}

# rollback SIZE TEXT: if all that follows SIZE is a beginning of TEXT, it is
# our own unfinished work, and goes. undone is set if something went, torn if
# something should have and did not.
rollback() {
	undone='' torn=''
	has tail || has dd || return 0
	behind "$1"
	rest=${got%.}
	[ -n "$rest" ] && [ "$rest" != "$2" ] || return 0
	case $2 in
	"$rest"*)
		if { : | dd of="$file" bs=1 seek="$1"; } 2>&3 || truncate -s "$1" "$file" 2>&3; then
			undone=1
		else
			torn=1
		fi
		;;
	esac
}

# journal: notes in the lock what is about to be appended. Returns 1 if the text
# is not what the client sent, and sets noted: all for a whole note; or for one
# that is a link, with the size of the file, which takes no room on a full disk;
# or empty where none can be made. Then the write that follows is the only one,
# and what a kill in the midst of it leaves is a last line without a newline:
# no key, and closed by whoever appends next.
journal() {
	noted=''
	if [ -n "$lock" ] && has rm; then
		why=$({ put "$text" >"$lock/data"; } 2>&1)
		digest "$lock/data"
		case " $sums " in
		*" $total "*)
			why=$({ put "$old$nl$file${nl}end$nl" >"$lock/journal"; } 2>&1)
			{ { IFS= read -r was && IFS= read -r where && IFS= read -r fin; } <"$lock/journal"; } 2>&3
			[ "$was$nl$where$nl$fin" != "$old$nl$file${nl}end" ] || noted=all
			;;
		esac
		[ -z "$noted" ] || return 0
		rm -f "$lock/data" "$lock/journal"
	fi
	case $tool in
	none) total=size:${#text} ;;
	*)
		# shellcheck disable=SC2046
		set -- $(put "$text" | "$tool")
		[ "$tool" = cksum ] && total=cksum:$1:$2 || total=$tool:$1
		;;
	esac
	case " $sums " in *" $total "*) ;; *) return 1 ;; esac
	if [ -n "$lock" ] && [ "$lock" = "$beside" ] && has rm && has ln; then
		ln -s "$old" "$lock/journal" 2>&3 && noted='link'
	fi
	return 0
}

# append: one write of all lines; then looks whether they are there. Returns 1
# if they are not, 2 if that cannot be told.
append() {
	old=0 fresh=1 why='' torn=''
	if [ -e "$file" ]; then
		measure "$file" || return 1
		old=$size fresh=
	fi
	text=$data sums=$plain bytes=$length
	if ! islined "$file"; then
		text=$nl$data sums=$joined bytes=$((length + 1))
	fi
	if ! journal; then
		why='lines: not as they were sent'
		return 1
	fi
	if [ "$noted" = all ] && has dd; then
		# One read of it all, one write of it all.
		why=$({ dd bs="$bytes" <"$lock/data" >>"$file"; } 2>&1)
	elif has dd; then
		why=$({ put "$text" | dd obs="$bytes" >>"$file"; } 2>&1)
	else
		why=$({ put "$text" >>"$file"; } 2>&1)
	fi
	# Where there is no file nothing was written; one that cannot be read back
	# leaves that open.
	[ -e "$file" ] || return 1
	behind "$old"
	[ -n "$got" ] || return 2
	case ${got%.} in
	# The second: somebody else appended in between.
	"$text"* | *"$nl$data"*) return 0 ;;
	esac
	rollback "$old" "$text"
	if [ -n "$fresh" ] && [ -e "$file" ] && ! [ -s "$file" ]; then
		rm -f "$real"
	fi
	return 1
}

# foreign PATH: whether another account than root can change where PATH leads;
# sets who. It looks at every directory on the way, and follows the links by
# itself, since each of them is in such a directory.
foreign() {
	at='' left=${1#/} hops=0
	while :; do
		row=$(ls -ldn "$at/." 2>&3)
		# shellcheck disable=SC2086
		set -- $row
		[ $# -ge 4 ] || return 1
		who="${at:-/} (user id $3, mode $1)" shared=''
		[ "$3" = 0 ] || return 0
		case $1,$4 in
		# With the sticky bit only the owner of an entry can change it.
		d????????[tT]*) shared=1 ;;
		d???????w*) return 0 ;;
		d????w*,0) ;;
		d????w*) return 0 ;;
		esac
		while :; do
			case $left in
			'') return 1 ;;
			/* | ./*) left=${left#*/} ;;
			. | ..) return 1 ;;
			../*) left=${left#*/} at=${at%/*} && continue 2 ;;
			*) break ;;
			esac
		done
		step=$at/${left%%/*}
		case $left in
		*/*) left=${left#*/} ;;
		*) left='' ;;
		esac
		if [ -n "$shared" ] && row=$(ls -ldn "$step" 2>&3); then
			# shellcheck disable=SC2086
			set -- $row
			who="$step (user id $3)"
			[ "$3" = 0 ] || return 0
		fi
		if [ -h "$step" ]; then
			hops=$((hops + 1))
			[ "$hops" -lt 40 ] && linked "$step" || return 1
			left=$row${left:+/$left}
			case $row in /*) at='' left=${left#/} ;; esac
		elif [ -d "$step" ]; then
			at=$step
		else
			return 1
		fi
	done
}

# prepare: the directories down to dir, each new one told.
prepare() {
	[ -d "$dir/" ] && return 0
	rest=${dir#/} at=''
	while [ -n "$rest" ]; do
		at=$at/${rest%%/*}
		[ -e "$at" ] || say "created $at"
		case $rest in
		*/*) rest=${rest#*/} ;;
		*) rest='' ;;
		esac
	done
	why=$(mkdir -p "$dir" 2>&1)
}

# add [-e BLOB]...
add() {
	if [ -s "$file" ] && ! istext "$file"; then
		fail target nottext
		return
	fi
	places
	# What somebody has in hand, or left half done, is looked at under the lock.
	if [ -z "$data" ] || ! { [ -d "$beside" ] || [ -d "$athome" ] || [ -d "$intmp" ]; }; then
		check "$@" || return
	fi
	if [ -n "$data" ] && ! [ -d "${home:-/}/" ]; then
		case $dir/ in
		"$home"/*)
			refuse mkdir nohome "$home"
			return
			;;
		esac
	fi
	if [ -n "$data" ] && [ "$uid" = 0 ] && [ -n "$target" ] && foreign "$file"; then
		if [ -n "$guard" ]; then
			refuse target foreign "$who"
			return
		fi
		say "note another account can change what $who leads to"
	fi
	if [ -n "$data" ] && ! prepare; then
		fail mkdir write "$why"
		return
	fi
	[ -z "$repair" ] || menddirs
	if [ -n "$data" ]; then
		if ! lock; then
			[ "$idle" -lt 300 ] || why="held by $last"
			fail lock locked "$why"
			return
		fi
		if ! check "$@"; then
			unlock
			return
		fi
		put "$nl$M writing$nl"
		append
		outcome=$?
		if [ "$outcome" != 0 ]; then
			unlock
			survey
			[ "$outcome$torn" = 1 ] || say unsure
			fail append write "$why"
			return
		fi
		[ -z "$fresh" ] || say "created $file"
	fi
	[ -z "$repair" ] || mendfile
	if [ -n "$data" ]; then
		label
		unlock
	fi
	survey
	sayfacts
	[ ! -e "$file" ] || { measure "$file" && say "size $size"; }
	say 'end applied'
}

# label: the SELinux context, where there is such a thing.
label() {
	has restorecon || return 0
	if [ -n "$menddir" ]; then
		restorecon -F "$dir" "$file"
	else
		restorecon -F "$file"
	fi >&3 2>&3
}

cd /
# Set by next, and here for shellcheck.
target='' expect='' plain='' joined='' row=''
while IFS= read -r request; do
	case $request in
	"$M read" | "$M add" | "$M add repair" | "$M add guard" | "$M add repair guard") ;;
	*) continue ;;
	esac
	next target
	next expect
	next row
	number "$row"
	count=$number
	set --
	while [ "$count" -gt 0 ]; do
		next row
		set -- "$@" -e "$row"
		count=$((count - 1))
	done
	next row
	number "$row"
	count=$number
	data=
	while [ "$count" -gt 0 ]; do
		next row
		data=$data$row$nl
		count=$((count - 1))
	done
	next row
	number "${row#* }"
	chars=$number
	number "${row% *}"
	length=$number
	next plain
	next joined
	next row
	put "$nl$M begin$nl"
	repair='' guard='' plan='' facts='' real='' inhome=''
	case $request in *' repair'*) repair=1 ;; esac
	case $request in *' guard') guard=1 ;; esac
	locate "$target"
	if [ "$row" != "$M end" ] || { [ ${#data} -ne "$length" ] && [ ${#data} -ne "$chars" ]; }; then
		fail request damaged
	elif survey && usable; then
		case $request in
		*read) report "$@" ;;
		*) add "$@" ;;
		esac
	fi
	flush
done
# A start-up file that execs another shell makes that one read all this from
# standard input: it must not take what follows, the data, for commands.
exit 0
