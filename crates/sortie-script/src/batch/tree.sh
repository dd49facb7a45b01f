
# ---- The evaluator's processes ----

# Sets sortie_pids: what runs in the evaluator's process group, and whatever has this attempt's mark in
# its environment, which also finds what left the group by setsid or a double fork.
sortie_find() {
  sortie_pids=()
  # Of stat(5): the state, but for what is dead already; the parent; the group. Most often there is none any more.
  sortie_is_group_gone || sortie_find_by -E "\) [^ZX] [0-9]+ $sortie_payload " stat
  sortie_find_by -xF "SORTIE_ATTEMPT=$sortie_attempt" environ
  ((${#sortie_pids[@]} > 0))
}

# sortie_find_by HOW PATTERN FILE: adds the processes in whose file this is. Bash would look at each file that it finds.
sortie_find_by() {
  local pid all=(/proc/[0-9]*)
  while IFS=/ read -r _ _ pid _; do
    sortie_pids[pid]=$pid # once, however it is found
  done < <(exec grep -lsz "$1" -- "$2" "${all[@]/%//$3}")
}

# Whether nothing is in the evaluator's process group, and may be signalled or not. What bash says goes through a pipe, which
# takes no process.
sortie_is_group_gone() {
  local LC_ALL=C said
  ! kill -0 -- "-$sortie_payload" 2>&5 && read -r -t 1 -u 5 said && [[ $said == *'No such process'* ]]
}

# Stops them all: SIGTERM, the grace period, SIGKILL. What cannot be killed either, as it hangs in
# the kernel, is left to Slurm after ten seconds.
sortie_stop() {
  local tenth
  for ((tenth = 0; tenth < sortie_grace + 100; tenth++)); do
    sortie_find || return 0
    if ((tenth >= sortie_grace)); then
      kill -KILL "${sortie_pids[@]}"
    elif ((tenth == 0)); then
      sortie_keep_results
      kill -TERM "${sortie_pids[@]}"
      kill -CONT "${sortie_pids[@]}"
    fi
    sleep 0.1
  done 2>/dev/null
  printf 'sortie: these processes cannot be killed: %s\n' "${sortie_pids[*]}" >&2
}

# Whether a log has outgrown its limit. They are reached through this shell's own files: the names
# may lead elsewhere by now.
sortie_flooded() {
  local size
  [[ -s /proc/$$/fd/1 || -s /proc/$$/fd/2 ]] || return
  for size in $(stat -Lc %s "/proc/$$/fd/1" "/proc/$$/fd/2"); do
    ((size <= sortie_max_log_bytes)) || return 0
  done
  return 1
}
