//! What a job can learn of its launcher, which has the keys in its environment.

use crate::stage::Stage;
use crate::statuses::run_unprivileged;

/// Looks for a variable of the launcher in each process above it, and for a way into their memory.
const LOOKS: &str = r#"
pid=$$
head -c 0 "/proc/$pid/environ" && echo itself >> "$4/seen"
for above in reaper spawn_server launcher; do
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
    for file in environ mem maps fd/0; do
        head -c 0 "/proc/$pid/$file" 2> /dev/null && echo "$above $file" >> "$4/seen"
    done
done
kill -0 "$pid" && echo "the last is $(cat "/proc/$pid/comm")" >> "$4/seen"
echo "cores $(ulimit -Sc)" >> "$4/seen"
echo '{"combined_score": 1}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

#[test]
fn a_job_reads_nothing_of_the_processes_above_it_and_leaves_no_core() {
    let stage = Stage::shell(LOOKS, "environment: {deny: [OF_THE_LAUNCHER]}\n");
    let ran = run_unprivileged(&stage, "export OF_THE_LAUNCHER=1");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // The evaluator is as any program; the tool, which works all the same, is not.
    assert_eq!(stage.read("results/seen"), "itself\nthe last is 9\ncores 0\n");
}

#[test]
fn settings_may_come_through_a_pipe_still() {
    let stage = Stage::shell(crate::stage::CORRECT, "");
    let ran = run_unprivileged(
        &stage,
        "mv job.yaml given; exec 8< <(cat given); ln -s /dev/fd/8 job.yaml",
    );
    assert_eq!(ran.status, Some(0), "{ran:?}");
}
