
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

# Runs the container. Its engine's commands give 125 where they make none. Meanwhile, old ones are swept up.
sortie_contain() {
  sortie_step ready
  "$sortie_engine" run "${sortie_here[@]}" "${sortie_container[@]}" "$sortie_image" "${sortie_command[@]}" 3>&- &
  sortie_sweep_if_needed 3>&-
  wait "$!"
}

# Whether the engine says that there is no such container. One that was stopped meanwhile says nothing.
sortie_is_not_made() {
  local said
  said=$("$sortie_engine" container inspect --format '{{.Id}}' "sortie-$sortie_attempt" 2>&1 >/dev/null)
  [[ ${said,,} == *'no such'* ]]
}

# Runs the evaluator in a container, from the image to its end.
sortie_run() {
  local status
  unset SORTIE_ATTEMPT # an engine may start what is not of this job alone
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
  sortie_expect_image
  sortie_note "job-$sortie_attempt" "$sortie_owner"
  sortie_contain
  status=$?
  if ((status == 125)) && sortie_is_not_made && ! sortie_has_image "$sortie_image"; then
    sortie_find_image # which was here once
    sortie_contain
    status=$?
  fi
  if ((status == 125)) && sortie_is_not_made; then
    sortie_step container
  fi
  ((status != 143)) || sleep 0.2 # of a SIGTERM to all of the job, which the shell above gets too
  kill -USR1 "$$" # so that the shell above looks at once
  exit "$status"
}
