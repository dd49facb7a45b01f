{ # One compound command is parsed before a hook can define an alias.
  __sortie_directory=$1
  __sortie_steps=("${@:2}")
  __sortie_oldpwd=${OLDPWD-}
  __sortie_return
  builtin set --
  __sortie_watch '' "; the command was not started"
  builtin trap - ERR # hooks may fail
  builtin set +eEu
  while [[ ${__sortie_steps[0]} != -- ]]; do
    __sortie_at=${__sortie_steps[1]%%=*}
    case ${__sortie_steps[0]} in
      source)
        builtin source "$__sortie_at" 3>&- ||
          builtin printf "sortie: %s: status %s, ignored as conda does\n" "$__sortie_at" "$?" >&2
        builtin set +eu
        ;;
      export) builtin export -- "${__sortie_steps[1]?}" || builtin exit ;;
      unset) # Which, unlike export, would evaluate a subscript.
        builtin export -n -- "${__sortie_at?}" || builtin exit
        builtin unset -v "$__sortie_at" || builtin exit
        ;;
    esac
    __sortie_steps=("${__sortie_steps[@]:2}")
  done
  __sortie_run "${__sortie_steps[@]:1}"
}
