#!/bin/bash
# In place of one of Slurm's commands: calls it, and notes from when to when, in seconds since 1970.
from=$EPOCHREALTIME
# The path begins with the directory of this.
export PATH=${PATH#*:}
"${0##*/}" "$@"
status=$?
echo "${0##*/} $from $EPOCHREALTIME" >>"${0%/*}/calls"
exit $status
