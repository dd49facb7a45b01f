
# ---- What is known of this node ----
#
# To ask an engine takes as long as to start its command once more, and longer the more containers there are. So
# what was seen of it is noted here.

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

# sortie_read_note NAME: sets sortie_noted to the line, if there is one of this engine.
sortie_read_note() {
  local place=''
  sortie_noted=''
  [[ -n $sortie_node ]] && { read -r sortie_noted && IFS='' read -r place; } <"$sortie_node/${1:0:255}"
  [[ $place == "$sortie_place" ]]
} 2>/dev/null
