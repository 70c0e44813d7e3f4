# Builds the inside of a throw-away host and becomes its first process. Start
# runs it as root, as process 1 of a new mount and process namespace; nothing
# it does is seen outside, and all of it ends with the process.
#
#   REALSSHD_STAGE   what Start prepared: server/, accounts/, home/, setup.sh
#   REALSSHD_HOMES   a directory that becomes /home; empty: a private one
#   "$@"             the server to become
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# No mount below may travel back to the outside.
mount --make-rprivate /
mount -t proc proc /proc

# One tmpfs holds all that is private. It is filled before any directory is
# hidden, because the stage itself may lie below /run or /home.
mount -t tmpfs -o mode=755 realsshd /mnt
mkdir /mnt/etc /mnt/run /mnt/run/sshd /mnt/log /mnt/home
cp -a /etc/. /mnt/etc
cp -a "$REALSSHD_STAGE/server" /mnt/run/realsshd
cp "$REALSSHD_STAGE/setup.sh" /mnt/run/realsshd/setup.sh
# The first line with a name or a uid is the one that counts (nss_files).
for file in passwd shadow group; do
	cat "$REALSSHD_STAGE/accounts/$file" "/etc/$file" >"/mnt/etc/$file.new"
	cat "/mnt/etc/$file.new" >"/mnt/etc/$file"
	rm "/mnt/etc/$file.new"
done
cat "$REALSSHD_STAGE/accounts/shells" >>/mnt/etc/shells
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >/mnt/etc/nsswitch.conf
rm -f /mnt/etc/nologin

if [ -n "$REALSSHD_HOMES" ]; then
	mount --bind "$REALSSHD_HOMES" /mnt/home
else
	cp -a "$REALSSHD_STAGE/home/." /mnt/home
fi
if [ -d /mnt/home/root ]; then
	mount --bind /mnt/home/root /root
fi
mount --rbind /mnt/home /home
mount --bind /mnt/etc /etc
mount --bind /mnt/log /var/log
mount --bind /mnt/run /run
umount -l /mnt

cd /
# shellcheck disable=SC1091 # written by Start, not part of this tree
. /run/realsshd/setup.sh
exec "$@"
