//! Plain scalars, as the reference's loader reads them.

use sortie_config::{JobConfig, PyValue};

/// Text, type and `str()` of its value, of `OmegaConf` 2.4.0 on `PyYAML` 6.0.4: all that was tried, and chance made.
const READ_BY_OMEGACONF: &str = include_str!("../cases/scalars.tsv");

fn read(text: &str) -> (&'static str, String) {
    let yaml = format!("job_type: local\nextra_cmd_args:\n  a: {text}\n");
    let JobConfig::Local(config) = JobConfig::from_yaml(&yaml, "job.yaml").unwrap() else {
        unreachable!("it is of a local job")
    };
    let value = &config.extra_cmd_args["a"];
    let kind = match value {
        PyValue::None => "NoneType",
        PyValue::Bool(_) => "bool",
        PyValue::Int(_) => "int",
        PyValue::Float(_) => "float",
        PyValue::Str(_) => "str",
        PyValue::List(_) | PyValue::Dict(_) => "other",
    };
    (kind, value.to_string())
}

#[test]
fn each_is_what_omegaconf_says() {
    let mut wrong = Vec::new();
    for line in READ_BY_OMEGACONF.lines() {
        let [text, kind, value] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let ours = read(text);
        if ours != (kind_of(kind), value.to_owned()) {
            wrong.push(format!("{text}: {kind} {value}, not {} {}", ours.0, ours.1));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(READ_BY_OMEGACONF.lines().count() > 500);
}

fn kind_of(name: &str) -> &'static str {
    let kinds = ["NoneType", "bool", "int", "float", "str"];
    kinds.into_iter().find(|kind| *kind == name).unwrap_or("unheard of")
}

/// Where a text is wanted, what would be a number in base 60 is the text.
#[test]
fn settings_that_are_texts_stay_so() {
    let yaml = "job_type: slurm_docker\nimage: 10:30\ntime: 10:00:00\nmax_queue_time: 1:30\n\
                sbatch_args: {begin: 16:30}\nenvironment: {set: {A: 10:00:00}}\n";
    let config = JobConfig::from_yaml(yaml, "job.yaml").unwrap();
    assert_eq!(config.spec().time_limit.unwrap().as_secs(), 36_000);
    assert_eq!(config.spec().environment.set["A"], "10:00:00");
    let text = config.to_yaml().unwrap();
    for line in
        ["image: \"10:30\"", "max_queue_time: \"00:01:30\"", "sbatch_args: {\"begin\": \"16:30\"}"]
    {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}
