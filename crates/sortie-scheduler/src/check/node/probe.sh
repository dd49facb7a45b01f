# Run on a node in the place of an evaluator that runs as itself, which is its candidate: leaves results as an evaluator does,
# and becomes what looks whether the evaluator could be started. `look` comes before this.
while [ $# -gt 1 ]; do
  case $1 in
    --program_path) program=$2 ;;
    --results_dir) results=$2 ;;
  esac
  shift 2
done
echo '{"combined_score": 0.0}' >"$results/metrics.json" || exit 73
echo '{"correct": true}' >"$results/correct.json" || exit 73
if [ ! -x "$program" ]; then
  echo "$program: not an executable file there" >&2
  exit 126
fi
look
