
# ---- The container's end ----

# sortie_ask [TRIES]: sets sortie_state to what the engine says of the container; 1 if it has no such container.
# An engine that does not answer, as it is started again, is given 20 seconds, but only once; sortie_tries tells
# if it was in need of them.
sortie_ask() {
  local most=${1:-40}
  [[ $sortie_ended != engine ]] || most=1
  for ((sortie_tries = 0; sortie_tries < most; sortie_tries++)); do
    ((sortie_tries == 0)) || sleep 0.5
    if sortie_ask_engine container inspect --format \
      'sortie {{.State.Running}} {{.State.OOMKilled}} {{.State.ExitCode}} {{json .State.StartedAt}} {{json .Config.Entrypoint}}' \
      "sortie-$sortie_attempt" && [[ -n $sortie_answer ]]; then
      sortie_state=$sortie_answer
      return 0
    fi
    # There is none, or the engine does not answer: which of them is not told by what it says.
    if sortie_ask_engine ps --all --filter "label=sortie.attempt=$sortie_attempt" --format 'sortie {{.ID}}' &&
      [[ -z $sortie_answer ]]; then
      return 1
    fi
  done
  return 2
}

# Whether the engine was stopped, with its containers, and is back: Docker's knows then of no end of this one.
sortie_was_restarted() {
  local now
  [[ $sortie_status =~ ^(137|143)$ ]] || return
  sortie_find_owner
  sortie_find_engine
  [[ $sortie_kind == docker ]] || return
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
  read -r running oom code started _ <<<"$sortie_state"
  if [[ $started == *0001-* ]]; then
    sortie_judge_start
  elif [[ $running == true || $code != "$sortie_status" ]] || sortie_was_restarted; then
    sortie_ended=engine
  elif [[ $oom == true ]]; then
    sortie_ended=out_of_memory
  elif ((${#sortie_probe[@]} == 0)) && [[ $code =~ ^(1|126|127)$ ]] &&
    [[ $(tail -c 400 "/proc/$$/fd/2") =~ tini.*\ exec\ .*failed|catatonit.*failed\ to\ exec ]]; then
    sortie_find_error "$(tail -c 400 "/proc/$$/fd/2")"
    sortie_step='command' # which the first process of a container finds out, once it is started
    sortie_said="${sortie_command[0]} cannot be run in a container of $sortie_image: $sortie_error"
  elif ((code > 128 && code <= 128 + 64)); then
    sortie_ended=signaled # or the evaluator exited so: an engine makes no difference
  fi
}

# Finds out what a container was not made or started for: nothing but the engine has written to the log.
sortie_judge_start() {
  local said
  said=$(tail -c 4096 "/proc/$$/fd/2")
  sortie_find_error "$said"
  sortie_said=${sortie_error:0:1000}
  sortie_step=container
  ! sortie_may_pass "$said" || sortie_step='container start'
}

# sortie_take_away ATTEMPT: removes the container: 1 if there is none, or none is removed. Engines print what they have
# removed, and some are content if there is nothing.
sortie_take_away() {
  local removed
  removed=$("$sortie_engine" rm --force --volumes "sortie-$1" 2>/dev/null)
  [[ $'\n'$removed$'\n' =~ $'\n'("sortie-$1"|[0-9a-f]{64})$'\n' ]]
}

# Removes the container, or leaves it to a later job. Where the command that makes it was ended, it may be yet to come.
sortie_remove() {
  local try now
  for ((try = 0; try < 20; try++)); do
    if sortie_take_away "$sortie_attempt"; then
      sortie_forget "job-$sortie_attempt"
      return
    fi
    sortie_ask
    case $? in
      1)
        if [[ -n $sortie_ended ]]; then
          sortie_forget "job-$sortie_attempt"
          return
        elif ((try == 4)); then
          printf -v now '%(%s)T' -1
          sortie_note "job-$sortie_attempt" "late $now"
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
    "$sortie_engine" stop -t "$(((sortie_grace + 9) / 10))" "sortie-$sortie_attempt" &>/dev/null
  fi
  # Mostly nothing is left of the engine's command, which need not be looked for then.
  ! kill -0 -- "-$sortie_payload" 2>/dev/null || sortie_stop
  sortie_reap
  case $sortie_step in
    container | 'container start' | ready)
      if [[ -n $sortie_ended && -z $sortie_signal && -z $sortie_said ]]; then
        case $sortie_step$sortie_ended$sortie_status in
          readyexited0) ;;
          ready*) sortie_judge ;;
          *) sortie_judge_start ;;
        esac
      fi
      sortie_remove & # which `sortie_end` waits for
      ;;
    *) sortie_forget "job-$sortie_attempt" ;;
  esac
}
