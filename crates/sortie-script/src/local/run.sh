# Announces on file descriptor 3 that set-up is done, and becomes the command.
__sortie_run() {
  builtin trap - EXIT ERR DEBUG RETURN
  if ! builtin type -P -- "${1-}" >/dev/null; then
    builtin printf "sortie: %s: not found once its environment was active; PATH is %s\n" "${1-}" "${PATH-}" >&2
    builtin exit 127
  fi
  builtin printf . >&3 || builtin exit
  builtin exec -- "$@" 3>&-
}

# Says what ended the shell early; the status stays what it was.
__sortie_ended() {
  __sortie_status=$?
  builtin printf "sortie: %s: ended with status %s; the command was not started\n" "${__sortie_at%%=*}" "$__sortie_status" >&2
}

