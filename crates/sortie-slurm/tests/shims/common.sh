# Read by each of the shims first.
me=${0##*/}
: "${SHIM_DIR:=$PWD}" # which is not left to an sbatch that exports all it has
printf '%s\n' "$*" >>"$SHIM_DIR/$me.calls"
env >"$SHIM_DIR/$me.env"

# The value of an option among the arguments that follow its name: `option -n "$@"`.
option() {
    wanted=$1
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        "$wanted") printf '%s' "${2-}" && return ;;
        "$wanted"=*) printf '%s' "${1#*=}" && return ;;
        esac
        shift
    done
}

# Lets a job into the queue; its id is in $id.
admit() {
    touch "$SHIM_DIR/jobs"
    id=$(($(wc -l <"$SHIM_DIR/jobs") + 41))
    printf '%s %s PENDING\n' "$id" "$name" >>"$SHIM_DIR/jobs"
}

fail() {
    printf '%s: error: %s\n' "$me" "$1" >&2
    exit 1
}

# How often this command has been called, this call among them.
calls() {
    wc -l <"$SHIM_DIR/$me.calls"
}

hook() {
    if [ -e "$SHIM_DIR/$me.hook" ]; then
        . "$SHIM_DIR/$me.hook"
    fi
}
