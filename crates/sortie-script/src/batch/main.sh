
# ---- The job ----

# sortie_on_signal NUMBER: asked to stop, by Slurm before the time limit or by scancel.
sortie_on_signal() {
  sortie_signal=$1
  [[ -z $sortie_watcher ]] || kill "$sortie_watcher"
}

# Starts the evaluator and waits until it ends, floods its logs, or is to be stopped.
#
# Sets sortie_signal to the signal that came, and sortie_ended if it ended, to `exited` or `signaled`, with
# sortie_status. `wait` gives 137 for SIGKILL and for an exit with 137. But of a child that a signal
# killed, and no other, bash in job control reports its end on standard error: here, the pipe.
sortie_wait() {
  local line
  sortie_watcher='' sortie_signal='' sortie_ended='' sortie_status=0 sortie_step=''
  trap 'sortie_on_signal 15' TERM
  trap 'sortie_on_signal 2' INT
  trap 'sortie_on_signal 1' HUP
  trap : USR1
  set -m # which also gives each a process group of its own
  sortie_watch 3>&- &
  sortie_watcher=$!
  sortie_run &
  sortie_payload=$!
  exec 4>&2 2>&3
  while [[ -z $sortie_signal ]] && kill -0 "$sortie_payload"; do
    wait "$sortie_payload"
    if kill -0 "$sortie_payload" && sortie_flooded; then break; fi
  done
  kill -KILL -- "-$sortie_watcher"
  wait "$sortie_watcher"
  sortie_watcher=''
  kill -0 "$sortie_payload" || sortie_reap
  exec 2>&4 4>&-
  set +m

  while read -r -t 0 -u 3 && read -r -u 3 line; do
    case $line in
      'step '*) sortie_step=${line#step } ;;
      *' sortie_run') sortie_ended=signaled ;;
    esac
  done
}

# Sets sortie_status, which bash remembers. Not, in rare cases, if a signal came just when it ended:
# then it counts as stopped by that.
sortie_reap() {
  local before=none
  while [[ $before != "$sortie_signal" ]]; do # a signal that comes now cuts `wait` short
    before=$sortie_signal
    wait "$sortie_payload"
    sortie_status=$?
  done
  ((sortie_status < 0)) || sortie_ended=exited
}

sortie_main() {
  # Most often Slurm has opened just these. Without them there is nothing to tell, nor where.
  exec </dev/null >>"$sortie_results/job_log.out" 2>>"$sortie_results/job_log.err" || exit 125
  sortie_start
  if ((${SLURM_RESTART_COUNT:-0} > 0)); then
    echo "sortie: started again by Slurm (restart $SLURM_RESTART_COUNT): not run a second time" >&2
    [[ ! -e $sortie_results/job_end.json ]] || exit 75
    sortie_end 75 '{"kind":"restarted"}'
  fi
  sortie_write job_start.json "$sortie_job}"

  exec 3<> <(:) # a pipe without a name, for what is told of the evaluator
  sortie_wait
  if [[ $sortie_ended == signaled && $sortie_status == 143 ]]; then
    sleep 0.2 # Slurm signals all processes of a job, and this shell may not be the first
  fi
  trap '' TERM INT HUP
  sortie_leave

  if sortie_flooded; then
    echo "sortie: a log has more than $sortie_max_log_bytes bytes" >&2
    sortie_end 122 "{\"kind\":\"output_limit\",\"limit_bytes\":$sortie_max_log_bytes}"
  elif [[ -n $sortie_signal && ($sortie_ended != exited || $sortie_step != ready) ]]; then
    sortie_end $((128 + sortie_signal)) "{\"kind\":\"terminated\",\"signal\":$sortie_signal}"
  elif [[ $sortie_step != ready ]]; then
    echo "sortie: set-up failed at: $sortie_step (status $sortie_status); the evaluator was not started" >&2
    sortie_end 125 "{\"kind\":\"setup_failed\",\"step\":\"$sortie_step\",\"status\":$sortie_status}"
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

sortie_main
