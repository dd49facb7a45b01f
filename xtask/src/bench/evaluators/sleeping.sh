# Takes as long as the candidate says, in seconds, and finds it correct.
# Arguments: --program_path CANDIDATE --results_dir DIR
sleep "$(cat "$2")"
echo '{"combined_score": 1.0}' >"$4/metrics.json"
echo '{"correct": true, "error": null}' >"$4/correct.json"
