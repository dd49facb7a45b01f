//! The settings of a sweep, as others may see them.

use sortie_config::{ConfigError, JobConfig};

/// Is shown in place of the value of a variable.
const HIDDEN: &str = "(not shown)";

/// The text as it is; or, where it gives values to variables, which may be keys, in full and without those: a
/// report is made to be passed on.
pub(super) fn shown(text: String) -> Result<String, ConfigError> {
    let mut config = JobConfig::from_yaml(&text, "settings.yaml")?;
    if config.spec().environment.set.is_empty() {
        return Ok(text);
    }
    let environment = match &mut config {
        JobConfig::Local(local) => &mut local.environment,
        JobConfig::LocalDocker(local) => &mut local.environment,
        JobConfig::SlurmConda(slurm) => &mut slurm.environment,
        JobConfig::SlurmDocker(slurm) => &mut slurm.environment,
    };
    environment.set.values_mut().for_each(|value| HIDDEN.clone_into(value));
    // What was read can be written.
    Ok(config.to_yaml().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_are_not_shown() {
        let plain = "job_type: local  # mine\ntime: 00:05:00\n";
        assert_eq!(shown(plain.to_owned()).unwrap(), plain);
        for kind in ["local", "local_docker", "slurm_conda", "slurm_docker"] {
            let text =
                format!("job_type: {kind}\nenvironment: {{set: {{API_KEY: \"s\\x65cret\"}}}}\n");
            let shown = shown(text).unwrap();
            assert!(shown.contains("API_KEY") && shown.contains(HIDDEN), "{shown}");
            assert!(!shown.contains("secret") && !shown.contains("x65"), "{shown}");
        }
    }
}
