
# ---- Records in the launcher's directory ----

# Sets sortie_now: seconds since 1970.
sortie_now() {
  sortie_now=${EPOCHREALTIME/,/.}
  if [[ -z $sortie_now ]]; then # bash before 5.0
    printf -v sortie_now '%(%s)T' -1
  fi
}

# sortie_make_way NAME: removes what has this name in the launcher's directory; the candidate may have put anything there.
sortie_make_way() {
  [[ ! -e $sortie_records/$1 && ! -L $sortie_records/$1 ]] || rm -rf -- "${sortie_records:?}/$1"
}

# sortie_write_line NAME TEXT: a new file in the launcher's directory. While its newline is missing it is not taken for one.
sortie_write_line() {
  sortie_make_way "$1" && printf '%s\n' "$2" >"$sortie_records/$1"
}

# sortie_write NAME TEXT: the same, whole or not at all.
sortie_write() {
  local beside=.$1.$sortie_attempt
  sortie_write_line "$beside" "$2" && sortie_make_way "$1" && mv -fT -- "$sortie_records/$beside" "$sortie_records/$1"
}

# Sets sortie_job, the beginning of both records; this is where a run starts.
sortie_start() {
  local id=${SLURM_JOB_ID-} host=${SLURMD_NODENAME:-$HOSTNAME}
  if [[ -n ${SLURM_ARRAY_TASK_ID-} ]]; then
    id=${SLURM_ARRAY_JOB_ID-}_$SLURM_ARRAY_TASK_ID
  fi
  sortie_now
  printf -v sortie_job '{"version":@RECORD_VERSION@,"attempt":"%s","job_id":"%s","host":"%s","started_at":%s' \
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

# Whether the results dir has another attempt's job by now: Slurm gave this one up with its node, which lives on all the same.
sortie_is_replaced() {
  local note='' file=$sortie_records/submitted.json
  [[ ! -f $file ]] || read -r -d '' note <"$file"
  [[ -n $note && $note != *"\"$sortie_attempt\""* ]]
}

# Keeps the result files as they are now, as what the evaluator has left may write others until it is ended. A file with
# further names, or none at all, keeps a name, so that it is still seen to be what it is.
sortie_keep_results() {
  local name file kept=$sortie_records/at_end
  [[ $sortie_ended == exited && ! -e $kept ]] && ! sortie_is_replaced && mkdir -- "$kept" || return 0
  for name in correct.json metrics.json; do
    file=$sortie_results/$name
    if [[ -L $sortie_results || ! -e $file && ! -L $file ]]; then
      continue
    elif [[ -f $file && ! -L $file && $(stat -c %h -- "$file") == 1 ]]; then
      cp -- "$file" "$kept/$name"
    else
      ln -P -- "$file" "$kept/$name" || mkdir -- "$kept/$name"
    fi
  done 2>/dev/null
}

# Puts the logs into the results dir again if they are not there any more; where there is none, beside the records.
sortie_keep_logs() {
  local name dir=$sortie_results file=1
  [[ -d $dir && ! -L $dir ]] || dir=$sortie_records
  for name in job_log.out job_log.err; do
    [[ -e $dir/$name || -L $dir/$name ]] || cat "/proc/$$/fd/$file" >"$dir/$name"
    file=2
  done 2>/dev/null
}

# sortie_end STATUS END: records how it ended, once nothing is under way any more, and ends the script. What another attempt has
# in the same place is left alone.
sortie_end() {
  wait
  sortie_now
  ! sortie_is_replaced || exit "$1"
  sortie_keep_logs
  [[ ! -e ${sortie_words-} ]] || rm -f -- "$sortie_words" # of Slurm, which are not asked for any more
  sortie_write job_end.json "$sortie_job,\"ended_at\":$sortie_now,\"end\":$2}"
  exit "$1"
}
