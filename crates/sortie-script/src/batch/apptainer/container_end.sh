
# ---- The container's end ----

# Asks the evaluator to end, and ends it after the grace period. Apptainer passes a signal on. What is below Apptainer is
# killed, and not itself: it then takes away what it has mounted, and ends.
sortie_end_container() {
  local tenth pid
  for ((tenth = 0; tenth < sortie_grace + 30; tenth++)); do
    ! sortie_has_ended "$sortie_payload" || return 0
    if ((tenth >= sortie_grace)); then
      while IFS=/ read -r _ _ pid _; do
        kill -KILL "$pid"
      done < <(grep -lszE "\) [^ZX] $sortie_payload " /proc/[0-9]*/stat)
    elif ((tenth == 0)); then
      kill -TERM "$sortie_payload"
      kill -CONT -- "-$sortie_payload"
    fi
    sleep 0.1
  done 2>/dev/null
}

# Ends what runs in the container, if anything does, and finds out what an end was.
sortie_leave() {
  if [[ -z $sortie_ended && ($sortie_step == container || $sortie_step == ready) ]]; then
    sortie_end_container
  fi
  # Mostly nothing is left, which need not be looked for then: what is in the container ends with its first process.
  ! kill -0 -- "-$sortie_payload" 2>/dev/null || sortie_stop
  sortie_reap
  sortie_job+=$sortie_cpu
  sortie_find_node
  sortie_find_images
  if [[ $sortie_step == image* && -n $sortie_images ]]; then
    sortie_remove_parts "$sortie_images"/.*."$sortie_attempt" "$sortie_images"/.*."$sortie_attempt.tar"
  fi
  [[ -n $sortie_ended && -z $sortie_signal ]] || return 0
  case $sortie_step in
    container) sortie_judge_start ;;
    command) sortie_said="${sortie_command[0]} cannot be run in a container of ${sortie_archive:-$sortie_image}: $sortie_said" ;;
    ready) sortie_judge ;;
  esac
}

# Of an evaluator that was started: Apptainer ends as it did, and with 128 and the signal that ended it.
sortie_judge() {
  if [[ $sortie_ended == signaled ]]; then
    sortie_ended=engine # for that is Apptainer's own end
  elif ((sortie_status > 128 && sortie_status <= 128 + 64)); then
    sortie_ended=signaled # or the evaluator exited so: Apptainer makes no difference
  fi
}

# Of one that was not: nothing but Apptainer has written to the log.
sortie_judge_start() {
  local said
  said=$(tail -c 8192 "/proc/$$/fd/2")
  sortie_find_error "$said"
  sortie_said=${sortie_error:-$sortie_engine says nothing (status $sortie_status)}
  if [[ $sortie_ended == signaled ]] || sortie_may_pass "$said"; then
    sortie_step='container start'
  elif [[ $sortie_said == *'capability set'* ]]; then
    sortie_said+="; add --userns to apptainer_flags, as root has not got all capabilities here"
  elif [[ $sortie_said == *'/bin/sh'* ]]; then
    sortie_said+="; evaluators are started by the image's /bin/sh, so it has to have one"
  fi
}

# sortie_find_error TEXT: sets sortie_error to what, in Apptainer's words, is wrong.
sortie_find_error() {
  local line
  sortie_error=''
  while IFS='' read -r line; do
    line=${line//[[:cntrl:]]/ }
    case $line in
      FATAL:* | ERROR* | 'Error for command'*) sortie_error=${line:0:1000} ;;
    esac
  done <<<"$1"
  sortie_error=${sortie_error#FATAL:}
  sortie_error=${sortie_error#"${sortie_error%%[! ]*}"}
}
