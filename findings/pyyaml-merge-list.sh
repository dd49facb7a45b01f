#!/usr/bin/env bash
# PyYAML 6.0.4: which mapping of `<<: [*one, *two]` wins depends on the length of the key.
#
# YAML's merge key type says that an earlier mapping of the list overrides a later one (https://yaml.org/type/merge.html).
# PyYAML 6.0.3 keeps to that. PyYAML 6.0.4 does for keys of one character; of longer keys the later mapping wins. It
# compares keys by the identity of their strings, and CPython keeps one object only for strings of one character.
# OmegaConf 2.3.0 reads its files with PyYAML and does the same; OmegaConf 2.4.0 gives the earlier mapping.
#
# Seen with CPython 3.11 on 2026-11-30:
#   PyYAML 6.0.3: k=1 key=1
#   PyYAML 6.0.4: k=1 key=2
#   PyYAML 6.0.4, OmegaConf 2.3.0: k=1 key=2
#   PyYAML 6.0.4, OmegaConf 2.4.0: k=1 key=1
#
# sortie takes the earlier mapping, whatever the key (crates/sortie-config/src/yaml/merge.rs, tests/it/merge.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"

cat >"$dir/read.py" <<'PYTHON'
import sys
import yaml

if sys.argv[1] == "omegaconf":
    from omegaconf import OmegaConf as reader
    read = reader.create
else:
    read = yaml.safe_load
text = "one: &one {%s: 1}\ntwo: &two {%s: 2}\nboth:\n  <<: [*one, *two]\n"
print(*(f"{key}={read(text % (key, key))['both'][key]}" for key in ("k", "key")))
PYTHON

# expect WORDS READER PACKAGE...
expect() {
  local wanted=$1 reader=$2 seen
  shift 2
  "$dir/venv/bin/pip" install --quiet --disable-pip-version-check "$@"
  seen=$("$dir/venv/bin/python" "$dir/read.py" "$reader")
  echo "$*: $seen"
  [[ $seen == "$wanted" ]] || { echo "expected $wanted" >&2; exit 1; }
}

expect 'k=1 key=1' yaml PyYAML==6.0.3
expect 'k=1 key=2' yaml PyYAML==6.0.4
expect 'k=1 key=2' omegaconf PyYAML==6.0.4 omegaconf==2.3.0
expect 'k=1 key=1' omegaconf PyYAML==6.0.4 omegaconf==2.4.0
