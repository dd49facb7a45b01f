
# ---- The evaluator's processes ----

# Sets sortie_pids: what runs in the evaluator's process group, and whatever has this attempt's mark in
# its environment, which also finds what left the group by setsid or a double fork.
sortie_find() {
  local pid
  sortie_pids=()
  while IFS=/ read -r _ _ pid _; do
    sortie_pids+=("$pid")
  done < <(
    # Of stat(5): the state, but for what is dead already; the parent; the group. Most often there is none any more.
    [[ $(LC_ALL=C && kill -0 -- "-$sortie_payload" 2>&1) == *'No such process'* ]] ||
      grep -lszE "\) [^ZX] [0-9]+ $sortie_payload " /proc/[0-9]*/stat
    grep -lszxF "SORTIE_ATTEMPT=$sortie_attempt" /proc/[0-9]*/environ
  )
  ((${#sortie_pids[@]} > 0))
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
