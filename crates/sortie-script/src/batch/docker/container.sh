
# ---- The container ----

# Sets sortie_here to the flags that only the node can tell: who and what the job is, and what it was given.
sortie_find_flags() {
  local cpus
  sortie_here=("--label=sortie.owner=$sortie_owner" "--label=sortie.uid=$EUID" "--label=sortie.job=${SLURM_JOB_ID-}")
  if ((sortie_as_submitter)); then
    sortie_add_user
  fi
  if ((sortie_cpus > 0)) && cpus=$(getconf _NPROCESSORS_ONLN); then
    sortie_here+=("--cpus=$((sortie_cpus < cpus ? sortie_cpus : cpus))")
  fi
  if [[ -n ${SORTIE_CPUSET-} && $sortie_unheld != *,cpuset,* ]]; then
    sortie_here+=("--cpuset-cpus=$SORTIE_CPUSET")
  fi
  # Podman would hand its own on.
  [[ $sortie_kind != podman ]] || ((sortie_http_proxy)) || sortie_here+=(--http-proxy=false)
  sortie_add_gpus
  sortie_add_group
}

# Adds who the container runs as: whoever the job's files belong to, which in Docker without root is its root.
sortie_add_user() {
  if [[ $sortie_kind == docker && $sortie_rootless == 1 ]]; then
    sortie_here+=(--user=0:0)
  else
    sortie_here+=("--user=$EUID:${GROUPS[0]}")
    [[ $sortie_kind != podman || $sortie_rootless == 0 ]] || sortie_here+=(--userns=keep-id)
  fi
}

sortie_add_gpus() {
  local gpus=${SLURM_JOB_GPUS:-${SLURM_STEP_GPUS:-${CUDA_VISIBLE_DEVICES-}}} gpu
  if [[ $sortie_gpus == none ]]; then
    return
  elif [[ $sortie_kind == podman && (-n $gpus || $sortie_gpus == all) ]]; then
    gpus=${gpus:-all}
    for gpu in ${gpus//,/ }; do
      sortie_here+=("--device=nvidia.com/gpu=$gpu")
    done
  elif [[ -n $gpus ]]; then
    sortie_here+=("--gpus=\"device=$gpus\"")
  elif [[ $sortie_gpus == all ]]; then
    sortie_here+=(--gpus=all)
  fi
}

# Puts the container into the control group of the job, where the two can meet: in the hierarchies of
# version 1, with an engine that makes the groups itself.
sortie_add_group() {
  local line group=''
  [[ $sortie_job_group == 1 && $sortie_groups == cgroupfs1 ]] || return 0
  while IFS=: read -r _ line group; do
    [[ $line != memory || $group != */job_* ]] || break
    group=''
  done </proc/self/cgroup
  [[ -z $group ]] || sortie_here+=("--cgroup-parent=$group")
} 2>/dev/null

# Runs the container. Its engine's commands give 125 where they make none. Meanwhile, old ones are swept up.
sortie_contain() {
  local run
  sortie_step ready
  "$sortie_engine" run "${sortie_here[@]}" "${sortie_container[@]}" "$sortie_image" "${sortie_command[@]}" 3>&- &
  run=$!
  sortie_clean_up_if_needed 3>&-
  wait "$run"
}

# Whether the engine says that there is no such container.
sortie_is_not_made() {
  sortie_ask 1
  (($? == 1))
}

# Makes sure that the engine is here, and finds out what it is.
sortie_expect_engine() {
  sortie_expect_command
  sortie_find_owner
  sortie_find_node
  sortie_find_engine
  sortie_require_limits
}

# Runs the evaluator in a container, from the image to its end.
sortie_run() {
  local status
  unset SORTIE_ATTEMPT # an engine may start what is not of this job alone
  sortie_expect_engine
  [[ $sortie_trial != engine ]] || sortie_end_trial
  sortie_find_flags
  if [[ -n $sortie_archive ]]; then
    sortie_step 'image tar'
    sortie_find_image_in_archive
  elif [[ $sortie_pull == always && -z $sortie_trial ]]; then
    sortie_get_image again
  fi
  sortie_expect_image
  sortie_note_job
  sortie_try_image
  [[ -z $sortie_trial ]] || sortie_end_trial
  sortie_end_earlier
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

# All that was to be tried went well.
sortie_end_trial() {
  sortie_step ready
  exit 0
}
