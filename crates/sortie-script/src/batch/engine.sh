
# ---- What a container engine says, and what it failed for ----

# sortie_why TEXT: the reason for what fails, for the record.
sortie_why() {
  local text=${1:0:1000}
  builtin printf 'said %s\n' "${text//[[:cntrl:]]/ }" >&3
}

# sortie_fail STATUS TEXT: ends set-up, and says why.
sortie_fail() {
  printf 'sortie: %s\n' "$2" >&2
  sortie_why "$2"
  exit "$1"
}

# Makes sure that the engine is here.
sortie_expect_command() {
  sortie_step 'engine command'
  if ! type -P -- "$sortie_engine" >/dev/null; then
    sortie_fail 127 "$sortie_engine: not found; PATH is ${PATH-}"
  fi
}

# sortie_may_pass TEXT: whether what an engine failed for is a want of the machine or of a connection.
sortie_may_pass() {
  case ${1,,} in
    *'no space left'* | *'quota exceeded'* | *'cannot allocate memory'* | *'resource temporarily unavailable'* | \
      *'too many open files'* | *'input/output error'* | *'stale file handle'* | *'stale nfs'* | *'cannot connect to'* | \
      *'unable to connect'* | *'error during connect'* | *'connection refused'* | *'connection reset'* | *'i/o timeout'* | \
      *'handshake timeout'* | *'timed out'* | *'deadline exceeded'* | *'no available ip'* | *'find an available, non-overlapping'*) return 0 ;;
  esac
  return 1
}
