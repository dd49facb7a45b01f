{ # One compound command is parsed before the script can define an alias.
  __sortie_at=$1
  __sortie_command=("${@:2}")
  builtin set --
  builtin trap __sortie_ended EXIT
  builtin set -e
  builtin source "$__sortie_at" 3>&-
  __sortie_run "${__sortie_command[@]}"
}
