//! Every file under `tests/cases`: the settings it gives, or the one error.

use std::{fs, path::Path};

use sortie_config::{ConfigError, JobConfig};

fn parse(path: &Path) -> Result<JobConfig, ConfigError> {
    JobConfig::from_yaml(&fs::read_to_string(path).unwrap(), "job.yaml")
}

#[test]
fn bad_files_give_one_located_error() {
    insta::glob!("../cases/bad", "*.yaml", |path| {
        let error = parse(path).unwrap_err();
        assert!(matches!(error, ConfigError::Invalid { .. }));
        snapshot("bad", &error.to_string());
    });
}

#[test]
fn good_files_give_these_settings() {
    insta::glob!("../cases/good", "*.yaml", |path| {
        let config = parse(path).unwrap();
        let args = config.spec().evaluator_args("candidate.py".as_ref(), "results".as_ref());
        snapshot("good", &format!("{}\n{args:#?}", config.to_yaml().unwrap()));
    });
}

/// Nothing but the text in the file, so that a changed message is a one-line diff.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn load_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.yaml");
    let error = JobConfig::load(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot read: ", path.display())), "{error}");

    fs::write(&path, "job_type: local\nconda_evn: x\n").unwrap();
    let error = JobConfig::load(&path).unwrap_err().to_string();
    let expected =
        format!("{}:2:1: unknown field `conda_evn`, did you mean `conda_env`?", path.display());
    assert_eq!(error, expected);

    fs::write(&path, "\u{feff}job_type: local\r\ncpu_s: 1\r\n").unwrap();
    let error = JobConfig::load(&path).unwrap_err().to_string();
    assert!(error.contains(":2:1: unknown field"), "{error}");
}
