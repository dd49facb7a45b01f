# __sortie_watch SCRIPT THEN: from here on a command that fails ends the shell, which says which one of the script it was, and THEN.
# Bash tells the line of a command that fails, not of one that calls `exit`.
__sortie_watch() {
  __sortie_at=$1 __sortie_then=$2 __sortie_where=''
  builtin trap '__sortie_failed "$LINENO" "${BASH_SOURCE[0]-}" "$BASH_COMMAND"' ERR
  builtin trap __sortie_ended EXIT
  builtin set -eE
}

# __sortie_failed LINE FILE COMMAND: notes where, unless the script went on, or returned to this text.
__sortie_failed() {
  [[ $- == *e* && -n $2 && $2 != "$0" ]] || return 0
  builtin local command # apart: `builtin local` splits what it is given into words
  command=${3%%$'\n'*}
  builtin printf -v __sortie_where '%s: line %s: `%s` ' "$2" "$1" "${command:0:200}"
}

# Says what ended the shell early; the status stays what it was.
__sortie_ended() {
  __sortie_status=$?
  builtin printf 'sortie: %sended with status %s%s\n' "${__sortie_where:-$__sortie_at: }" "$__sortie_status" "$__sortie_then" >&2
}

