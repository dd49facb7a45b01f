//! What an evaluator in Python is given, as Python sees it.

use sortie_results::Value;

use crate::{Stage, scheduler};

const EVALUATOR: &str = r#"
import argparse, json, os, sys
parser = argparse.ArgumentParser()
for name in ["program_path", "results_dir", "rate", "flag", "none", "list", "text", "big"]:
    parser.add_argument("--" + name)
args = vars(parser.parse_args())
out = args["results_dir"]
args["encoding"] = sys.stdout.encoding
args["unbuffered"] = sys.stdout.write_through
print("ü", ascii(os.environ["GREETING"]))
json.dump(args, open(os.path.join(out, "metrics.json"), "w"))
json.dump({"correct": True}, open(os.path.join(out, "correct.json"), "w"))
"#;

#[tokio::test]
async fn arguments_and_environment() {
    let stage = Stage::new(EVALUATOR);
    let yaml = "extra_cmd_args: {rate: 0.00001, flag: true, none: null, list: [1, 'a'], \
                text: \"it's\\n$(x)\", big: 36893488147419103232}\n";
    let mut config = stage.settings(yaml);
    if let sortie_config::JobConfig::Local(local) = &mut config {
        local.environment.set.insert("GREETING".into(), "grüß \"dich\"\n".into());
    }
    let (candidate, results_dir) = (stage.path("candidate"), stage.path("results"));
    let (results, _) = scheduler(config, 1).run(&candidate, &results_dir).await.unwrap();
    assert!(results.correct, "{results:?}");
    let expected = [
        ("program_path", candidate.to_str().unwrap()),
        ("results_dir", results_dir.to_str().unwrap()),
        ("rate", "1e-05"),
        ("flag", "True"),
        ("none", "None"),
        ("list", "[1, 'a']"),
        ("text", "it's\n$(x)"),
        ("big", "36893488147419103232"),
        ("encoding", "utf-8"),
    ];
    for (name, value) in expected {
        assert_eq!(results.metrics[name].as_str(), Some(value), "{name}");
    }
    assert_eq!(results.metrics["unbuffered"], Value::Bool(true));
    assert_eq!(results.stdout_log.text(), "ü 'gr\\xfc\\xdf \"dich\"\\n'\n");
}
