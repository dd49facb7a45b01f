
# ---- The container's end ----

# sortie_ask: sets sortie_state to what the engine says of the container's end; 1 if it has no such container.
# An engine that does not answer, as it is started again, is given 20 seconds, but only once; sortie_tries tells
# if it was in need of them.
sortie_ask() {
  local most=40
  [[ $sortie_ended != engine ]] || most=1
  for ((sortie_tries = 0; sortie_tries < most; sortie_tries++)); do
    if sortie_state=$("$sortie_engine" container inspect --format \
      '{{.State.Running}} {{.State.OOMKilled}} {{.State.ExitCode}} {{.State.StartedAt}}' "sortie-$sortie_attempt" 2>&1); then
      return 0
    fi
    [[ ${sortie_state,,} != *'no such'* ]] || return 1
    sleep 0.5
  done
  return 2
}

# Whether the engine was stopped, with its containers, and is back: Docker's knows then of no end of this one.
sortie_was_restarted() {
  local now
  [[ $sortie_engine != *podman && $sortie_status =~ ^(137|143)$ ]] || return
  printf -v now '%(%s)T' -1
  [[ -z $("$sortie_engine" events --since "$((now - 60))" --until "$now" \
    --filter "container=sortie-$sortie_attempt" --filter event=die 2>/dev/null) ]]
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
  elif [[ $running == true || $code != "$sortie_status" ]] || sortie_was_restarted; then
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

# Removes the container, or leaves it to a later job. Where the command that makes it was ended, it may be yet to come.
sortie_remove() {
  local try
  for ((try = 0; try < 20; try++)); do
    # Engines print what they have removed, and some are content if there is nothing.
    if [[ -n $("$sortie_engine" rm --force --volumes "sortie-$sortie_attempt" 2>/dev/null) ]]; then
      sortie_forget "job-$sortie_attempt"
      return
    fi
    sortie_ask
    case $? in
      1)
        if [[ -n $sortie_ended ]] || ((try == 4)); then
          sortie_forget "job-$sortie_attempt"
          return
        fi
        ;;
      2) break ;;
    esac
    sleep 0.5
  done
  printf 'sortie: the container sortie-%s cannot be removed; a later job will try\n' "$sortie_attempt" >&2
}

# Stops the container if it is to be stopped, finds out about its end, and removes it.
sortie_leave() {
  sortie_environment # the engine is found by it
  sortie_find_node
  if [[ $sortie_ended == signaled || $sortie_ended == unknown ]]; then # the engine's command: that alone does not end a container
    sortie_ended=exited
    [[ -z $sortie_signal ]] || sortie_ended=''
  fi
  if [[ $sortie_step == ready && (-z $sortie_ended || -n $sortie_signal) ]]; then
    "$sortie_engine" stop --time "$(((sortie_grace + 9) / 10))" "sortie-$sortie_attempt" &>/dev/null
  fi
  # Mostly nothing is left of the engine's command, which need not be looked for then.
  ! kill -0 -- "-$sortie_payload" 2>/dev/null || sortie_stop
  sortie_reap
  if [[ $sortie_step == container || $sortie_step == ready ]]; then
    if [[ $sortie_step == ready && -n $sortie_ended && -z $sortie_signal && $sortie_ended$sortie_status != exited0 ]]; then
      sortie_judge
    fi
    sortie_remove & # which `sortie_end` waits for
  else
    sortie_forget "job-$sortie_attempt"
  fi
}
