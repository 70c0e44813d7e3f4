# Looks for reasons why sshd refuses a key that stands in authorized_keys, and
# changes nothing: it opens no file for writing, makes no scratch file (so no
# here-documents either, which some shells keep in /tmp) and takes no lock.
#
# The loader puts the first part of install.sh in front, up to its digest:
# from there come M, nl, home, uid, os, descriptor 3 and the functions put, has,
# say, flush, number, next, locate, entry, list, physical, survey and sayfacts.
#
# A request:
#   M diagnose
#   the account, empty: the login's
#   the target path as the person gave it, empty: the account's own file
#   M end
#
# An answer: "M begin", lines "M word value" as diagnose_parse.go has them, then
# "M end diagnosis", "M end failed" or "M end damaged". What is not known is left
# out.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh
# shellcheck disable=SC2154 # set by the first part

# relay COUNT WORD: standard input, without comments, blank lines and
# indentation, as at most COUNT lines of the answer.
relay() {
	sed -e 's/^[[:space:]]*//' -e '/^#/d' -e '/^$/d' | head -n "$1" | sed "s/^/$M $2 /"
}

# locate, of the first part, calls this where there is no telling.
fail() {
	say "fail $1 $2"
	say "detail ${3-}"
	say 'end failed'
}

# account [NAME]: sets user, uid and home to those of NAME, or the login's, and
# says what the password file has of it. The login's name is the one sshd
# looked up: several may share a uid. sshd goes by the home and the shell of
# the password file, not by HOME and SHELL.
account() {
	me=$uid user=${1:-${LOGNAME:-${USER-}}}
	case $user in -*) user= ;; esac
	id=$(id -u "$user" 2>&3)
	if [ -n "$1" ]; then
		uid=$id
	elif [ -z "$user" ] || [ "$id" != "$uid" ]; then
		user=$(id -un 2>&3)
	fi
	LOGNAME=$user
	say "account $user"
	say "groups $(id -Gn "$user" 2>&3)"
	# Old networks keep hashes in here.
	blank='s/^\([^:]*\):[^:]*:/\1:x:/'
	record=$(getent passwd "$user" 2>&3 | sed "$blank")
	# It takes a number for a name as well.
	case $record in "$user":*) ;; *) record= ;; esac
	if [ -z "$record" ] && [ -r /etc/passwd ]; then
		record=$(sed "$blank" </etc/passwd | while IFS= read -r row; do
			case $row in "$user":*) put "$row" && break ;; esac
		done)
	fi
	if [ -n "$1" ] && { [ -z "$id" ] || [ -z "$record" ]; }; then
		fail start 'no account' "$1"
		return 1
	fi
	case $record in
	"$user":*:*:*:*:*:*)
		login=${record##*:}
		record=${record%:*}
		row=${record##*:}
		say "pwhome $row"
		[ -z "$1" ] || home=${row%/}
		# An empty field means /bin/sh (auth.c, allowed_user).
		loginshell "${login:-/bin/sh}"
		;;
	esac
	return 0
}

loginshell() {
	say "shell $1"
	if [ -x "$1" ]; then say 'shellruns yes'; else say 'shellruns no'; fi
	[ -r /etc/shells ] || return 0
	listed=no
	while IFS= read -r row || [ -n "$row" ]; do
		[ "$row" != "$1" ] || listed=yes
	done </etc/shells
	say "shelllisted $listed"
}

# lockout: is the account locked or expired? Of the shadow file nothing is told
# but the kind of the second field and three of the dates.
lockout() {
	say "date $(date -u +%Y-%m-%d)"
	[ "$os" = Linux ] || return 0
	if [ -r /etc/shadow ]; then
		flush
		# No variable ever holds a hash: a trace would show it.
		sed -e 's/^\([^:]*\)::/\1:empty:/' -e t -e 's/^\([^:]*\):![^:]*:/\1:locked:/' -e t \
			-e 's/^\([^:]*\):\*[^:]*:/\1:none:/' -e t -e 's/^\([^:]*\):[^:]*:/\1:set:/' </etc/shadow |
			while IFS=: read -r name kind changed _ most _ _ expires _; do
				[ "$name" != "$user" ] || put "$M shadow $kind:$changed:$most:$expires$nl"
			done
		return 0
	fi
	if has passwd && row=$(passwd -S "$user" </dev/null 2>&3); then
		say "passwd ${row%%"$nl"*}"
	fi
	if has chage; then
		flush
		chage -l "$user" </dev/null 2>&3 | relay 20 chage
	fi
}

# inspect PATH: its label, access control list and attributes.
inspect() {
	[ -e "$1" ] || return 0
	if [ -n "$labels" ] && row=$(ls -dZ "$1" 2>&3); then
		# Old ones print mode and owner in front.
		# shellcheck disable=SC2086
		for word in ${row%%/*}; do
			case $word in
			*:*:*) say "label $word $1" && break ;;
			esac
		done
	fi
	if has getfacl; then
		if acl=$(getfacl -pn "$1" 2>&3) || acl=$(getfacl "$1" 2>&3); then
			sayacl "$1" "$acl"
		fi
	elif [ "$os" = Darwin ] && acl=$(ls -lde "$1" 2>&3); then
		case $acl in *"$nl"*) sayacl "$1" "${acl#*"$nl"}" ;; esac
	fi
	case $os in
	Darwin | *BSD | DragonFly)
		row=$(ls -ldo "$1" 2>&3)
		# shellcheck disable=SC2086
		set -- "$1" $row
		[ -z "${6-}" ] || say "attr $6 $1"
		;;
	*)
		if has lsattr && row=$(lsattr -d "$1" 2>&3); then
			say "attr ${row%% *} $1"
		fi
		;;
	esac
}

sayacl() {
	say "aclof $1"
	flush
	put "$2$nl" | relay 100 acl
}

# along PATH: inspects every directory down to PATH, and PATH, but none twice.
along() {
	left=${1#/} step=
	set -- /
	while [ -n "$left" ]; do
		step=$step/${left%%/*}
		set -- "$@" "$step"
		case $left in
		*/*) left=${left#*/} ;;
		*) left='' ;;
		esac
	done
	for step; do
		case $nl$seen in *"$nl$step$nl"*) continue ;; esac
		seen=$seen$step$nl
		inspect "$step"
	done
}

path() {
	survey
	sayfacts
	say "realhome ${realhome:-/}"
	if [ -e "$file" ] && [ "$me" = "$uid" ]; then
		if [ -r "$file" ]; then say 'readable yes'; else say 'readable no'; fi
	fi
	labels='' seen=''
	if has getenforce; then
		say "selinux $(getenforce 2>&3)"
		labels=1
	elif [ -r /sys/fs/selinux/enforce ]; then
		IFS= read -r row </sys/fs/selinux/enforce
		say "selinux $row"
		labels=1
	fi
	along "$file"
	[ "$real" = "$file" ] || along "$real"
}

# encrypted: is there a home that only a login with the password opens?
encrypted() {
	if [ -d "/home/.ecryptfs/$user" ] || [ -d "$home/.ecryptfs" ] || [ -h "$home/.Private" ]; then
		state=closed
		if [ -r /proc/mounts ]; then
			while IFS=' ' read -r _ where kind _; do
				[ "$where $kind" != "$home ecryptfs" ] || state=open
			done </proc/mounts
		fi
		say "crypt ecryptfs $state"
	fi
	if has fscrypt; then
		case $(fscrypt status "$home" </dev/null 2>&3) in
		*'is encrypted with fscrypt'*) say 'crypt fscrypt open' ;;
		esac
	fi
}

# listener: sets conf to the configuration file that the sshd we are under was
# given, if it was given one. Its first process shows its arguments, as
# "sshd: /usr/sbin/sshd -D -f FILE [listener] 0 of 10-100 startups" too.
listener() {
	conf='' pid=$$ hops=0
	while [ "$hops" -lt 16 ]; do
		hops=$((hops + 1)) row=
		{ IFS= read -r row <"/proc/$pid/stat"; } 2>&3
		row=${row##*') '}
		# shellcheck disable=SC2086
		set -- $row
		number "${2-}"
		[ "$number" -gt 0 ] || return 0
		pid=$number
		row=$({ tr '\000' ' ' <"/proc/$pid/cmdline"; } 2>&3)
		case $row in
		*/sshd\ *' [listener]'* | */sshd\ *-D* | */sshd\ *' -f '*) ;;
		*) continue ;;
		esac
		say "listener ${row%%"$nl"*}"
		case $row in
		*' -f '*)
			conf=${row#*' -f '}
			conf=${conf%% *}
			;;
		esac
		return 0
	done
}

# administers: whether sudo may be asked. It reports to root, by mail even, who
# is not in sudoers; so only members of the groups that usually are.
administers() {
	has sudo || return 1
	for group in $(id -Gn 2>&3); do
		case $group in sudo | wheel | admin | adm | google-sudoers) return 0 ;; esac
	done
	return 1
}

options='^(authorizedkeysfile|authorizedkeyscommand|pubkeyauthentication|permitrootlogin|pubkeyacceptedalgorithms|pubkeyacceptedkeytypes|requiredrsasize|strictmodes|allowusers|denyusers|allowgroups|denygroups|authenticationmethods|usepam|revokedkeys) '

# effective SSHD: what sshd says its options are for this login. -T wants the
# host keys, and so root; -G (OpenSSH 9.3) only the configuration.
effective() {
	sshd=$1
	# shellcheck disable=SC2086
	set -- ${SSH_CONNECTION-}
	case $user in '' | *,*) return 1 ;; esac
	spec=user=$user,host=${1:-127.0.0.1},addr=${1:-127.0.0.1}
	[ -z "${4-}" ] || spec=$spec,laddr=$3,lport=$4
	for how in T S G; do
		set -- "$sshd" -T
		case $how in
		S)
			[ "$me" != 0 ] || continue
			administers || continue
			set -- sudo -n "$sshd" -T
			;;
		G) set -- "$sshd" -G ;;
		esac
		text=$("$@" ${conf:+-f "$conf"} -C "$spec" </dev/null 2>&1)
		case $?,$nl$text in
		0,*"${nl}pubkeyauthentication "*) ;;
		*)
			say "sshderr ${text%%"$nl"*}"
			continue
			;;
		esac
		say "sshd $how ${conf:-default}"
		flush
		put "$text$nl" | grep -E "$options" | relay 5000 opt
		return 0
	done
	return 1
}

# written: what stands in the configuration, where sshd cannot be asked.
written() {
	for name in "$conf" /etc/ssh/sshd_config /usr/local/etc/ssh/sshd_config /usr/etc/ssh/sshd_config /etc/sshd_config; do
		[ -n "$name" ] || continue
		[ -r "$name" ] && [ -f "$name" ] && break
		# The one in use is not ours to read; another tells nothing.
		[ -z "$conf" ] || return 0
		name=
	done
	[ -n "$name" ] || return 0
	say "conf $name"
	flush
	relay 2000 cl <"$name"
	set +f
	set -- "${name%/*}/sshd_config.d"/*
	set -f
	count=0
	for name; do
		[ -f "$name" ] || continue
		[ -r "$name" ] || continue
		[ "$count" -lt 50 ] || break
		count=$((count + 1))
		say "conf $name"
		flush
		relay 500 cl <"$name"
	done
}

server() {
	# shellcheck disable=SC2086
	set -- ${SSH_CONNECTION-}
	say "client ${1-} ${3-} ${4-}"
	listener
	# Only where the system keeps it: what else is called sshd is not to be run
	# by sudo.
	for dir in /usr/sbin /usr/local/sbin /sbin /usr/bin /usr/local/bin /run/current-system/sw/bin; do
		if [ -x "$dir/sshd" ]; then
			effective "$dir/sshd" && return
			break
		fi
	done
	written
}

cd /
row='' name='' target=''
while IFS= read -r request; do
	[ "$request" = "$M diagnose" ] || continue
	next name
	next target
	next row
	put "$nl$M begin$nl"
	if [ "$row" != "$M end" ]; then
		say 'end damaged'
	else
		account "$name" && {
			locate "$target"
			path
			lockout
			encrypted
			server
			say 'end diagnosis'
		}
	fi
	flush
done
# See the end of install.sh.
exit 0
