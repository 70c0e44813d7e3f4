# Keeps a Wine prefix: keep.sh WINESERVER WINE, with WINEPREFIX set. Says "ready"
# when the prefix can be used; when standard input ends, which it does with the
# test process whatever befalls that, ends all Windows programs and removes the
# prefix.
set -u
# Who is to hear "ready" may be gone, which is no reason to leave all this behind.
trap : PIPE
wineserver=$1

# The server is there before any program, for a program that starts one hands
# its own standard output to all of Windows' services, and whoever reads it waits
# for them.
if "$wineserver" -p </dev/null >/dev/null 2>&1 &&
	timeout 300 "$2" wineboot --init </dev/null >/dev/null 2>&1; then
	# The desktop: a program that needs one, and none is there, starts it and
	# waits ten seconds for it. Reading from the console is enough to need one.
	"$2" explorer.exe /desktop </dev/null >/dev/null 2>&1 &
	echo ready
	cat >/dev/null
	# It may not have begun, and would start a server of its own then.
	kill -9 $! 2>/dev/null
	wait
else
	echo failed
fi

# -k asks the server to end its programs first. Killed outright it would leave
# them behind.
"$wineserver" -k >/dev/null 2>&1
"$wineserver" -w >/dev/null 2>&1
# Debian's server has a directory for its sockets, and leaves it.
if [ -r "$WINEPREFIX/wineserver" ]; then
	read -r sockets <"$WINEPREFIX/wineserver" || :
	case $sockets in wine-*[!A-Za-z0-9-]*) ;; wine-?*) rm -rf "/tmp/$sockets" ;; esac
fi
rm -rf "$WINEPREFIX"
