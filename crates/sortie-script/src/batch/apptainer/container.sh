
# ---- The container ----

# What is run in the container, by the image's shell, and becomes the evaluator. Apptainer ends with 255 where it could not
# run a command, as a command may end: so this tells, on file descriptor 3, that it got so far. Its arguments are whether it is a
# trial, a directory that has to be writable, a device that has to be there, the directory to start in if that is there,
# variables as NAME=VALUE, and the command line.
sortie_inside='
fail() {
  printf "step %s\nsaid %s\n" "$1" "$2" >&3
  exit 127
}
interpreter() {
  set -f
  set -- ${line#"#!"}
  case $1 in
    */env) case ${2--} in -* | *=*) ;; *) [ ! -x "$1" ] || shift ;; esac ;;
  esac
  command -v "$1" >/dev/null || fail command "its \"#!\" line names \"$1\", which is not found"
}
trial=$1 results=$2 device=$3 directory=$4
shift 4
[ -w "$results" ] || fail "results dir" "the results dir cannot be written in a container: $results"
[ -z "$device" ] || [ -e "$device" ] || fail gpus "$device is not there in a container"
command -v env >/dev/null || fail command "the image has no env"
[ -z "$directory" ] || cd -- "$directory" 2>/dev/null
path=$PATH
for program do
  case $program in
    PATH=*) PATH=${program#PATH=} ;;
    *=*) ;;
    *) break ;;
  esac
done
case $program in
  */*)
    [ -x "$program" ] || fail command "it is not there, or may not be executed"
    line=
    { IFS= read -r line <"$program"; } 2>/dev/null
    case $line in "#!"*) interpreter ;; esac
    ;;
  *) command -v "$program" >/dev/null || fail command "it is not found; PATH is $PATH" ;;
esac
PATH=$path
printf "step ready\n" >&3
[ -z "$trial" ] || exit 0
exec env -- "$@" 3>&- 6>&-
'

# Sets sortie_given to the variables by which the job has its GPUs, and sortie_device to a file that has to be there: --nv
# says nothing of a machine without any. Apptainer runs among the processes of the job, so it has the devices that they have.
sortie_add_gpus() {
  local name ids='' devices commas device=/dev/nvidiactl
  sortie_device=''
  [[ $sortie_gpus != none ]] || return 0
  sortie_step gpus
  for name in CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL ZE_AFFINITY_MASK; do
    [[ -v $name ]] || continue
    sortie_given+=("$name=${!name}")
    ids=${ids:-${!name}}
  done
  if [[ $sortie_gpus == assigned && (-z $ids || $ids == NoDevFiles) ]]; then
    sortie_fail 78 "GPUs are asked for, and Slurm gave the job none on $HOSTNAME (CUDA_VISIBLE_DEVICES is '$ids')"
  fi
  if [[ $sortie_gpus == amd || $sortie_gpus == assigned && ! -e $device && -e /dev/kfd ]]; then
    device=/dev/kfd
  fi
  [[ $sortie_gpus != assigned ]] || sortie_step gpu # which another node may have
  if [[ ! -e $device ]]; then
    sortie_fail 78 "$HOSTNAME has no $device: no GPU, or its driver is not loaded"
  fi
  sortie_device=$device
  if [[ $device == /dev/kfd ]]; then
    sortie_here+=(--rocm)
    return
  fi
  [[ $sortie_gpus != assigned ]] || sortie_here+=(--nv)
  devices=(/dev/nvidia[0-9]*)
  commas=${ids//[!,]/}
  if [[ $ids =~ ^[0-9,]+$ ]] && ((${#commas} >= ${#devices[@]})); then # others name parts of GPUs
    sortie_fail 78 "the job is to have the GPUs $ids, and $HOSTNAME has ${devices[*]}"
  fi
}

# Adds the limits that can be held here, and ends the job if one that has to be cannot.
sortie_add_limits() {
  local index name unheld=()
  ((${#sortie_limits[@]} > 0)) || return 0
  sortie_step limits
  for ((index = 0; index < ${#sortie_limits[@]}; index += 2)); do
    name=${sortie_limits[index]}
    if sortie_holds "$name" "${sortie_limits[index + 1]}"; then
      sortie_here+=("${sortie_limits[index + 1]}")
    else
      unheld+=("$name")
    fi
  done
  if ((sortie_strict)) && [[ " ${unheld[*]} " == *' mem '* || " ${unheld[*]} " == *' cpus '* ]]; then
    sortie_fail 78 "${sortie_engine##*/} cannot hold ${unheld[*]} here: it needs systemd, and control groups of version 2 that are delegated to this user; leave the limits out, or set \`require_limits: false\` to run without them"
  fi
  [[ -z $sortie_trial ]] || ((${#unheld[@]} == 0)) || printf 'sortie: not held: %s\n' "${unheld[*]}"
}

# sortie_holds NAME FLAG: whether a limit can be held, which is tried once an hour.
sortie_holds() {
  local note=limit-$1-$sortie_place_name now boot noted held
  [[ -d /run/systemd/system && -e /sys/fs/cgroup/cgroup.controllers ]] || return
  printf -v now '%(%s)T' -1
  read -r boot </proc/sys/kernel/random/boot_id
  if sortie_read_note "$note" && [[ $sortie_noted == "$boot "* ]]; then
    read -r _ noted held <<<"$sortie_noted"
    ((now - noted > 3600 || now < noted)) || return "$held"
  fi
  "$sortie_engine" --silent exec --containall --no-home "$2" "$sortie_image_dir" /bin/sh -c : &>/dev/null 3>&-
  held=$(($? != 0))
  sortie_note "$note" "$boot $now $held"
  return "$held"
}

# Becomes Apptainer, which runs the evaluator in a container.
sortie_run() {
  sortie_here=() sortie_given=()
  sortie_expect_command
  sortie_find_node
  if [[ $sortie_trial == engine ]]; then
    sortie_step ready
    exit 0
  fi
  sortie_add_gpus
  sortie_expect_image
  sortie_add_limits
  # Which were for fetching images. Apptainer would hand them on.
  unset -v {http,https,ftp,all,no}_proxy {HTTP,HTTPS,FTP,ALL,NO}_PROXY
  sortie_hold
  sortie_step container
  sortie_expect_parent
  ulimit -Sc 0
  exec -- "$sortie_engine" --silent --nocolor exec "${sortie_here[@]}" "${sortie_container[@]}" "$sortie_image_dir" \
    /bin/sh -c "$sortie_inside" sh "$sortie_trial" "$sortie_probed_dir" "$sortie_device" "$sortie_inner_directory" \
    "${sortie_given[@]}" "${sortie_variables[@]}" "${sortie_command[@]}"
}
