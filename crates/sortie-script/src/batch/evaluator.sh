
# Becomes the evaluator. From the activation on, nothing is trusted to be what its name says.
sortie_run() {
  local program=${sortie_command[0]}
  sortie_evaluator_environment || builtin exit
  if [[ $program == */* ]]; then # an evaluator that runs as itself
    sortie_step evaluator
  else
    sortie_step python
  fi
  if ! builtin type -P -- "$program" >/dev/null; then
    builtin printf 'sortie: %s: not found once its environment was active; PATH is %s\n' "$program" "${PATH-}" >&2
    builtin exit 127
  fi
  if [[ $program == */* ]]; then
    __sortie_expect_interpreter "$program" || builtin exit
  else
    builtin command -- "$program" --version >/dev/null 3>&- || builtin exit
  fi
  sortie_expect_parent
  sortie_step ready
  if ((${#sortie_odd[@]} > 0)); then
    builtin exec -- /usr/bin/env -- "${sortie_odd[@]}" "${sortie_command[@]}" 3>&-
  else
    builtin exec -- "${sortie_command[@]}" 3>&-
  fi
}

# Ends what the evaluator left, or the evaluator itself, and adds to the record the CPU time that it used, and what it has
# waited for.
sortie_leave() {
  sortie_stop
  sortie_reap
  sortie_job+=$sortie_cpu
}
