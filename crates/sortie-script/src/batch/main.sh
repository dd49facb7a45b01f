
# ---- The job ----

# sortie_on_signal NUMBER: asked to stop, by Slurm before the time limit or by scancel. The line ends `sortie_sleep`.
sortie_on_signal() {
  sortie_signal=$1
  sortie_wake
}

# Opens two pipes without a name: 3 for what is told of the evaluator, 5 to sleep by. A here-string is one in bash from 5.1 on,
# which saves a process each.
sortie_open_pipes() {
  if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) && exec 3<<<'' 5<<<'' && [[ -p /proc/self/fd/3 ]]; then
    exec 3<>/proc/self/fd/3 5<>/proc/self/fd/5
    read -r -u 3 _ && read -r -u 5 _
  else
    exec 3<> <(:) 5<> <(:)
  fi
}

# Opens the logs and records the start, unless Slurm has started the script once more.
sortie_begin() {
  # Most often Slurm has opened just these. Without them there is nothing to tell, nor where.
  exec </dev/null >>"$sortie_results/job_log.out" 2>>"$sortie_results/job_log.err" || exit 125
  sortie_start
  if ((${SLURM_RESTART_COUNT:-0} > 0)); then
    echo "sortie: started again by Slurm (restart $SLURM_RESTART_COUNT): not run a second time" >&2
    [[ ! -e $sortie_records/job_end.json ]] || exit 75
    sortie_end 75 '{"kind":"restarted"}'
  fi
  sortie_write_line job_start.json "$sortie_job}"

  sortie_signal='' sortie_payload='' sortie_step='' sortie_said='' sortie_ended='' sortie_status=0 sortie_waited=''
  sortie_cpu='' sortie_parent_is_over='' sortie_soon=3000
  sortie_open_pipes
  exec 4>&2 2>/dev/null # nothing that bash says of the processes below is the evaluator's word
  trap 'sortie_on_signal 15' TERM
  trap 'sortie_on_signal 2' INT
  trap 'sortie_on_signal 1' HUP
  trap sortie_wake USR1 # from below: look now
}

# Waits until the evaluator ends, floods its logs, or is to be stopped. Looks soon at first, then four times a second: an end is
# seen late by a ninth of what the evaluator has taken, and by a quarter of a second, at most; at once where something holds
# the pipe that this sleeps by.
sortie_attend() {
  local seconds microseconds=$sortie_soon look=$((SECONDS + 2))
  while true; do
    printf -v seconds '0.%06d' "$microseconds"
    if sortie_sleep "$seconds" || sortie_hear; then
      microseconds=$sortie_soon
    else
      microseconds=$((microseconds < 222000 ? microseconds + microseconds / 8 : 250000))
    fi
    if [[ -z $sortie_payload ]]; then # which its parent tells at once
      kill -0 "$sortie_parent" && continue
      sortie_judge_end
      break
    fi
    [[ -z $sortie_signal ]] || break
    # What has ended has no files any more. To look for one of them is cheaper, and waits for no file system.
    if [[ ! -L /proc/$sortie_payload/fd/0 ]] && sortie_has_ended "$sortie_payload"; then
      sortie_judge_end
      break
    elif ((SECONDS >= look)); then
      look=$((SECONDS + 2))
      ! sortie_flooded || break
    fi
  done
  if [[ -z $sortie_signal ]] && ((sortie_status > 128)); then
    sortie_sleep 0.2 # Slurm signals all processes of a job, and this shell may not be the first
  fi
  trap '' TERM INT HUP
  exec 2>&4 4>&-
}

# Records how it ended, once nothing of the evaluator is left.
sortie_conclude() {
  if sortie_flooded; then
    echo "sortie: a log has more than $sortie_max_log_bytes bytes" >&2
    sortie_end 122 "{\"kind\":\"output_limit\",\"limit_bytes\":$sortie_max_log_bytes}"
  elif [[ -n $sortie_signal && "$sortie_ended $sortie_status $sortie_step" != 'exited 0 ready' ]]; then
    sortie_end $((128 + sortie_signal)) "{\"kind\":\"terminated\",\"signal\":$sortie_signal}"
  elif [[ $sortie_ended == unknown ]]; then
    echo 'sortie: how the evaluator ended is not known, as the shell that waits for it was killed' >&2
    exit 125 # without a record, as of a script that is killed
  elif [[ $sortie_step != ready ]]; then
    echo "sortie: set-up failed at: $sortie_step (status $sortie_status); the evaluator was not started" >&2
    sortie_add_reason "{\"kind\":\"setup_failed\",\"step\":\"$sortie_step\",\"status\":$sortie_status}"
    sortie_end 125 "$sortie_reason"
  elif [[ $sortie_ended == engine ]]; then
    echo 'sortie: the container engine failed while the evaluator ran' >&2
    sortie_end 125 "{\"kind\":\"engine_failed\",\"status\":$sortie_status}"
  elif [[ $sortie_ended == out_of_memory ]]; then
    sortie_end "$sortie_status" '{"kind":"out_of_memory"}'
  elif [[ $sortie_ended == exited ]]; then
    sortie_end "$sortie_status" "{\"kind\":\"exited\",\"code\":$sortie_status}"
  fi
  sortie_end "$sortie_status" "{\"kind\":\"signaled\",\"signal\":$((sortie_status - 128))}"
}

{ # One command, which bash reads to its end before it runs any of it.
  sortie_begin
  set -m
  ( # the evaluator's parent
    sortie_be_parent
    ( # the evaluator to be
      sortie_prepare
      # What is sourced is sourced in no function, where `declare` would make variables of that function alone.
      while sortie_find_module; do
        source "$sortie_file" 3>&-
      done
      sortie_load_modules
      case ${sortie_activate[0]-} in
        conda)
          sortie_find_conda || exit
          source "$sortie_file" 3>&- || exit
          sortie_step 'conda activate'
          conda activate "${sortie_activate[1]}" 3>&- || exit
          ;;
        source)
          sortie_step 'activate script'
          __sortie_watch "${sortie_activate[1]}" ''
          source "${sortie_activate[1]}" 3>&-
          ;;
      esac
      sortie_return
      sortie_run
    ) 2>&4 4>&- 5>&- &
    sortie_stay "$!"
  ) &
  sortie_parent=$!
  set +m
  sortie_attend
  sortie_leave
  sortie_conclude
}
