
# ---- The job ----

# sortie_on_signal NUMBER: asked to stop, by Slurm before the time limit or by scancel.
sortie_on_signal() {
  sortie_signal=$1
  [[ -z $sortie_watcher ]] || kill "$sortie_watcher" 2>/dev/null
}

# Runs when a child ends: if it is the evaluator, ends the watch, which is what is waited for.
sortie_on_child() {
  kill -0 "$sortie_payload" 2>/dev/null || kill "$sortie_watcher" 2>/dev/null
}

# Starts the evaluator and waits until it ends, floods its logs, or is to be stopped: sets sortie_ended,
# sortie_flood or sortie_signal.
#
# Waited for is the watch, since `wait` has the evaluator forgotten and gives the same status for an exit
# with 137 and for SIGKILL: see sortie_reap.
sortie_wait() {
  sortie_watcher='' sortie_signal='' sortie_flood='' sortie_ended=''
  trap 'sortie_on_signal 15' TERM
  trap 'sortie_on_signal 2' INT
  trap 'sortie_on_signal 1' HUP
  set -m # each in a process group of its own
  sortie_watch 3>&- &
  sortie_watcher=$!
  sortie_run &
  sortie_payload=$!
  set +m
  trap sortie_on_child CHLD
  if [[ -z $sortie_signal ]] && kill -0 "$sortie_payload" 2>/dev/null; then
    wait "$sortie_watcher"
    (($? != 9)) || sortie_flood=1
  fi
  : # what is still to be trapped, is now
  trap - CHLD
  if [[ -z $sortie_signal$sortie_flood ]] || ! kill -0 "$sortie_payload" 2>/dev/null; then
    sortie_reap
  fi
  trap '' TERM INT HUP
}

# Sets sortie_ended to `exited` or `signaled`, and sortie_status. Only bash's list of jobs tells the two
# apart: it has "Exit 137" for the last job that was started, and "Killed" until that is reported.
sortie_reap() {
  local state
  state=$(LC_ALL=C jobs %sortie_run 2>/dev/null)
  wait "$sortie_payload" 2>/dev/null
  sortie_status=$?
  sortie_ended=signaled
  if ((sortie_status <= 128)) || [[ $state =~ ^\[[0-9]+\][+-]?\ +Exit\  ]]; then
    sortie_ended=exited
  fi
  if [[ $sortie_ended == signaled ]] && ((sortie_status == 128 + 15)); then
    sleep 0.2 # Slurm signals all processes of a job, and this shell may not be the first
  fi
}

sortie_main() {
  local line step=''
  # Most often Slurm has opened just these. Without them there is nothing to tell, nor where.
  exec </dev/null >>"$sortie_results/job_log.out" 2>>"$sortie_results/job_log.err" || exit 125
  sortie_start
  if ((${SLURM_RESTART_COUNT:-0} > 0)); then
    echo "sortie: started again by Slurm (restart $SLURM_RESTART_COUNT): not run a second time" >&2
    [[ ! -e $sortie_results/job_end.json ]] || exit 75
    sortie_end 75 '{"kind":"restarted"}'
  fi
  sortie_write job_start.json "$sortie_job}"

  exec 3<> <(:) # a pipe without a name, for the steps
  wait "$!" 2>/dev/null
  sortie_wait
  sortie_stop
  while read -r -t 0 -u 3 && read -r -u 3 line; do
    step=$line
  done

  if [[ -n $sortie_flood ]] || sortie_flooded; then
    echo "sortie: a log has more than $sortie_max_log_bytes bytes" >&2
    sortie_end 122 "{\"kind\":\"output_limit\",\"limit_bytes\":$sortie_max_log_bytes}"
  elif [[ -n $sortie_signal && ($sortie_ended != exited || $step != ready) ]]; then
    sortie_end $((128 + sortie_signal)) "{\"kind\":\"terminated\",\"signal\":$sortie_signal}"
  elif [[ $step != ready ]]; then
    echo "sortie: set-up failed at: $step (status $sortie_status); the evaluator was not started" >&2
    sortie_end 125 "{\"kind\":\"setup_failed\",\"step\":\"$step\",\"status\":$sortie_status}"
  elif [[ $sortie_ended == exited ]]; then
    sortie_end "$sortie_status" "{\"kind\":\"exited\",\"code\":$sortie_status}"
  fi
  sortie_end "$sortie_status" "{\"kind\":\"signaled\",\"signal\":$((sortie_status - 128))}"
}

sortie_main
