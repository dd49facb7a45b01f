# __sortie_expect_interpreter FILE: of a script, whether there is here what its first line names.
__sortie_expect_interpreter() {
  builtin local magic words
  magic='' words=()
  { builtin read -r -N 2 magic && builtin read -r -a words; } <"$1" 2>/dev/null
  [[ $magic == '#!' ]] || builtin return 0
  if builtin type -P -- "${words[0]-}" >/dev/null; then
    [[ ${words[0]} == */env && ${words[1]--} != -* && ${words[1]} != *=* ]] || builtin return 0
    words=("${words[1]}")
    builtin type -P -- "${words[0]}" >/dev/null && builtin return
  fi
  builtin printf 'sortie: %s: its "#!" line names "%s", which is not found here\n' "$1" "${words[0]-}" >&2
  builtin return 127
}
