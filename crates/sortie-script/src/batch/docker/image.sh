
# ---- The container's image ----

# Whether the engine has the image of this name or id.
sortie_has_image() {
  "$sortie_engine" image inspect --format '{{.Id}}' -- "$1" &>/dev/null
}

# Sets sortie_image to the id of the image in the archive, which is the digest of its configuration. It
# stays a name if the archive does not tell.
sortie_find_image_in_archive() {
  local known='' manifest entry config='' name=$sortie_image
  sortie_image_name=$sortie_image
  if [[ ! -f $sortie_archive || ! -r $sortie_archive ]]; then
    sortie_fail 66 "image_tar_path: $sortie_archive is not there, or cannot be read, on $HOSTNAME"
  fi
  [[ -z $sortie_node ]] || known=$sortie_node/archive-$(stat -Lc %d-%i-%s-%Y -- "$sortie_archive")
  if [[ -z $known || ! -s $known ]]; then
    manifest=$(sortie_read_archive manifest.json)
    [[ ${name##*/} == *[:@]* ]] || name+=:latest
    while [[ $manifest == *'"Config":"'* ]]; do # one for each image
      manifest=${manifest#*'"Config":"'}
      entry=${manifest%%'"Config":"'*}
      if [[ -z $config || $entry == *"\"$name\""* ]]; then
        config=${entry%%'"'*}
      fi
    done
    [[ -n $manifest ]] || config=$(sortie_read_oci_archive)
    config=${config##*/} config=${config%.json}
    [[ $config =~ ^[0-9a-f]{64}$ ]] || config=''
    if [[ -z $known || -z $config ]]; then
      sortie_image=${config:-$sortie_image}
      return
    fi
    printf '%s\n' "$config" >"$known.$sortie_attempt" && mv -fT -- "$known.$sortie_attempt" "$known"
  fi
  read -r sortie_image <"$known"
}

# sortie_read_archive NAME: a member of the archive.
sortie_read_archive() {
  tar --extract --to-stdout --force-local --file="$sortie_archive" -- "$1" 2>/dev/null
}

# The id of the image in an archive of the form of the Open Container Initiative, if it is the only one.
sortie_read_oci_archive() {
  local index digest='"digest":[[:space:]]*"sha256:([0-9a-f]{64})"'
  index=$(sortie_read_archive index.json)
  [[ $index =~ $digest && ${index/"${BASH_REMATCH[0]}"/} != *'"digest"'* ]] || return
  index=$(sortie_read_archive "blobs/sha256/${BASH_REMATCH[1]}")
  [[ $index =~ \"config\":[^}]*$digest ]] && printf '%s' "${BASH_REMATCH[1]}"
}

# sortie_try STEP COMMAND…: up to four times, as registries and engines have their bad moments. What another try would
# not mend is of another step. What the command says is told if it fails in the end.
sortie_try() {
  local said status step=$1 pause=1
  sortie_step "$step"
  shift
  while true; do
    said=$("$@" 2>&1 >&6)
    status=$?
    ((status != 0)) || return 0
    ! sortie_is_lasting || pause=8
    if ((pause >= 8)); then
      printf '%s\n' "$said" >&2
      sortie_find_error "$said"
      sortie_why "$sortie_error"
      exit "$status"
    fi
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# Whether the failure of sortie_try is for the user to mend. What a registry says may well pass, unless it is known
# not to; what an engine says of an archive does not, unless it is about the machine, or there is no engine.
sortie_is_lasting() {
  if [[ $step == 'image load' ]]; then
    ! sortie_may_pass "$said" && "$sortie_engine" version &>/dev/null || return
    sortie_step 'image tar'
    return
  fi
  case ${said,,} in
    *'manifest unknown'* | *'not found'* | *'not exist'* | *denied* | *unauthorized* | *'invalid reference'*)
      sortie_step image
      return
      ;;
  esac
  return 1
}

# Loads the archive's image, and sets sortie_image to what the engine has it by: an id, the name in the settings, or
# the one in the archive.
sortie_load_archive() {
  local line loaded=''
  sortie_try 'image load' "$sortie_engine" load --quiet --input "$sortie_archive"
  while read -r -t 0 -u 6 && read -r -u 6 line; do
    [[ $line != 'Loaded image'*': '* ]] || loaded=${line##*[ ,]}
  done
  for line in "$sortie_image" "$sortie_image_name" "$loaded"; do
    if [[ -n $line ]] && sortie_has_image "$line"; then
      sortie_image=$line
      return
    fi
  done
  sortie_step 'image tar'
  sortie_fail 65 "$sortie_archive was loaded, but has no image $sortie_image_name"
}

# Pulls the image. Where there is a cache, its archive comes first, and is written for other nodes.
sortie_pull_image() {
  local cached='' beside
  if [[ -n $sortie_cache ]]; then
    cached=$sortie_cache/${sortie_image//[!A-Za-z0-9._-]/_}-$(printf %s "$sortie_image" | cksum | tr ' ' -).tar
    if [[ $sortie_pull != always && -s $cached ]]; then
      sortie_step 'image load'
      "$sortie_engine" load --quiet --input "$cached" >/dev/null || # one that is cut short, say
        printf 'sortie: %s cannot be loaded, and the image is pulled\n' "$cached" >&2
      ! sortie_has_image "$sortie_image" || return 0
    fi
  fi
  sortie_try 'image pull' "$sortie_engine" pull --quiet -- "$sortie_image"
  [[ -n $cached ]] || return 0
  beside=$sortie_cache/.$sortie_attempt.tar
  { mkdir -p -- "$sortie_cache" && rm -f -- "$beside" &&
    "$sortie_engine" save --output "$beside" -- "$sortie_image" && mv -fT -- "$beside" "$cached"; } >/dev/null ||
    printf 'sortie: %s is not written, which is ignored\n' "$cached" >&2
}

# Makes sure that the image is here, which is not asked once more if it was since the node started.
sortie_expect_image() {
  local name=image-${sortie_image//[!A-Za-z0-9._-]/_}-$sortie_place_name wanted="$sortie_boot $sortie_image"
  if [[ -z $sortie_trial ]] && sortie_read_note "$name" && [[ $sortie_noted == "$wanted "* ]]; then
    sortie_image=${sortie_noted#"$wanted "}
    return
  fi
  sortie_find_image
  sortie_note "$name" "$wanted $sortie_image"
}

# Looks for the image, and brings it if it is not here.
sortie_find_image() {
  local said
  sortie_step image
  ! sortie_has_image "$sortie_image" || return 0
  sortie_step engine
  if ! said=$("$sortie_engine" version 2>&1 >/dev/null); then
    printf '%s\n' "$said" >&2
    sortie_find_error "$said"
    sortie_why "$sortie_error"
    exit 125
  fi
  sortie_get_image
}

# Brings the image here, if it is not here yet. One job at a time does: the others of this image find it then.
sortie_get_image() {
  local lock=image-${sortie_image//[!A-Za-z0-9._-]/_}
  sortie_step image
  if [[ -n $sortie_node ]] && exec 5>>"$sortie_node/${lock:0:250}.lock"; then
    flock 5
    ! sortie_has_image "$sortie_image" || [[ $1 == again ]] || return 0
  fi
  exec 6<> <(:) # for what the engine answers
  if [[ -n $sortie_archive ]]; then
    sortie_load_archive
  elif [[ $sortie_pull == never ]]; then
    sortie_fail 125 "${sortie_engine##*/} has no image $sortie_image, and \`pull\` is \`never\`"
  else
    sortie_pull_image
  fi
  exec 5>&- 6>&-
}
