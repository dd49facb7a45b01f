#!/bin/bash
# Stands for Apptainer 1.4, as far as it can be told from outside: what it takes, says, ends with, and does with signals.
# Mounts nothing: the command sees this machine, and starts where /workspace comes from. Two files beside it tell it more:
# `calls`, to which it writes what it was asked to do, and `first`, bash that is run first and may end it.
here=$(dirname "$0")
words=() pwd=/
while [[ $1 == -* ]]; do
  [[ $1 != --version ]] || { echo 'apptainer version 1.4.5'; exit 0; }
  [[ $1 == --silent || $1 == --nocolor ]] || { printf 'Error for command "apptainer": unknown flag: %s\n\nOptions:\n' "$1" >&2; exit 1; }
  shift
done
what=$1
shift
echo "$what" >>"$here/calls"
[[ ! -e $here/first ]] || source "$here/first"
fatal() { echo "FATAL:   $1" >&2; exit 255; }

if [[ $what == build ]]; then
  [[ $1 == --sandbox ]] || fatal "Unable to build"
  source=${3#docker-archive:}
  source=${source#oci-archive:}
  [[ $3 == *://* || -f $source ]] || fatal "While performing build: conveyor failed to get: open $source: no such file or directory"
  mkdir "$2" && printf '%s\n' "$3" >"$2/made-of" && mkdir "$2/closed" && touch "$2/closed/file" && chmod 555 "$2/closed"
  exit
fi

for word; do [[ $word == -* ]] || break; words+=("$word"); shift; done
image=$1
shift
for word in "${words[@]}"; do
  case $word in
    --containall | --no-home | --net | --network=none | --nv | --rocm | --writable-tmpfs | --userns) ;;
    --memory=* | --cpus=* | --pids-limit=*) ;;
    --pwd=*) pwd=${word#--pwd=} ;;
    --mount=type=bind,source=*,target=/workspace,readonly) work=${word#*source=}; work=${work%,target=*} ;;
    --mount=* | --bind=*)
      source=${word#*source=}; source=${source%%,target=*}
      [[ $source == --* || -e $source ]] || fatal "container creation failed: mount hook function failure: mount $source error: mount source $source doesn't exist"
      ;;
    *) printf 'Error for command "exec": unknown flag: %s\n\nOptions for exec command:\n      --errors\n' "$word" >&2; exit 1 ;;
  esac
done
printf '%s\0' "${words[@]}" >"$here/flags"
echo "$image" >"$here/image"
[[ -d $pwd || ${words[*]} == *,target=$pwd* ]] || fatal "failed to set working directory: chdir $pwd: no such file or directory"
[[ -d $image ]] || fatal "could not open image $image: no such file or directory"
type -P -- "$1" >/dev/null || fatal "stat $1: no such file or directory"
[[ -z $work ]] || cd "$work" || exit

# Passes signals on, and ends as the command does. The command has the environment of the image, and what `--cleanenv` leaves,
# which proxies are among.
trap 'kill -TERM "$child"' TERM
left=(HOME="$HOME" LANG=C PATH="$PATH" APPTAINER_CONTAINER="$image")
for word in {http,https,ftp,all,no}_proxy {HTTP,HTTPS,FTP,ALL,NO}_PROXY; do
  [[ ! -v $word ]] || left+=("$word=${!word}")
done
env -i "${left[@]}" "$@" &
child=$!
while true; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || exit "$status"
done
