#!/usr/bin/env bash
# Apptainer 1.4.5: how variables get into a container, and how they do not.
#
# `APPTAINERENV_NAME=VALUE` sets NAME inside, and `--no-eval` is to keep a shell from reading the value. One NAME that is none
# to a shell, such as A.B, makes all of them vanish: the command runs without, and ends with 0. `--cleanenv` keeps proxies
# (`https_proxy` and its like), and the caller's HOME, which is not there.
#
# Seen with Debian's 1.4.5-2 as a plain user on 2026-11-30:
#   WANTED, alone:            WANTED=yes status 0
#   WANTED, beside A.B:       status 0
#   by env inside:            WANTED=yes A.B=odd status 0
#   https_proxy, --cleanenv:  https_proxy=http://127.0.0.1:9 status 0
#
# sortie gives variables as arguments of `env` in the container, unsets proxies, and sets HOME
# (crates/sortie-script/src/container/apptainer.rs, src/batch/apptainer/container.sh).
#
# Usage: apptainer-environment.sh IMAGE
set -uo pipefail
image=$1
run=(apptainer --silent exec --containall --no-home --no-eval "$image")

show() {
  printf '%-25s ' "$1"
  shift
  "$@" 2>/dev/null | grep -E '^(WANTED|A\.B|https_proxy)=' | sort -r | tr '\n' ' '
  printf 'status %s\n' "${PIPESTATUS[0]}"
}
show 'WANTED, alone:' env APPTAINERENV_WANTED=yes "${run[@]}" env
show 'WANTED, beside A.B:' env APPTAINERENV_WANTED=yes APPTAINERENV_A.B=odd "${run[@]}" env
show 'by env inside:' "${run[@]}" env WANTED=yes A.B=odd env
show 'https_proxy, --cleanenv:' env https_proxy=http://127.0.0.1:9 "${run[@]}" env
