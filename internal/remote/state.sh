# The third part of install.sh, after survey.sh: what the file holds, whether that
# is as a request demands, and which modes are ours to mend.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # set by, or for, the other parts

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
		*chmod*) say "note chmod $why" ;;
		*) say "note chmod chmod: $why" ;;
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
