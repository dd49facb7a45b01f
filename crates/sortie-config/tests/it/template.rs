//! The file of settings to start from.

use sortie_config::{JobConfig, JobType, schema_of};

/// Without the first comment sign of each line.
fn uncommented(template: &str) -> String {
    let bare = |line: &str| {
        let line = line.strip_prefix("# ").or_else(|| line.strip_prefix('#')).unwrap_or(line);
        line.to_owned() + "\n"
    };
    template.lines().map(bare).collect()
}

/// The settings that a file of nothing but the job type gives.
fn defaults(job_type: JobType) -> JobConfig {
    JobConfig::from_yaml(&format!("job_type: {job_type}"), "job.yaml").unwrap()
}

#[test]
fn it_is_read_with_comments_and_without() {
    for job_type in JobType::ALL {
        let template = job_type.template();
        for text in [&template, &uncommented(&template)] {
            let config = JobConfig::from_yaml(text, "job.yaml");
            assert_eq!(config.unwrap(), defaults(job_type), "{text}");
        }
        // That these are settings, and not comments: one that is wrong is seen.
        let wrong = uncommented(&template).replace("eval_verbose: true", "eval_verbose: 7");
        assert!(JobConfig::from_yaml(&wrong, "job.yaml").is_err(), "{wrong}");
    }
}

#[test]
fn every_setting_is_there_and_explained() {
    for job_type in JobType::ALL {
        let schema = schema_of(job_type);
        let uncommented = uncommented(&job_type.template());
        let lines: Vec<_> = uncommented.lines().collect();
        let written = defaults(job_type).to_yaml().unwrap();
        for name in written.lines().map(|line| line.split(':').next().unwrap()) {
            let at = lines.iter().position(|line| line.starts_with(&format!("{name}:")));
            let at = at.unwrap_or_else(|| panic!("{name} is not in\n{uncommented}"));
            let is_explained = lines[at - 1].starts_with("# ") && lines[at - 1].len() > 12;
            assert!(is_explained || name == "job_type", "{name}: {}", lines[at - 1]);
        }
        let inner = ["environment", "limits"].map(|name| &schema["properties"][name]["properties"]);
        for name in inner.iter().flat_map(|inner| inner.as_object().unwrap().keys()) {
            assert!(uncommented.contains(&format!("\n  {name}: ")), "{name}\n{uncommented}");
        }
        assert!(lines.iter().all(|line| line.chars().count() <= 100));
    }
}

#[test]
fn the_parts_of_warm_are_a_comment_of_their_own() {
    let twice = uncommented(&uncommented(&JobType::Local.template())).replace("warm: false\n", "");
    let from = twice.find("\nwarm:\n").unwrap();
    let mapping = twice[from..].split("\n\n").next().unwrap();
    let config = JobConfig::from_yaml(&format!("job_type: local{mapping}"), "job.yaml").unwrap();
    let expected = JobConfig::from_yaml("job_type: local\nwarm: true", "job.yaml").unwrap();
    assert_eq!(config, expected, "{mapping}");
}
