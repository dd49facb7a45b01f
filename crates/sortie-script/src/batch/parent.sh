
# ---- The evaluator's parent ----
#
# `wait` gives 137 for SIGKILL and for an exit with 137, and what bash prints of an end differs between its releases. The
# kernel tells the two apart, in /proc/PID/stat, from the end of a process until its parent has waited for it; but bash
# waits for each child at once. So the evaluator's parent is a shell of its own that has stopped itself. The shell above it
# reads how the evaluator ended and lets the parent go on, which then waits for it, once.

# sortie_look PID: sets sortie_state to the state of the process: Z once it has ended, empty if it is not there; sortie_ppid;
# and sortie_code to how it ended, as waitpid(2) tells it, or 0 where that may not be read, as of a setuid program.
sortie_look() {
  local stat='' IFS=' ' fields
  sortie_state='' sortie_ppid='' sortie_code=0
  IFS='' builtin read -r stat <"/proc/$1/stat"
  # From the third of proc(5) on, as the name before may hold anything: numbers and a letter.
  # shellcheck disable=SC2206
  fields=(${stat##*) })
  if ((${#fields[@]} >= 50)); then
    sortie_state=${fields[0]} sortie_ppid=${fields[1]} sortie_code=${fields[49]}
    if [[ $sortie_state == Z ]] && ((fields[17] > 1)); then
      sortie_state=S # only its first thread has ended
    fi
  fi
} 2>/dev/null

# sortie_has_ended PID: whether the process has, as far as it is still there.
sortie_has_ended() {
  sortie_look "$1"
  [[ -z $sortie_state || $sortie_state == Z ]]
}

# Makes this shell the parent: no signal to all processes of the job ends it.
sortie_be_parent() {
  trap : HUP INT QUIT USR1 USR2 ALRM TERM XCPU
  sortie_parent=$BASHPID
  set -m # gives the evaluator a process group of its own
}

# sortie_stay PID: stays the evaluator's parent until it has ended, or the shell above has. That is told by SIGHUP and
# SIGCONT, as to all process groups that are stopped and orphaned. SIGCONT comes to all processes of a job that is resumed too.
sortie_stay() {
  exec 5>&- # which is the shell's above to read, see `sortie_hold`
  printf 'evaluator %s\n' "$1" >&3
  while ! sortie_has_ended "$1"; do
    sortie_look "$BASHPID"
    [[ $sortie_ppid == "$$" ]] || exit
    kill -STOP "$BASHPID"
  done
  trap '' HUP INT QUIT USR1 USR2 ALRM TERM XCPU # which would cut `wait` short
  wait "$1"
  printf 'status %s\n' "$?" >&3
  times >&3
  echo over >&3
  sortie_wake
  exit 0
}

# Waits, in the evaluator to be, until its parent has stopped.
sortie_expect_parent() {
  local try
  for ((try = 0; try < 200; try++)); do
    sortie_look "$sortie_parent"
    [[ $sortie_state == [RSDI] ]] || return 0
    ((try < 20)) || builtin command sleep 0.01 # most often a moment is enough
  done
}

# Notes what the evaluator to be and its parent have told so far; 1 if that is nothing new. Each line is written at once.
sortie_hear() {
  local line time='([0-9]+)m([0-9]+)[.,]([0-9]+)s' new=1
  while read -r -t 0 -u 3 && read -r -u 3 line; do
    new=0
    case $line in
      'step '*) sortie_step=${line#step } ;;
      'said '*) sortie_said=${line#said } ;;
      'evaluator '*) sortie_payload=${line#evaluator } ;;
      'status '*) sortie_waited=${line#status } ;;
      held) exec 5</proc/self/fd/5 && sortie_soon=250000 ;;
      over) sortie_parent_is_over=1 ;;
    esac
    if [[ $line =~ ^$time\ $time$ ]]; then # the parent's own time first, then that of its only child
      sortie_cpu=",\"cpu_user_seconds\":$((10#${BASH_REMATCH[1]} * 60 + 10#${BASH_REMATCH[2]})).${BASH_REMATCH[3]}"
      sortie_cpu+=",\"cpu_system_seconds\":$((10#${BASH_REMATCH[4]} * 60 + 10#${BASH_REMATCH[5]})).${BASH_REMATCH[6]}"
    fi
  done
  return "$new"
}

# sortie_sleep SECONDS: for so long, which gives 1, or until it is woken. Only to sleep does anything read this pipe: bash loses
# what comes just when `read` gives up.
sortie_sleep() {
  read -r -t "$1" -u 5 _
  case $? in
    0) ;;
    1) exec 5<>/proc/self/fd/5 && sortie_soon=500 ;; # what held the pipe has ended, or all but
    *) return 1 ;;
  esac
}

# Wakes the shell above, or this one, from its sleep.
sortie_wake() {
  echo >"/proc/$$/fd/5"
} 2>/dev/null

# Opens, on 6, the pipe that the shell above sleeps by, and has that let go of its own end: it is woken once nothing has the
# pipe any more. For what becomes a program that may keep it to its end.
sortie_hold() {
  exec 6>"/proc/$$/fd/5" && echo held >&3
} 2>/dev/null

# Lets the parent wait for the evaluator, which has ended; or else ends the parent after five seconds.
sortie_reap() {
  local try
  [[ -n $sortie_parent ]] || return 0
  for ((try = 0; try < 1000; try++)); do
    kill -CONT "$sortie_parent" || try=1000 # it is gone, and what it told is there
    sortie_hear
    [[ -z $sortie_parent_is_over ]] || break
    sortie_sleep 0.005 # the parent's last deed ends it
  done
  [[ -n $sortie_parent_is_over ]] || kill -KILL "$sortie_parent"
  wait "$sortie_parent"
  sortie_parent=''
  exec 5<>/proc/self/fd/5
  while read -r -t 0 -u 5 && read -r -u 5 _; do :; done # or the next sleep would be none
} 2>/dev/null

# Sets sortie_ended to `exited` or `signaled`, and sortie_status, as a shell has it. Without a word of the kernel, a status
# above 128 counts as that of a signal; with no word at all, as its parent was killed, the end stays `unknown`.
sortie_judge_end() {
  local code=$sortie_code
  sortie_reap
  if ((code & 127)); then
    sortie_ended=signaled sortie_status=$((128 + (code & 127)))
  elif ((code)); then
    sortie_ended=exited sortie_status=$((code >> 8))
  elif [[ -z $sortie_waited ]]; then
    sortie_ended=unknown sortie_status=125
  else
    sortie_ended=exited sortie_status=$sortie_waited
    ((sortie_status <= 128 || sortie_status > 128 + 64)) || sortie_ended=signaled
  fi
}
