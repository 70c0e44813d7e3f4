# The remote half of package remote. The loader puts prelude.sh of package
# scriptrun, survey.sh, state.sh and lock.sh in front, in this order.
#
# A request:
#   M read|add [repair] [guard]
#   the target path as the user gave it, empty: the account's own file
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
# shellcheck disable=SC2034,SC2154 # set by, or for, the other parts

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
		say "note foreign $who"
	fi
	if [ -n "$data" ] && ! prepare; then
		fail mkdir write "$why"
		return
	fi
	[ -z "$repair" ] || menddirs
	if [ -n "$data" ]; then
		if ! lock; then
			refuse lock locked "$why"
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
