
# ---- Whether an evaluator can be started in a container of the image, and write its results ----
#
# A status does not tell whether an evaluator was ever started: engines, the first process of a container and
# entrypoints have theirs. So the first job of these settings on a node starts something else in just the same
# way, whose effect is looked for. What fails there is no candidate's fault.

# How long that may take, in seconds: an entrypoint that does something else may never end.
sortie_patience=300

# Does that, unless it was done since the node started.
sortie_try_image() {
  local name=probe-$sortie_settings-$sortie_place_name known="$sortie_boot $sortie_image"
  ((${#sortie_probe[@]} > 0)) || return 0
  # The results dirs of who submits are theirs.
  ((sortie_as_submitter)) || known+=$(stat -Lc ' %u:%g:%a' -- "$sortie_results")
  ! sortie_was_tried || return 0
  if [[ -n $sortie_node ]] && exec 5>>"$sortie_node/probe-$sortie_settings.lock"; then
    flock 5 # the others find its note then
    ! sortie_was_tried || return 0
  fi
  sortie_probe_image
  sortie_note "$name" "$known"
  exec 5>&-
}

sortie_was_tried() {
  [[ -z $sortie_trial ]] && sortie_read_note "$name" && [[ $sortie_noted == "$known" ]]
}

# Runs the probe. It tells of its effect on a line of its own; where there is none, the rest is for people.
sortie_probe_image() {
  local said status line written='' refused=''
  sortie_step container
  said=$(sortie_run_probe)
  status=$?
  if ((status == 125)) && sortie_is_not_made && ! sortie_has_image "$sortie_image"; then
    sortie_find_image # which was here once
    sortie_step container
    said=$(sortie_run_probe)
    status=$?
  fi
  ((status < 128)) || sleep 0.2 # of a signal to all of the job, which the shell above gets too
  while IFS='' read -r line; do
    case ${line%$'\r'} in
      'sortie:written') written=1 ;;
      'sortie:refused '*) refused=${line#sortie:refused } ;;
    esac
  done <<<"$said"
  [[ -n $written || -n $refused ]] || sortie_judge_probe "$status" "$said"
  if ! sortie_take_away "$sortie_attempt"; then
    sortie_step 'container start'
    sortie_fail "$status" "the container sortie-$sortie_attempt cannot be removed"
  elif [[ -n $refused ]]; then
    sortie_step 'results dir'
    ! sortie_may_pass "$refused" || sortie_step 'container start'
    sortie_fail "$status" "the results dir cannot be written in a container (${refused:0:300}): set \`user: submitter\`, or let its user write there"
  fi
}

sortie_run_probe() {
  set -o pipefail
  timeout --foreground --kill-after=10 "$sortie_patience" \
    "$sortie_engine" run "${sortie_here[@]}" "${sortie_container[@]}" "$sortie_image" "${sortie_probe[@]}" "$sortie_probed_dir" 2>&1 3>&- 5>&- |
    tail -c 16384 3>&- 5>&-
}

# sortie_judge_probe STATUS SAID: ends the job with the reason that the probe had no effect.
sortie_judge_probe() {
  local step text running='' oom='' code='' started='' entrypoint='' asked
  printf '%s\n' "$2" >&2
  sortie_find_error "$2"
  sortie_ask
  asked=$?
  ((asked != 0)) || read -r running oom code started entrypoint <<<"$sortie_state"
  text=${sortie_error:-the engine\'s command says nothing (status $1)}
  if ((asked == 2)); then
    step='container start'
  elif [[ -z $started || $started == *0001-* ]]; then
    step=container
    ! sortie_may_pass "$2" || step='container start'
  elif (($1 == 124)); then
    step=entrypoint text="a container of $sortie_image did not end in $sortie_patience s, though all it was to do is to start and end: its ENTRYPOINT, $entrypoint, does something else"
  elif [[ $running == true || $code != "$1" ]]; then
    step='container start'
  elif [[ $oom == true ]]; then
    step=container text='it ran out of memory before the evaluator was started: raise `mem`'
  elif [[ $code =~ ^12[67]$ || $2 == *'failed to exec'* || $entrypoint =~ ^(null|\"\"|\[\]|)$ ]]; then
    step='command' text="${sortie_probe[0]} cannot be run in a container of $sortie_image: $text"
  else
    step=entrypoint text="the ENTRYPOINT of $sortie_image, $entrypoint, does not run its arguments as a command (it ended with $code: $text): let it end in \`exec \"\$@\"\`, or add \`--entrypoint ''\` to docker_flags"
  fi
  sortie_take_away "$sortie_attempt"
  sortie_step "$step"
  sortie_fail "$1" "$text"
}
