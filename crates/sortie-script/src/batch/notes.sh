
# ---- What is known of this node ----
#
# To ask an engine takes as long as to start its command once more, and longer the more containers there are. So
# a job leaves a note here while it has a container, and what was seen of an image is noted too.

# Sets sortie_node to a directory of this user on this node; it stays empty if somebody else is in its place.
# And sortie_place to which engine it is, of which there may be several by one command, and as part of a file's name.
sortie_find_node() {
  sortie_node=/tmp/sortie-$EUID
  [[ -d $sortie_node ]] || mkdir -m 700 -- "$sortie_node" 2>/dev/null
  [[ -d $sortie_node && ! -L $sortie_node && -O $sortie_node ]] || sortie_node=''
  sortie_place="$sortie_engine ${DOCKER_HOST-} ${DOCKER_CONTEXT-} ${CONTAINER_HOST-} ${CONTAINERS_STORAGE_CONF-}"
  sortie_place_name=${sortie_place//[!A-Za-z0-9._-]/_}
}

# sortie_note NAME TEXT: keeps a line for later jobs. A name is cut to what a file's may have.
sortie_note() {
  [[ -z $sortie_node ]] || printf '%s\n%s\n' "$2" "$sortie_place" >"$sortie_node/${1:0:255}"
} 2>/dev/null

# Notes who is to remove the container of this attempt, and for which directory it is.
sortie_note_job() {
  local records
  printf -v records %q "$sortie_records"
  sortie_note "job-$sortie_attempt" "$sortie_owner $records"
}

# sortie_read_note NAME: sets sortie_noted to the line, if there is one of this engine.
sortie_read_note() {
  local place=''
  sortie_noted=''
  [[ -n $sortie_node ]] && { read -r sortie_noted && IFS='' read -r place; } <"$sortie_node/${1:0:255}"
  [[ $place == "$sortie_place" ]]
} 2>/dev/null

# sortie_forget NAME: a later job removes the file, for which it takes one more command. An empty one is being
# written.
sortie_forget() {
  [[ -z $sortie_node || ! -s $sortie_node/$1 ]] || echo '-' >"$sortie_node/$1"
} 2>/dev/null

# Sweeps if a job is gone that had a container, and else once an hour and after each start of the node.
sortie_sweep_if_needed() {
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
    sortie_sweep || return
    sortie_note "$swept" "$sortie_boot $now"
  fi
  ((${#old[@]} == 0)) || rm -f -- "${old[@]}"
}
