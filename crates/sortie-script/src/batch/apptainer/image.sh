
# ---- The image, as a directory on this node ----
#
# Apptainer mounts a SIF file by a process of its own (squashfuse_ll) for each job, which takes as long as all else that it
# does and outlives it when it is killed; an archive it would convert each time. A directory has none of that. So each
# image is converted once a node, and those that nobody has used for ten days are removed.

# Sets sortie_images to the directory of such directories. What cleans up /tmp takes files away after ten days, so there each
# is made anew every week.
sortie_find_images() {
  local now
  sortie_images=$sortie_cache
  if [[ -z $sortie_images && -n $sortie_node ]]; then
    printf -v now '%(%s)T' -1
    sortie_images=$sortie_node/images sortie_week=-w$((now / 604800))
  fi
}

# Sets sortie_image_dir to the image, as a directory.
sortie_expect_image() {
  local source=$sortie_image file='' seen
  sortie_step image
  sortie_week=''
  if [[ -n $sortie_archive ]]; then
    file=$sortie_archive
  elif [[ $source == *-archive:* ]]; then
    file=${source#*:}
  elif [[ $source == /* ]]; then
    file=$source
  fi
  if [[ -n $file && -d $file && -z $sortie_archive && $source == /* ]]; then
    sortie_image_dir=$file
    return
  elif [[ -n $file && ! (-f $file && -r $file) ]]; then
    [[ -z $sortie_archive ]] || sortie_step 'image tar'
    sortie_fail 66 "the image $file is not there, or cannot be read, on $HOSTNAME"
  fi
  sortie_find_images
  if [[ -z $sortie_images ]]; then
    sortie_fail 73 "/tmp/sortie-$EUID on $HOSTNAME is not this user's directory: set \`image_cache\` to one for converted images"
  fi
  seen=remote
  [[ -z $file ]] || seen=$(stat -Lc '%i-%s-%.9Y' -- "$file")
  sortie_image_dir=$sortie_images/$sortie_image_hash-$seen$sortie_week
  [[ -d $sortie_image_dir ]] || sortie_make_image
  : >"$sortie_image_dir.used"
}

# Converts the image. One job at a time does, where the file system has locks: the others find it then.
sortie_make_image() {
  sortie_step 'image directory'
  if ! (umask 077 && mkdir -p -- "$sortie_images") || ! exec 5>>"$sortie_image_dir.lock"; then
    sortie_fail 73 "images are converted to $sortie_images, which cannot be written on $HOSTNAME"
  fi
  if flock 5; then
    [[ -d $sortie_image_dir ]] || sortie_remove_parts "$sortie_images/.${sortie_image_dir##*/}".* # of one that was killed
  fi
  [[ -d $sortie_image_dir ]] || sortie_convert
  exec 5>&-
}

sortie_convert() {
  local part=$sortie_images/.${sortie_image_dir##*/}.$sortie_attempt said status
  [[ -z $sortie_week ]] || sortie_remove_old_images
  sortie_find_source
  said=$(APPTAINER_DISABLE_CACHE=true SINGULARITY_DISABLE_CACHE=true \
    "$sortie_engine" --silent --nocolor build --sandbox "$part" "$source" 2>&1 3>&- 5>&-)
  status=$?
  if ((status != 0)) || ! mv -T -- "$part" "$sortie_image_dir" 2>/dev/null && [[ ! -d $sortie_image_dir ]]; then
    sortie_judge_conversion "$said"
    printf '%s\n' "$said" >&2
    sortie_fail "$status" "${sortie_archive:-$sortie_image} cannot be converted to a directory in $sortie_images: $sortie_error"
  fi
  sortie_remove_parts "$part" "$part.tar"
}

# Sets source to what Apptainer is to convert. A text it would take for a recipe, and run what stands in it.
sortie_find_source() {
  local magic link=$part.tar
  if [[ -n $sortie_archive ]]; then
    if [[ -n $(tar --extract --to-stdout --occurrence=1 --force-local --file="$file" manifest.json 2>/dev/null | head -c 1) ]]; then
      source=docker-archive:$file
    else
      source=oci-archive:$file
    fi
  fi
  case $source in
    *-archive:*)
      ln -sfn -- "$file" "$link" && source=${source%%:*}:$link # as a path it takes no colon
      ;;
    /*)
      magic=$(head -c 42 -- "$source" | tail -c 10 | tr -d '\0')
      if [[ $magic != SIF_MAGIC ]]; then
        sortie_step image
        sortie_fail 65 "the image $source is no SIF file: for an archive, write docker-archive:$source or oci-archive:$source"
      fi
      ;;
    *)
      if [[ $sortie_pull == never ]]; then
        sortie_step image
        sortie_fail 125 "$source was not fetched on $HOSTNAME yet, and \`pull\` is \`never\`"
      fi
      ;;
  esac
}

# sortie_judge_conversion SAID: sets the step that failed by what Apptainer has said of it: a want of the machine, a
# connection, or what is for the user to mend.
sortie_judge_conversion() {
  sortie_find_error "$1"
  ! sortie_may_pass "$1" || return 0
  if [[ -n $sortie_archive ]]; then
    sortie_step 'image tar'
  elif [[ $sortie_image != *://* || ${1,,} =~ 'manifest unknown'|'not found'|denied|unauthorized|'invalid reference' ]]; then
    sortie_step image
  else
    sortie_step 'image pull'
  fi
}

# Removes what has not been used for ten days, and what conversions that were killed have left.
sortie_remove_old_images() {
  local path
  while IFS='' read -r -d '' path; do
    sortie_remove_parts "${path%.used}" && rm -f -- "$path" "${path%.used}.lock"
  done < <(find "$sortie_images" -mindepth 1 -maxdepth 1 -name '*.used' -mtime +10 -print0)
  while IFS='' read -r -d '' path; do
    sortie_remove_parts "$path"
  done < <(find "$sortie_images" -mindepth 1 -maxdepth 1 -name '.*' -mtime +1 -print0)
} 2>/dev/null

# sortie_remove_parts PATH…: removes what is there of them, also where an image forbids its owner to.
sortie_remove_parts() {
  rm -rf -- "$@" || { chmod -R u+rwX -- "$@"; rm -rf -- "$@"; }
} 2>/dev/null
