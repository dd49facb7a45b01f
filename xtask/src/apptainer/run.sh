# Runs the words as the plain user, in the directory that the first of them is, and is the first process meanwhile: it
# reaps what is left to it.
cd "$1"
shift
setpriv --reuid 1000 --regid 1000 --init-groups env -i PATH="$PATH" HOME=/home/ann USER=ann LANG=C.UTF-8 "$@" &
wait "$!"
