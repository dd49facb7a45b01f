
# ---- Docker and Podman ----
#
# An engine answers on standard output. What it says on standard error is for people, since any call may warn
# there of what has nothing to do with it; it only tells what may pass from what will not.

# sortie_ask_engine ARGUMENT…: sets sortie_answer to what follows `sortie ` on a line of its answer: the format asks
# for that word. The status is the engine's.
sortie_ask_engine() {
  local answer status line
  sortie_answer=''
  answer=$("$sortie_engine" "$@" 2>/dev/null)
  status=$?
  while IFS='' read -r line; do
    [[ $line != 'sortie '* ]] || sortie_answer=${line#sortie }
  done <<<"$answer"
  return "$status"
}

# Sets what is to be known of the engine, which is asked once an hour: sortie_kind, `podman` or `docker`, by whose
# command line it is called, whatever the command's name; sortie_rootless, sortie_groups (as `cgroupfs1`), and
# sortie_unheld, the limits that it would ignore (and `cpuset`, to bind to CPUs), each with a comma before and after.
sortie_find_engine() {
  local name=engine-$sortie_place_name now noted
  printf -v now '%(%s)T' -1
  if sortie_read_note "$name" && [[ $sortie_noted == "$sortie_boot "* ]]; then
    read -r _ noted sortie_kind sortie_rootless sortie_groups sortie_unheld <<<"$sortie_noted"
    ((now - noted > 3600 || now < noted)) || return 0
  fi
  noted=$("$sortie_engine" --version 2>/dev/null)
  sortie_kind=docker sortie_groups=- sortie_unheld=, sortie_rootless=0
  # Podman says `docker version 5.8.6` where it is called so, by a link.
  if [[ $noted != *'Docker version '*', build '* ]] && sortie_ask_podman; then
    sortie_kind=podman
  elif ! sortie_ask_docker; then # which of them it is will matter once it answers
    [[ ${noted,,} != *podman* ]] || sortie_kind=podman sortie_rootless=$((EUID != 0))
    return 0
  fi
  sortie_note "$name" "$sortie_boot $now $sortie_kind $sortie_rootless $sortie_groups $sortie_unheld"
}

# Without root, Podman has the controllers that are delegated to the user: none in control groups of version 1.
sortie_ask_podman() {
  local rootless controllers limit
  sortie_ask_engine info --format 'sortie {{.Host.Security.Rootless}} {{.Host.CgroupControllers}}' || return
  read -r rootless controllers <<<"$sortie_answer"
  [[ $rootless == true || $rootless == false ]] || return
  sortie_rootless=0
  [[ $rootless == true ]] || return 0
  sortie_rootless=1
  controllers=" ${controllers//[\[\]]/ } "
  for limit in mem=memory cpus=cpu pids_limit=pids cpuset=cpuset; do
    [[ $controllers == *" ${limit#*=} "* ]] || sortie_unheld+=${limit%=*},
  done
}

# Some releases answer without a daemon, too, with all fields empty.
sortie_ask_docker() {
  local version memory cpus pids cpuset security
  sortie_ask_engine info --format \
    'sortie {{.ServerVersion}}|{{.CgroupDriver}}{{.CgroupVersion}}|{{.MemoryLimit}}|{{.CPUCfsQuota}}|{{.PidsLimit}}|{{.CPUSet}}{{.NCPU}}|{{.SecurityOptions}}' || return
  IFS='|' read -r version sortie_groups memory cpus pids cpuset security <<<"$sortie_answer"
  sortie_groups=${sortie_groups:--}
  [[ -n $version ]] || return
  [[ $security != *name=rootless* ]] || sortie_rootless=1
  [[ $memory != false ]] || sortie_unheld+=mem,
  [[ $cpus != false ]] || sortie_unheld+=cpus,
  [[ $pids != false ]] || sortie_unheld+=pids_limit,
  # Those of an engine in a virtual machine are others.
  [[ $cpuset == "true$(getconf _NPROCESSORS_ONLN)" ]] || sortie_unheld+=cpuset,
}

# Ends the job if the engine would ignore limits that are set.
sortie_require_limits() {
  local limit unheld=()
  ((sortie_strict)) || return 0
  for limit in "${sortie_limits[@]}"; do
    [[ $sortie_unheld != *",$limit,"* ]] || unheld+=("$limit")
  done
  ((${#unheld[@]} > 0)) || return 0
  sortie_step 'limits'
  sortie_fail 78 "${sortie_engine##*/} cannot hold ${unheld[*]} here, as it has not got the control groups for it (rootless on cgroups v1, or not delegated); leave the limits out, or set \`require_limits: false\` to run without them"
}

# sortie_find_error TEXT: sets sortie_error to the line, of what an engine has printed, that says what is wrong.
sortie_find_error() {
  local line
  sortie_error=''
  while IFS='' read -r line; do
    line=${line//[[:cntrl:]]/ }
    case $line in
      '' | ' '* | sortie:* | Usage:* | 'Run '*--help* | 'See '*--help* | [Ww][Aa][Rr][Nn]* | *level=warn* | *level=info* | 'Emulate Docker'*) ;;
      *rror*) sortie_error=$line ;;
      *) [[ $sortie_error == *rror* ]] || sortie_error=$line ;;
    esac
  done <<<"$1"
}
