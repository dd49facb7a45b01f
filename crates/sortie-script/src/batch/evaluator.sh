
# Sets up and becomes the evaluator. From the activation on, nothing is trusted to be what its name says.
sortie_run() {
  local program=${sortie_command[0]}
  sortie_prepare
  sortie_activate
  builtin trap - EXIT ERR DEBUG RETURN
  sortie_evaluator_environment || builtin exit
  sortie_step python
  if ! builtin type -P -- "$program" >/dev/null; then
    builtin printf 'sortie: %s: not found once its environment was active; PATH is %s\n' "$program" "${PATH-}" >&2
    builtin exit 127
  fi
  builtin command -- "$program" --version >/dev/null 3>&- || builtin exit
  sortie_step ready
  if ((${#sortie_odd[@]} > 0)); then
    builtin exec -- /usr/bin/env -- "${sortie_odd[@]}" "${sortie_command[@]}" 3>&-
  else
    builtin exec -- "${sortie_command[@]}" 3>&-
  fi
}

# Adds to the record the CPU time of the evaluator, and of what it has waited for. Bash tells two lines: its own
# time, and that of its children, of which there were hardly any others so far.
sortie_measure() {
  local line time='([0-9]+)m([0-9]+)[.,]([0-9]+)s' user='' system=''
  times >&3
  while read -r -t 0 -u 3 && read -r -u 3 line; do
    if [[ $line =~ ^$time\ $time$ ]]; then
      user=$((10#${BASH_REMATCH[1]} * 60 + 10#${BASH_REMATCH[2]})).${BASH_REMATCH[3]}
      system=$((10#${BASH_REMATCH[4]} * 60 + 10#${BASH_REMATCH[5]})).${BASH_REMATCH[6]}
    fi
  done
  [[ -z $user ]] || sortie_job+=",\"cpu_user_seconds\":$user,\"cpu_system_seconds\":$system"
}

# Ends what the evaluator left, or the evaluator itself: bash has waited for it then, too.
sortie_leave() {
  [[ -z $sortie_ended ]] || sortie_measure
  sortie_stop
  [[ -n $sortie_ended ]] || sortie_measure
}
