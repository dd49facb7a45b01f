
# ---- The container ----

# Sets sortie_here to the flags that only the node can tell: who and what the job is, and what it was given.
sortie_find_flags() {
  local gpus=${SLURM_JOB_GPUS:-${SLURM_STEP_GPUS:-${CUDA_VISIBLE_DEVICES-}}} gpu cpus
  sortie_here=("--label=sortie.owner=$sortie_owner" "--label=sortie.uid=$EUID" "--label=sortie.job=${SLURM_JOB_ID-}")
  if ((sortie_as_submitter)); then
    sortie_here+=("--user=$EUID:${GROUPS[0]}")
    [[ $sortie_engine != *podman || $EUID == 0 ]] || sortie_here+=(--userns=keep-id)
  fi
  if ((sortie_cpus > 0)) && cpus=$(getconf _NPROCESSORS_ONLN); then
    sortie_here+=("--cpus=$((sortie_cpus < cpus ? sortie_cpus : cpus))")
  fi
  if [[ $sortie_gpus != none && -n $gpus && $sortie_engine == *podman ]]; then
    for gpu in ${gpus//,/ }; do
      sortie_here+=("--device=nvidia.com/gpu=$gpu")
    done
  elif [[ $sortie_gpus != none && -n $gpus ]]; then
    sortie_here+=("--gpus=\"device=$gpus\"")
  elif [[ $sortie_gpus == all ]]; then
    sortie_here+=(--gpus=all)
  fi
  sortie_add_group
}

# Puts the container into the control group of the job, where the two can meet: in the hierarchies of
# version 1, with an engine that makes the groups itself.
sortie_add_group() {
  local line group=''
  ((sortie_job_group)) || return 0
  while IFS=: read -r _ line group; do
    [[ $line != memory || $group != */job_* ]] || break
    group=''
  done </proc/self/cgroup
  if [[ -n $group && $("$sortie_engine" info --format '{{.CgroupDriver}}{{.CgroupVersion}}') == cgroupfs1 ]]; then
    sortie_here+=("--cgroup-parent=$group")
  fi
} 2>/dev/null

# sortie_create: makes the container. Warnings of the engine are no part of the evaluator's log.
sortie_create() {
  local said
  sortie_step container
  said=$("$sortie_engine" create "${sortie_here[@]}" "${sortie_container[@]}" "$sortie_image" "${sortie_command[@]}" 2>&1 >/dev/null) ||
    { sortie_said=$said && return 1; }
}

# Makes the container, most often at the first try. If that fails as the image is not here, it is brought.
sortie_make_container() {
  sortie_create && return
  if ! sortie_has_image "$sortie_image"; then
    sortie_step engine
    if "$sortie_engine" version &>/dev/null; then
      sortie_get_image
      sortie_create && return
    fi
  fi
  printf '%s\n' "$sortie_said" >&2
  exit 125
}

# Runs the evaluator in a container, from the image to its end. Meanwhile, old containers are swept up.
sortie_run() {
  local status sweeper
  set +m
  sortie_step 'working directory'
  cd -- "$sortie_directory" || exit
  sortie_step environment
  if ((sortie_only_these)); then
    sortie_clear
  fi
  sortie_environment || exit
  export SORTIE_ATTEMPT=$sortie_attempt SLURM_EXPORT_ENV=ALL || exit
  sortie_load_modules
  sortie_step 'engine command'
  if ! type -P -- "$sortie_engine" >/dev/null; then
    printf 'sortie: %s: not found; PATH is %s\n' "$sortie_engine" "${PATH-}" >&2
    exit 127
  fi
  sortie_find_owner
  sortie_find_node
  sortie_find_flags
  if [[ -n $sortie_archive ]]; then
    sortie_step 'image tar'
    sortie_find_image_in_archive
  elif [[ $sortie_pull == always ]]; then
    sortie_get_image again
  fi
  sortie_make_container
  sortie_step ready
  sortie_sweep 3>&- &
  sweeper=$!
  "$sortie_engine" start --attach "sortie-$sortie_attempt" 3>&-
  status=$?
  wait "$sweeper"
  ((status != 143)) || sleep 0.2 # of a SIGTERM to all of the job, which the shell above gets too
  exit "$status"
}

# sortie_ask: sets sortie_state to what the engine says of the container's end. An engine that does not
# answer, as it is started again, is given 20 seconds; sortie_tries tells if it was in need of them.
sortie_ask() {
  for ((sortie_tries = 0; sortie_tries < 40; sortie_tries++)); do
    if sortie_state=$("$sortie_engine" container inspect --format \
      '{{.State.Running}} {{.State.OOMKilled}} {{.State.ExitCode}} {{.State.StartedAt}}' "sortie-$sortie_attempt" 2>&1); then
      return 0
    fi
    [[ ${sortie_state,,} != *'no such'* ]] || return 1
    sleep 0.5
  done
  return 1
}

# Finds out how the container ended, as the status of the engine's command alone does not tell.
sortie_judge() {
  local running oom code started
  if [[ $sortie_status == 137 || $sortie_status == 143 ]]; then
    sleep 1 # an engine that is shut down stops its containers first
  fi
  if ! sortie_ask || ((sortie_tries > 0)); then
    sortie_ended=engine
    return
  fi
  read -r running oom code started <<<"$sortie_state"
  if [[ $started == 0001-* ]]; then
    sortie_step='container start'
    [[ $code$sortie_status != *12[67] ]] || sortie_step='command'
  elif [[ $running == true || $code != "$sortie_status" ]]; then
    sortie_ended=engine
  elif [[ $oom == true ]]; then
    sortie_ended=out_of_memory
  elif [[ $code =~ ^(1|126|127)$ && $(tail -c 400 "/proc/$$/fd/2") =~ tini.*\ exec\ .*failed|catatonit.*failed\ to\ exec ]]; then
    sortie_step='command' # which the first process of a container finds out, once it is started
  elif ((code > 128 && code <= 128 + 64)); then
    sortie_ended=signaled # or the evaluator exited so: an engine makes no difference
  fi
  if [[ $sortie_step == 'command' ]]; then
    printf 'sortie: %s cannot be run in a container of %s\n' "${sortie_command[0]}" "$sortie_image" >&2
  fi
}

# Stops the container if it is to be stopped, finds out about its end, and removes it.
sortie_leave() {
  local try
  sortie_environment # the engine is found by it
  if [[ $sortie_ended == signaled ]]; then # the engine's command: that alone does not end a container
    sortie_ended=exited
    [[ -z $sortie_signal ]] || sortie_ended=''
  fi
  if [[ $sortie_step == ready && (-z $sortie_ended || -n $sortie_signal) ]]; then
    "$sortie_engine" stop --time "$(((sortie_grace + 9) / 10))" "sortie-$sortie_attempt" &>/dev/null
  fi
  sortie_stop
  [[ $sortie_step == container || $sortie_step == ready ]] || return
  if [[ $sortie_step == ready && -n $sortie_ended && -z $sortie_signal && $sortie_ended$sortie_status != exited0 ]]; then
    sortie_judge
  fi
  for ((try = 0; try < 20; try++)); do
    ! "$sortie_engine" rm --force --volumes "sortie-$sortie_attempt" &>/dev/null || return
    # One that was just asked for may be yet to come.
    [[ $sortie_ended != engine ]] && sortie_ask || return
    sleep 0.5
  done
  printf 'sortie: the container sortie-%s cannot be removed\n' "$sortie_attempt" >&2
}
