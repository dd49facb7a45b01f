# The first process of a cluster in a root of its own: `init.sh ROOT DIR HOST PATH...`, run by unshare in new
# mount, network, PID, UTS and IPC namespaces. Sets them up, and then only reaps. Its end ends the cluster.
root=$1 dir=$2 host=$3
shift 3
set -eux

mount --bind "$root" "$root"
# While it can be written to: what is mounted on, outside the directories that get a file system of their own.
for path in "$@"; do
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

# The cluster's own, over the root that it shares with others of its release.
for own in home tmp run var/tmp etc/group etc/hosts etc/passwd etc/shadow; do
    mount --bind "$dir/over/$own" "$root/$own"
done
for path in "$@"; do
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
# Slurm resolves names with AI_ADDRCONFIG, for which a machine that has the loopback interface alone has no
# addresses at all, not even 127.0.0.1. Both ends of this stay here.
ip link add veth0 type veth peer name veth1
ip address add 192.0.2.1/24 dev veth0
ip link set veth0 up
ip link set veth1 up

# By this variable the cluster is found: only now, as all is there. Not before all of them have ended does `wait`
# return, and until then it reaps whatever is left to the first process.
exec env -i PATH="$PATH" "SORTIE_PRIVATE_SLURM=$dir" sh -c 'sleep infinity & wait'
