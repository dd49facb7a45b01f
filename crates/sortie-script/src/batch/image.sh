
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
    printf 'sortie: image_tar_path: %s is not there, or cannot be read, on %s\n' "$sortie_archive" "$HOSTNAME" >&2
    exit 66
  fi
  [[ -z $sortie_node ]] || known=$sortie_node/archive-$(stat -Lc %d-%i-%s-%Y -- "$sortie_archive")
  if [[ -z $known || ! -s $known ]]; then
    manifest=$(tar --extract --to-stdout --force-local --file="$sortie_archive" manifest.json 2>/dev/null)
    [[ ${name##*/} == *[:@]* ]] || name+=:latest
    while [[ $manifest == *'"Config":"'* ]]; do # one for each image
      manifest=${manifest#*'"Config":"'}
      entry=${manifest%%'"Config":"'*}
      if [[ -z $config || $entry == *"\"$name\""* ]]; then
        config=${entry%%'"'*}
      fi
    done
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

# sortie_try STEP COMMAND…: up to four times, as registries and engines have their bad moments. What it says
# is told if it fails in the end.
sortie_try() {
  local said status pause=1
  sortie_step "$1"
  shift
  while true; do
    said=$("$@" 2>&1 >/dev/null)
    status=$?
    ((status != 0)) || return 0
    case ${said,,} in
      *'manifest unknown'* | *'not found'* | *'not exist'* | *denied* | *unauthorized* | *'invalid reference'*)
        sortie_step image # which another try would not mend
        pause=8
        ;;
    esac
    if ((pause >= 8)); then
      printf '%s\n' "$said" >&2
      exit "$status"
    fi
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# Pulls the image. Where there is a cache, its archive comes first, and is written for other nodes.
sortie_pull_image() {
  local cached='' beside
  if [[ -n $sortie_cache ]]; then
    cached=$sortie_cache/${sortie_image//[!A-Za-z0-9._-]/_}-$(printf %s "$sortie_image" | cksum | tr ' ' -).tar
    if [[ $sortie_pull != always && -s $cached ]]; then
      sortie_try 'image load' "$sortie_engine" load --quiet --input "$cached"
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
  local name=image-${sortie_image//[!A-Za-z0-9._-]/_}-$sortie_place_name
  if sortie_read_note "$name" && [[ $sortie_noted == "$sortie_boot $sortie_image" ]]; then
    return
  fi
  sortie_find_image
  sortie_note "$name" "$sortie_boot $sortie_image"
}

# Looks for the image, and brings it if it is not here.
sortie_find_image() {
  local said
  sortie_step image
  ! sortie_has_image "$sortie_image" || return 0
  sortie_step engine
  if ! said=$("$sortie_engine" version 2>&1 >/dev/null); then
    printf '%s\n' "$said" >&2
    exit 125
  fi
  sortie_get_image
}

# Brings the image here, if it is not here yet. One job at a time does: the others find it then.
sortie_get_image() {
  sortie_step image
  if [[ -n $sortie_node ]] && exec 5>>"$sortie_node/image.lock"; then
    flock 5
    ! sortie_has_image "$sortie_image" || [[ $1 == again ]] || return 0
  fi
  if [[ -n $sortie_archive ]]; then
    sortie_try 'image load' "$sortie_engine" load --quiet --input "$sortie_archive"
    sortie_has_image "$sortie_image" || sortie_image=$sortie_image_name # some engines name by another digest
  elif [[ $sortie_pull == never ]]; then
    printf 'sortie: %s has no image %s, and pull is "never"\n' "$sortie_engine" "$sortie_image" >&2
    exit 125
  else
    sortie_pull_image
  fi
  exec 5>&-
}
