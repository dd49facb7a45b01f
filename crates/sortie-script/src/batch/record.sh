
# ---- Records in the results dir ----

# Sets sortie_now: seconds since 1970.
sortie_now() {
  sortie_now=${EPOCHREALTIME/,/.}
  if [[ -z $sortie_now ]]; then # bash before 5.0
    printf -v sortie_now '%(%s)T' -1
  fi
}

# sortie_write NAME TEXT: a file in the results dir, whole or not at all.
sortie_write() {
  local file=$sortie_results/$1 beside=$sortie_results/.$1.$sortie_attempt
  if [[ -e $beside || -L $beside || -e $file || -L $file ]]; then
    rm -rf -- "$beside" "$file" || return # whatever the candidate may have put there
  fi
  printf '%s\n' "$2" >"$beside" && mv -fT -- "$beside" "$file"
}

# Sets sortie_job, the beginning of both records; this is where a run starts.
sortie_start() {
  local id=${SLURM_JOB_ID-} host=${SLURMD_NODENAME:-$HOSTNAME}
  if [[ -n ${SLURM_ARRAY_TASK_ID-} ]]; then
    id=${SLURM_ARRAY_JOB_ID-}_$SLURM_ARRAY_TASK_ID
  fi
  sortie_now
  printf -v sortie_job '{"version":1,"attempt":"%s","job_id":"%s","host":"%s","started_at":%s' \
    "$sortie_attempt" "${id//[!0-9_]/}" "${host//[!A-Za-z0-9._-]/}" "$sortie_now"
}

# sortie_add_reason END: sets sortie_reason to it, with the member `reason` if something was said.
sortie_add_reason() {
  local text=${sortie_said//[[:cntrl:]]/ } slash=\\ quote='"'
  sortie_reason=$1
  if [[ -n $text ]]; then
    text=${text//"$slash"/"$slash$slash"}
    sortie_reason="${1%\}},\"reason\":\"${text//"$quote"/"$slash$quote"}\"}"
  fi
}

# sortie_end STATUS END: records how it ended, once nothing is under way any more, and ends the script.
sortie_end() {
  wait
  sortie_now
  [[ -z ${sortie_words-} ]] || rm -f -- "$sortie_words" # of Slurm, which are not asked for any more
  sortie_write job_end.json "$sortie_job,\"ended_at\":$sortie_now,\"end\":$2}"
  exit "$1"
}
