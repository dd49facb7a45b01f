
# Becomes the evaluator. From the activation on, nothing is trusted to be what its name says.
sortie_run() {
  local program=${sortie_command[0]} advice=''
  sortie_evaluator_environment || builtin exit
  if ((sortie_by_python)); then
    sortie_step python
  else
    sortie_step evaluator
  fi
  if ! builtin type -P -- "$program" >/dev/null; then
    ((!sortie_by_python || ${#sortie_activate[@]})) || advice='; set `python_executable` to a Python of the nodes'
    builtin printf 'sortie: %s: not found once its environment was active; PATH is %s%s\n' "$program" "${PATH-}" "$advice" >&2
    builtin exit 127
  fi
  if ((sortie_by_python)); then
    builtin command -- "$program" --version >/dev/null 3>&- || builtin exit
  else
    __sortie_expect_interpreter "$program" || builtin exit
  fi
  sortie_expect_parent
  builtin ulimit -Sc 0 # no core files, unless the evaluator wants them
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
