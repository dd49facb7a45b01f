#!/usr/bin/env bash
# tini 0.19.0, catatonit 0.1.7, dumb-init 1.2.5: they end with three different statuses where the program cannot be started.
#
# `docker run --init` runs tini, `podman run --init` runs catatonit. A shell's 127 (not found) and 126 (may not be executed)
# come from tini alone. catatonit ends with 1, which many programs end with themselves, and dumb-init with 2. So under
# Podman a status of 1 tells nothing: the image may lack the interpreter that the program's `#!` names. What a program
# that was started ends with is the same under all three.
#
# All three run a file without `#!` by `/bin/sh`, as execvp(3) does and execve(2) does not.
#
# Seen with Debian 12's packages (0.19.0-1, 0.1.7-1, 1.2.5-2) on 2026-11-30:
#             missing  no interpreter  not executable  exit 3  killed  no #!
#   tini      127      127             126             3       137     4
#   catatonit 1        1               1               3       137     4
#   dumb-init 2        2               2               3       137     4
#
# sortie looks for what the init says, and tries once for each image whether the evaluator can be started.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -q "tini=0.19.0-1*" "catatonit=0.1.7-1*" "dumb-init=1.2.5-2*" >log 2>&1 || { cat log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done

printf '#!/nowhere/interpreter\n' >no-interpreter
printf '#!/bin/sh\n' >not-executable
printf '#!/bin/sh\nexit 3\n' >exits
printf '#!/bin/sh\nkill -KILL $$\n' >is-killed
printf 'exit 4\n' >no-shebang
chmod +x no-interpreter exits is-killed no-shebang
seen=$(for init in tini catatonit dumb-init; do
  echo "$init"
  for program in missing no-interpreter not-executable exits is-killed no-shebang; do
    # It is process 1, as in a container.
    unshare --pid --fork --mount-proc "usr/bin/$init" -- "./$program" >>log 2>&1 && status=0 || status=$?
    echo "$status"
  done
done | paste -sd ' ')
echo "$seen"
[[ $seen == 'tini 127 127 126 3 137 4 catatonit 1 1 1 3 137 4 dumb-init 2 2 2 3 137 4' ]]
