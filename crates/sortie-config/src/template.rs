//! A file of settings to start from.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{JobType, schema_of};

/// Columns of a line of explanation.
const WIDTH: usize = 96;

impl JobType {
    /// A file with all settings of this job type, each with its explanation and default, commented out.
    ///
    /// Without the `# ` that a line of settings begins with, it holds; a line of explanation begins with `## `, and so stays a
    /// comment. Names, explanations and defaults are those of the schema.
    ///
    /// ```
    /// use sortie_config::{JobConfig, JobType, LocalJobConfig};
    ///
    /// let text = JobType::Local.template();
    /// assert!(text.contains("\n## How long the job may run; without a limit by default.\n# time: null\n"));
    /// let config = JobConfig::from_yaml(&text, "job.yaml")?;
    /// assert_eq!(config, LocalJobConfig::default().into());
    /// # Ok::<(), sortie_config::ConfigError>(())
    /// ```
    pub fn template(self) -> String {
        let schema = schema_of(self);
        let mut text = String::new();
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        explain(&mut text, "", about);
        let usage = "Lines with `# ` before a setting show its default: take the `# ` away to set it. Times are as Slurm \
                     writes them (`30` minutes, `00:05:00`, `1-12:00:00`), sizes as in `64MiB`, memory as in `8G`.";
        explain(&mut text, "", usage);
        let _ = writeln!(text, "\njob_type: {self}");
        for (name, setting) in members(&schema, "properties") {
            if name != "job_type" {
                text.push('\n');
                add(&mut text, name, setting);
            }
        }
        text
    }
}

/// Adds a setting; of a mapping, all that it holds.
fn add(text: &mut String, name: &str, setting: &Value) {
    explain(text, "", description(setting));
    if setting.get("properties").is_some() {
        let _ = writeln!(text, "# {name}:");
        add_members(text, "# ", setting);
        return;
    }
    add_line(text, "# ", name, setting);
    let choices = setting.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    for mapping in choices.filter(|choice| choice.get("properties").is_some()) {
        explain(text, "", "Or:");
        let _ = writeln!(text, "## {name}:");
        add_members(text, "## ", mapping);
    }
}

fn add_members(text: &mut String, comment: &str, mapping: &Value) {
    for (name, setting) in members(mapping, "properties") {
        explain(text, &format!("{comment}  "), description(setting));
        add_line(text, &format!("{comment}  "), name, setting);
    }
}

fn add_line(text: &mut String, before: &str, name: &str, setting: &Value) {
    let default = setting.get("default").unwrap_or(&Value::Null);
    let _ = writeln!(text, "{before}{name}: {default}");
}

fn description(setting: &Value) -> &str {
    setting.get("description").and_then(Value::as_str).unwrap_or_default()
}

fn members<'a>(schema: &'a Value, of: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(of).and_then(Value::as_object).into_iter().flatten()
}

/// Adds words as lines of explanation.
fn explain(text: &mut String, before: &str, words: &str) {
    let mut line = String::new();
    for word in words.split_whitespace() {
        if before.len() + line.chars().count() + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{before}##{line}");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(text, "{before}##{line}");
}
