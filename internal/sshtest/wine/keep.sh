# Keeps a Wine prefix: keep.sh WINESERVER WINE PREFIX. Says "ready" when the prefix
# can be used; when standard input ends, which it does with the test process
# whatever befalls that, ends all Windows programs and removes the prefix.
set -u
# Who is to hear "ready" may be gone, which is no reason to leave all this behind.
trap : PIPE
wineserver=$1 wine=$2 prefix=$3

# What runs in the prefix, and nothing else, has this in its environment.
inside() { WINEPREFIX=$prefix "$@" </dev/null >/dev/null 2>&1; }
members() { grep -lsazxF "WINEPREFIX=$prefix" /proc/[0-9]*/environ | cut -d / -f 3; }

# The server is there before any program, for a program that starts one hands
# its own standard output to all of Windows' services, and whoever reads it waits
# for them. The last one is the desktop: a program that needs one, and none is
# there, starts it and waits ten seconds for it. Reading from the console is
# enough to need one.
fill() {
	if inside "$wineserver" -p && inside timeout 300 "$wine" wineboot --init; then
		echo ready
		inside "$wine" explorer.exe /desktop
	else
		echo failed
	fi
}
fill &
cat >/dev/null
kill -9 $! 2>/dev/null

# -k asks the server to end its programs first. What was being started meanwhile
# is none that it knows, and is here a moment later.
inside "$wineserver" -k
inside "$wineserver" -w
for _ in 1 2 3; do
	while left=$(members) && [ -n "$left" ]; do
		# shellcheck disable=SC2086 # a list of numbers
		kill -9 $left 2>/dev/null
		sleep 0.1
	done
	sleep 0.1
done
# Debian's server has a directory for its sockets, and leaves it.
if [ -r "$prefix/wineserver" ]; then
	read -r sockets <"$prefix/wineserver" || :
	case $sockets in wine-*[!A-Za-z0-9-]*) ;; wine-?*) rm -rf "/tmp/$sockets" ;; esac
fi
rm -rf "$prefix"
