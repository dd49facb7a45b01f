//! The JSON Schema and the reader are of one mind.

use std::fs;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use sortie_config::{JobConfig, JobType, schema, schema_of};

use crate::round_trip::config;

thread_local!(static VALIDATOR: Validator = jsonschema::draft7::new(&schema()).unwrap());

fn errors(value: &Value) -> Vec<String> {
    VALIDATOR
        .with(|validator| validator.iter_errors(value).map(|error| error.to_string()).collect())
}

/// The file as an editor sees it, if it is in our own form and YAML at all.
fn as_edited(text: &str) -> Option<Value> {
    let value: Value = serde_yaml::from_str(text).ok()?;
    let is_ours = value.get("job_type").is_some() && value.get("_target_").is_none();
    is_ours.then_some(value)
}

#[test]
fn it_is_a_schema() {
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
}

#[test]
fn good_files_are_good() {
    insta::glob!("../cases/good", "*.yaml", |path| {
        if let Some(value) = as_edited(&fs::read_to_string(path).unwrap()) {
            let mut errors = errors(&value);
            // Editors read YAML 1.2, where `no` is a text.
            errors.retain(|error| !error.starts_with("\"no\""));
            assert_eq!(errors, [""; 0], "{}", path.display());
        }
    });
}

/// What takes two settings to see, or a parser, is beyond a schema: those are in the snapshot, and nothing else.
#[test]
fn bad_files_are_bad() {
    let mut missed = Vec::new();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/bad")).unwrap() {
        let path = entry.unwrap().path();
        let value = as_edited(&fs::read_to_string(&path).unwrap());
        if value.is_some_and(|value| errors(&value).is_empty()) {
            missed.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    missed.sort();
    insta::assert_snapshot!(missed.join("\n"));
}

/// Every setting of every kind, with dots between the levels.
fn settings() -> Vec<(JobType, String)> {
    let mut all = Vec::new();
    for job_type in JobType::ALL {
        for (name, of) in schema_of(job_type)["properties"].as_object().unwrap() {
            all.push((job_type, name.clone()));
            let nested = of.get("properties").or_else(|| of["anyOf"][1].get("properties"));
            for inner in nested.and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
                all.push((job_type, format!("{name}.{inner}")));
            }
        }
    }
    all.retain(|(_, name)| name != "job_type");
    all
}

fn scalar() -> impl Strategy<Value = Value> {
    let texts = vec![
        "",
        " ",
        "x",
        "a b",
        "-x",
        "10",
        "10:00",
        "1-2",
        "1:2:3:4",
        "unlimited",
        "8G",
        "8GiB",
        "1.5",
        "1.5 kB",
        "2M",
        "a100:2",
        "a100",
        "gres",
        "missing",
        "podman",
        "apptainer",
        "eval.sif",
        "submitter",
        "[",
        "true",
        "null",
        "*_KEY",
        "a=b",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..100).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-10.0..1e6).prop_map(Value::from),
        prop::sample::select(texts).prop_map(Value::from),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let names =
        prop::sample::select(vec!["servers", "deny", "max_jobs", "set", "comment", "a=b", "x"]);
    prop_oneof![
        6 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => prop::collection::hash_map(names.prop_map(str::to_owned), scalar(), 0..3).prop_map(|map| json!(map)),
    ]
}

/// Whether an error is of the kinds that are left to the reader: what is in a text, one setting against another.
fn is_beyond_a_schema(error: &str) -> bool {
    [
        "bad pattern",
        "is empty",
        "holds white space",
        "starts with a dash",
        "`engine` must be",
        "and apptainer has no images by name",
        "is for docker and podman",
        "is for apptainer",
        "must be one node",
        "is more memory than can be counted",
        "is longer than",
        "sbatch_args.",
        "a job is asked to end only",
    ]
    .iter()
    .any(|kind| error.contains(kind))
}

proptest! {
    #[test]
    fn what_is_written_is_valid(config in config()) {
        let value = serde_json::to_value(&config).unwrap();
        prop_assert_eq!(errors(&value), [""; 0], "{}", value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn of_one_mind((job_type, name) in prop::sample::select(settings()), value in any_value()) {
        let value = name.rsplit('.').fold(value, |value, name| json!({name: value}));
        let mut file = value;
        file["job_type"] = job_type.as_str().into();
        let read = JobConfig::from_yaml(&file.to_string(), "job.yaml");
        let valid = errors(&file).is_empty();
        match read {
            Ok(_) => prop_assert!(valid, "read, but not valid: {}", file),
            Err(error) if valid => prop_assert!(is_beyond_a_schema(&error.to_string()), "{error}, but valid: {file}"),
            Err(_) => {}
        }
    }
}
