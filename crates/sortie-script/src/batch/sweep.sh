
# ---- Containers of jobs that are gone ----

# Sets sortie_owner: what tells whether the job of a container is still there. A process is known by its
# number and its start, in one boot and one PID namespace of one node.
sortie_find_owner() {
  local boot space
  read -r boot </proc/sys/kernel/random/boot_id
  space=$(readlink /proc/self/ns/pid)
  sortie_find_start "$$"
  sortie_owner="$HOSTNAME $boot $space $$ $sortie_started"
}

# sortie_find_start PID: sets sortie_started to when the process started, in ticks since boot; empty if it
# is not there.
sortie_find_start() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || stat=''
  read -r -a stat <<<"${stat##*) }" # the name before may hold anything
  sortie_started=${stat[19]-}
}

# Removes containers of this user on this node whose job is not there any more: as when a node went down.
sortie_sweep() {
  local name node boot space pid started owner format
  format='{{.Names}} {{.Label "sortie.owner"}}'
  [[ $sortie_engine != *podman ]] || format='{{.Names}} {{index .Labels "sortie.owner"}}'
  "$sortie_engine" ps --all --filter "label=sortie.uid=$EUID" --format "$format" 2>/dev/null |
    while read -r name node boot space pid started; do
      [[ $node == "$HOSTNAME" && -n $started ]] || continue
      owner="$node $boot $space $pid $started"
      if [[ "$node $boot $space" == "${sortie_owner% * *}" ]]; then
        sortie_find_start "$pid"
        [[ $sortie_started != "$started" ]] || continue
      elif [[ "$node $boot" == "${sortie_owner% * * *}" ]]; then
        continue # of another PID namespace: it may be there
      fi
      "$sortie_engine" rm --force --volumes "$name" &>/dev/null &&
        printf 'sortie: removed the container %s, which a job left (%s)\n' "$name" "$owner" >&2
    done
}
