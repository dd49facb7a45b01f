# Enters a root of its own: `… ROOT DIR HOST PATH... [-- WORD...]`, run by unshare in new mount, network, PID, UTS and
# IPC namespaces, with more text behind it, for which the words are left. The paths are there at the same place; what is
# in DIR/over is mounted over the root's.
root=$1 dir=$2 host=$3
shift 3
set -eu

mount --bind "$root" "$root"
# While it can be written to: what is mounted on, outside the directories that get a file system of their own.
for path in "$@"; do
    [ "$path" != -- ] || break
    mkdir -p "$root$path"
done
touch "$root/etc/hosts" # debootstrap makes none for bookworm
mount -o remount,bind,ro "$root"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

# Its own, over the root that it shares with others of the release.
for own in home tmp run var/tmp etc/group etc/hosts etc/passwd etc/shadow; do
    mount --bind "$dir/over/$own" "$root/$own"
done
while [ $# -gt 0 ]; do
    path=$1
    shift
    [ "$path" != -- ] || break
    mkdir -p "$root$path"
    mount --bind "$path" "$root$path"
done

cd "$root"
pivot_root . .
umount -l .
cd /
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

echo "$host" >/proc/sys/kernel/hostname
ip link set lo up
