# The fourth part of install.sh, after state.sh: the lock.
#
# The loader drops comment lines and indentation: keep both out of strings.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # set by, or for, the other parts

# While the lock is held nothing short of KILL stops us: the work in between is
# a few milliseconds, and half of it done is what must not be.
calm() { trap '' HUP INT QUIT TERM PIPE; }
alert() { trap - HUP INT QUIT TERM PIPE; }

# nap: adds what it slept to idle, in tenths of a second.
nap() {
	# Many that wait for each other look less often the longer it takes: on a
	# small machine looking is most of the work.
	tenths=$((($$ + idle) % 3 + 1 + (idle < 200 ? idle / 10 : 20)))
	if sleep "$((tenths / 10)).$((tenths % 10))" 2>&3; then
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
	if ! mkdir "$1/seized" 2>&3; then
		# Whoever takes it over needs milliseconds: one that is there twice in a
		# row was left by a run that died.
		[ $((idle - since)) -lt 200 ] || {
			[ "$stuck" != "x$2" ] || rmdir "$1/seized" 2>&3
			stuck=x$2
		}
		return 1
	fi
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
# quicker for five minutes.
hold() {
	idle=0 since=0 told=0 last='' misses=0 stuck=''
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
			if [ $((idle - since)) -ge 300 ] || [ "$idle" -ge 3000 ]; then
				# Without its last word, the marker.
				why=${last:+"held by ${last% *}"}
				return 2
			fi
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
