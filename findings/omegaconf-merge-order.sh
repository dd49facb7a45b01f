#!/usr/bin/env bash
# OmegaConf 2.4.0: a merged key that the mapping sets itself moves behind the merged ones.
#
# With `<<: *base` PyYAML and OmegaConf 2.3.0 keep the order of the base, with new values. OmegaConf 2.4.0 puts what is
# overridden behind what is not. Whoever turns such a mapping into a command line gets the arguments in another order.
#
# Seen with CPython 3.11 and PyYAML 6.0.4 on 2026-11-30, of base {time: 1, mem: 2} and time: 9:
#   PyYAML 6.0.4:    time mem
#   OmegaConf 2.3.0: time mem
#   OmegaConf 2.4.0: mem time
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"

cat >"$dir/read.py" <<'PYTHON'
import sys
import yaml
from omegaconf import OmegaConf

text = "base: &base {time: 1, mem: 2}\njob:\n  <<: *base\n  time: 9\n"
read = {"yaml": yaml.safe_load, "omegaconf": OmegaConf.create}[sys.argv[1]]
print(*read(text)["job"])
PYTHON

# expect WORDS READER OMEGACONF
expect() {
  local seen
  "$dir/venv/bin/pip" install --quiet --disable-pip-version-check PyYAML==6.0.4 "omegaconf==$3"
  seen=$("$dir/venv/bin/python" "$dir/read.py" "$2")
  echo "$2, OmegaConf $3: $seen"
  [[ $seen == "$1" ]] || { echo "expected $1" >&2; exit 1; }
}

expect 'time mem' yaml 2.3.0
expect 'time mem' omegaconf 2.3.0
expect 'mem time' omegaconf 2.4.0
