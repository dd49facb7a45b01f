#!/bin/sh
# In place of docker: notes whether a job or the launcher calls it, and becomes it.
echo "${SLURM_JOB_ID:+node} $1" >>"${0%/*}/calls"
# The path begins with the directory of this.
PATH=${PATH#*:}
exec docker "$@"
