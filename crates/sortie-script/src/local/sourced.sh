{ # One compound command is parsed before the script can define an alias.
  __sortie_directory=$1
  __sortie_script=$2
  __sortie_command=("${@:3}")
  __sortie_oldpwd=${OLDPWD-}
  __sortie_return # the login files may have left it
  builtin set --
  __sortie_watch "$__sortie_script" "; the command was not started"
  builtin source "$__sortie_script" 3>&-
  __sortie_run "${__sortie_command[@]}"
}
