# Goes to the directory in which paths mean what the user meant by them.
__sortie_return() {
  if [[ $PWD != "$__sortie_directory" ]]; then
    builtin cd -L -- "$__sortie_directory" || builtin exit
    OLDPWD=$__sortie_oldpwd
  fi
}

# Announces on file descriptor 3 that set-up is done, and becomes the command.
__sortie_run() {
  builtin set +eEu
  builtin trap - EXIT ERR DEBUG RETURN HUP INT QUIT PIPE TERM
  __sortie_return
  if ! builtin type -P -- "${1-}" >/dev/null; then
    builtin printf "sortie: %s: not found once its environment was active; PATH is %s\n" "${1-}" "${PATH-}" >&2
    builtin exit 127
  fi
  [[ $1 != */* ]] || __sortie_expect_interpreter "$1" || builtin exit
  builtin printf . >&3 || builtin exit
  builtin exec -- "$@" 3>&-
}

