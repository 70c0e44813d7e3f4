# The second part of a script, after prelude.sh: where the file is, and what is on
# the way to it. It writes nothing.
#
# It sets tool, and the functions locate, entry, measure, ours, list, linked,
# physical, survey and sayfacts. What follows has fail STAGE REASON DETAIL.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # set by, or for, the other parts

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
			say "note everyaccount $file"
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
	if [ "$file" = "$home/.ssh/authorized_keys" ] && [ -d "$file.d/" ] && [ -n "$(ls -A "$file.d/" 2>&3)" ]; then
		say 'note morefiles'
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
	# Not of POSIX, but of every shell that is known, and no process of its own.
	# shellcheck disable=SC3067
	[ -O "$1" ] 2>&3 && return 0
	has ls && entry "$1" && [ "$owner" = "$uid" ]
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
