//! Files of the reference: where their settings are, and where they say of which kind.

use sortie_config::{JobConfig, JobType, Layers};

const TAGGED: &str = "\
evolution_config:
  job_type: slurm_conda
  results_dir: !!python/object/apply:pathlib.PosixPath [results, a]
  temperatures: !!python/tuple [0.0, 0.5]
  scorer: &id001 !!python/object:shinka.Scorer
    owner: *id001
    weight: !!python/object/apply:numpy.core.multiarray.scalar
    - !!python/object/apply:numpy.dtype {args: [f8, false, true]}
    - !!binary |
      AAAAAAAA8D8=
  twice: 1
  twice: 2
job_config:
  eval_program_path: tasks/a/evaluate.py
  partition: gpu
  time: 00:30:00
database_config: !!python/object:shinka.DatabaseConfig
  num_islands: 2
";

fn load(text: &str) -> Result<JobConfig, String> {
    JobConfig::from_yaml(text, "job.yaml").map_err(|error| error.to_string())
}

fn kind(text: &str) -> JobType {
    load(text).unwrap().job_type()
}

fn notices(text: &str) -> Vec<String> {
    Layers::text(text, "job.yaml").unwrap().effective().unwrap().notices
}

#[test]
fn what_is_outside_the_section_is_not_judged() {
    let config = load(TAGGED).unwrap();
    assert_eq!(config.job_type(), JobType::SlurmConda);
    assert!(config.to_yaml().unwrap().contains("\npartition: \"gpu\"\n"));
    // Not its aliases either: here they would be 10^9 values.
    let ten = |name: &str| vec![format!("*{name}"); 10].join(", ");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let line = format!("a{level}: &a{level} [{}]\n", ten(&format!("a{}", level - 1)));
        bomb.push_str(&line);
    }
    bomb += "job_config: {_target_: shinka.launch.LocalJobConfig, time: 5}\n";
    assert_eq!(load(&bomb).unwrap().spec().time_limit.unwrap().as_secs(), 300);
    let deep = format!("deep: {}{}\njob_config: {{time: 5}}\n", "[".repeat(200), "]".repeat(200));
    assert_eq!(kind(&deep), JobType::Local);
}

#[test]
fn what_is_in_the_section_is() {
    let tagged = TAGGED.replace("tasks/a/evaluate.py", "!!python/name:os.system ''");
    let error = load(&tagged).unwrap_err();
    assert!(
        error.starts_with("job.yaml:14:22: the tag `tag:yaml.org,2002:!python/name:os.system`"),
        "{error}"
    );
    let twice = TAGGED.replace("  partition: gpu\n", "  partition: gpu\n  partition: cpu\n");
    assert_eq!(
        load(&twice).unwrap_err(),
        "job.yaml:16:3: duplicate key `partition`, first given on line 15"
    );
    let error = load("job_config: {time: 1}\njob_config: {time: 2}\n").unwrap_err();
    assert_eq!(error, "job.yaml:2:1: duplicate key `job_config`, first given on line 1");
}

#[test]
fn the_kind_comes_from_where_it_is_said() {
    for name in ["evo_config", "evolution_config", "evo"] {
        for (said, job_type) in [
            ("local", JobType::Local),
            ("slurm_env", JobType::SlurmConda),
            ("slurm_docker", JobType::SlurmDocker),
        ] {
            let text = format!("{name}: {{job_type: {said}}}\njob_config: {{time: 30}}\n");
            assert_eq!(kind(&text), job_type, "{text}");
        }
    }
    assert_eq!(
        kind("kind: slurm_docker\nevo_config: {job_type: \"${kind}\"}\njob_config: {cpus: 2}\n"),
        JobType::SlurmDocker
    );
    assert_eq!(kind("job_type: slurm_conda\njob_config: {cpus: 2}\n"), JobType::SlurmConda);
    assert_eq!(kind("evo_config: {job_type: ???}\njob_config: {time: 2}\n"), JobType::Local);
    let object =
        "job_config: !!python/object:shinka.launch.scheduler.SlurmDockerJobConfig\n  image: a\n";
    assert_eq!(kind(object), JobType::SlurmDocker);
}

/// As `shinka_run` takes them.
#[test]
fn a_section_that_names_no_kind_is_local() {
    for text in [
        "job: {time: 30}\n",
        "job_config: {time: 30}\n",
        "max_evaluation_jobs: 2\njob: {time: 30}\nevo: {language: rust}\n",
    ] {
        let config = load(text).unwrap();
        assert_eq!(
            (config.job_type(), config.spec().time_limit.unwrap().as_secs()),
            (JobType::Local, 1800),
            "{text}"
        );
    }
    for text in ["job:\n", "job: {}\n", "job_config:\nevo_config: {language: rust}\n"] {
        assert_eq!(kind(text), JobType::Local, "{text}");
    }
    let text = "evo_config: {job_type: local}\ndb_config: {num_islands: 2}\n";
    assert_eq!(kind(text), JobType::Local);
    assert_eq!(notices(text), ["the file has no `job_config`: all settings have their defaults"]);
    for text in [
        "evo_config: {job_type: slurm_conda}\n",
        "distributed_job_config: {partition: a}\n",
        "evo_config: {num_generations: 2}\n",
    ] {
        let error = load(text).unwrap_err();
        assert!(error.contains("no job type: add `job_type: local`"), "{error}");
    }
    let error = load("job: {partition: a}\n").unwrap_err();
    assert_eq!(
        error,
        "job.yaml:1:7: `partition` is a setting of `slurm_conda` and `slurm_docker` jobs, but this job is `local`, as nothing \
         names another type: remove it or change the job type"
    );
}

#[test]
fn places_that_disagree_are_told() {
    let class = "job_config: {_target_: shinka.launch.SlurmCondaJobConfig}\n";
    assert_eq!(
        load(&format!("evo_config: {{job_type: local}}\n{class}")).unwrap_err(),
        "job.yaml:1:24: `evo_config.job_type` is `local`, but `_target_` is `slurm_conda`: let them agree, or say which with \
         `--set job_type=…`"
    );
    let error = load("job: {time: 1}\njob_config: {time: 2}\n").unwrap_err();
    assert_eq!(error, "job.yaml:1:6: both `job_config` and `job` hold settings, keep one of them");
    let error = load("evo: {job_type: loca}\njob: {time: 1}\n").unwrap_err();
    assert!(error.starts_with("job.yaml:1:17: unknown job type `loca`"), "{error}");
    // What is only a part of a file to be composed says less.
    let later = format!("evo_config: {{job_type: local}}\ndistributed_{class}");
    assert_eq!(kind(&later), JobType::SlurmConda);
    assert_eq!(
        notices(&later),
        ["`evo_config.job_type` is `local`, but `_target_` is `slurm_conda`, which holds"]
    );
}

#[test]
fn what_is_set_by_hand_ends_the_dispute() {
    let text = "evo_config: {job_type: local}\njob_config: {_target_: shinka.launch.SlurmCondaJobConfig, partition: a}\n";
    let mut layers = Layers::text(text, "job.yaml").unwrap();
    let config = layers.set("--set", "job_type=slurm_docker").unwrap().config().unwrap();
    assert_eq!(config.job_type(), JobType::SlurmDocker);
    let error = layers.set("--set", "job_type=local").unwrap().config().unwrap_err().to_string();
    assert_eq!(
        error,
        "job.yaml:2:59: `partition` is a setting of `slurm_conda` and `slurm_docker` jobs, but this job is \
         `local`, as `--set job_type` says: remove it or change the job type"
    );
}

#[test]
fn classes_of_forks_are_known_by_name() {
    for module in ["other.launch.", "genesis.launch.scheduler.", ""] {
        let text = format!("job_config: {{_target_: {module}SlurmEnvJobConfig, cpus: 2}}\n");
        assert_eq!(kind(&text), JobType::SlurmConda);
        let said = format!(
            "`{module}SlurmEnvJobConfig` is not a class of `shinka.launch`: read as `slurm_conda`, by its name"
        );
        assert_eq!(notices(&text), [said]);
    }
    assert_eq!(notices("_target_: shinka.launch.LocalJobConfig\n"), [""; 0]);
}
