
# ---- Which jobs have a container on this node ----
#
# Each leaves a note while it has one, by which the next notices one that was killed.

# Notes who is to remove the container of this attempt, and for which directory it is.
sortie_note_job() {
  local records
  printf -v records %q "$sortie_records"
  sortie_note "job-$sortie_attempt" "$sortie_owner $records"
}

# sortie_forget NAME: a later job removes the file, for which it takes one more command. An empty one is being
# written.
sortie_forget() {
  [[ -z $sortie_node || ! -s $sortie_node/$1 ]] || echo '-' >"$sortie_node/$1"
} 2>/dev/null

# Cleans up if a job is gone that had a container, and else once an hour and after each start of the node.
sortie_clean_up_if_needed() {
  local note now swept=swept-$sortie_place_name needed='' old=()
  printf -v now '%(%s)T' -1
  for note in "$sortie_node"/job-*; do
    if sortie_read_note "${note##*/}"; then
      case $sortie_noted in
        'late '*) # for ten minutes, the container of one that was stopped may come yet
          needed=1
          ((now - ${sortie_noted#late } > 600)) || continue
          ;;
        *)
          sortie_is_gone "$sortie_noted" || continue
          needed=1
          ;;
      esac
    elif [[ $sortie_noted != '-' ]]; then
      continue
    fi
    old+=("$note")
  done
  if ! sortie_read_note "$swept" || [[ ${sortie_noted% *} != "$sortie_boot" ]] || ((now - ${sortie_noted#* } > 3600)); then
    needed=1
  fi
  if [[ -n $needed ]]; then
    sortie_clean_up || return
    sortie_note "$swept" "$sortie_boot $now"
  fi
  ((${#old[@]} == 0)) || rm -f -- "${old[@]}"
}
