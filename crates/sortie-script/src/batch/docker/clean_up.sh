
# ---- Containers of jobs that are gone ----

# Sets sortie_owner: what tells whether the job of a container is still there. A process is known by its
# number and its start, in one boot and one PID namespace of one node.
sortie_find_owner() {
  local space
  read -r sortie_boot </proc/sys/kernel/random/boot_id
  space=$(readlink /proc/self/ns/pid)
  sortie_find_start "$$"
  sortie_owner="$HOSTNAME $sortie_boot $space $$ $sortie_started"
}

# sortie_find_start PID: sets sortie_started to when the process started, in ticks since boot; empty if it
# is not there, or has only not been waited for.
sortie_find_start() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || stat=''
  read -r -a stat <<<"${stat##*) }" # the name before may hold anything
  sortie_started=${stat[19]-}
  [[ ${stat[0]-} != [ZX] ]] || sortie_started=''
}

# sortie_is_gone OWNER: whether the job with this owner is known to be gone.
sortie_is_gone() {
  local node boot space pid started
  read -r node boot space pid started _ <<<"$1"
  [[ $node == "$HOSTNAME" && -n $started ]] || return
  [[ $boot == "$sortie_boot" ]] || return 0
  # In another PID namespace it may be there.
  [[ "$node $boot $space" == "${sortie_owner% * *}" ]] || return
  sortie_find_start "$pid"
  [[ $sortie_started != "$started" ]]
}

# Removes the containers that earlier attempts of this job have left on this node. A script of theirs may run still, as where
# Slurm had given the node up: that attempt is over all the same, or this one would not have the results dir.
sortie_end_earlier() {
  local note records
  [[ -e $sortie_results/previous ]] || return 0
  printf -v records %q "$sortie_records"
  for note in "$sortie_node"/job-*; do
    if [[ ${note##*/} != "job-$sortie_attempt" ]] && sortie_read_note "${note##*/}" &&
      [[ ${sortie_noted#* * * * * } == "$records" ]] && sortie_take_away "${note##*/job-}"; then
      sortie_forget "${note##*/}"
      printf 'sortie: removed the container of the earlier attempt %s\n' "${note##*/job-}" >&2
    fi
  done
}

# Removes containers of this user on this node whose job is not there any more: as when a node went down.
sortie_clean_up() {
  local all ids name owner kept=0 format='sortie {{.Name}} {{index .Config.Labels "sortie.owner"}}'
  all=$("$sortie_engine" ps --all --quiet --filter "label=sortie.uid=$EUID" 2>/dev/null) || return
  mapfile -t ids < <(grep -xE '[0-9a-f]{12,64}' <<<"$all")
  ((${#ids[@]} > 0)) || return 0
  # Of those that are gone meanwhile it says nothing, but for its status.
  all=$("$sortie_engine" container inspect --format "$format" "${ids[@]}" 2>/dev/null)
  while read -r _ name owner; do
    name=${name#/}
    [[ $name == sortie-* ]] || continue
    sortie_is_gone "$owner" || continue
    if "$sortie_engine" rm --force --volumes "$name" &>/dev/null; then
      printf 'sortie: removed the container %s, which a job left (%s)\n' "$name" "$owner" >&2
    else
      kept=1
    fi
  done <<<"$all"
  return "$kept"
}
