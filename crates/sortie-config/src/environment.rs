//! What of the launcher's environment reaches the job.

use std::ffi::OsString;

use glob::Pattern;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::is_setting;

/// A filter on the launcher's environment. The default passes everything on, as the reference does.
///
/// What is kept back is not among the job's variables. A job of this machine that looks for it elsewhere still finds it, as
/// any process of the same user can: in the launcher's memory, and in `/proc/PID/environ` of the
/// launcher.
///
/// Names are matched case-sensitively against shell-like patterns (`*`, `?`, `[a-z]`). A byte of a
/// name that is not UTF-8 is matched as U+FFFD.
///
/// Variables that give settings to the launcher itself ([`is_setting`]) are not passed on, whatever the
/// patterns: a launcher that a job starts would take them for its own.
///
/// ```
/// use sortie_config::{EnvironmentPolicy, glob::Pattern};
///
/// let policy = EnvironmentPolicy {
///     deny: vec![Pattern::new("*_API_KEY")?],
///     ..EnvironmentPolicy::default()
/// };
/// let launcher = [("HOME", "/home/me"), ("OPENAI_API_KEY", "secret")];
/// let job = policy.select(launcher.map(|(name, value)| (name.into(), value.into())).into_iter());
/// assert_eq!(job, [("HOME".into(), "/home/me".into())]);
/// # Ok::<(), sortie_config::glob::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnvironmentPolicy {
    /// Names that are passed on: all of them by default.
    #[serde(with = "patterns")]
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<Pattern>,
    /// Names that are not, even if allowed: none by default.
    #[serde(with = "patterns")]
    #[schemars(with = "Vec<String>")]
    pub deny: Vec<Pattern>,
    /// Variables added last; they win over the launcher's and over `deny`.
    #[schemars(with = "crate::schema::Variables")]
    pub set: IndexMap<String, String>,
}

impl Default for EnvironmentPolicy {
    fn default() -> Self {
        let everything = Pattern::new("*").into_iter().collect();
        Self { allow: everything, deny: Vec::new(), set: IndexMap::new() }
    }
}

impl EnvironmentPolicy {
    /// The variables that reach the job: those of `vars` that are let through, in order, then `set`.
    pub fn select(
        &self,
        vars: impl Iterator<Item = (OsString, OsString)>,
    ) -> Vec<(OsString, OsString)> {
        let passes = |(name, _): &(OsString, OsString)| {
            let text = name.to_string_lossy();
            let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&text));
            let set = name.to_str().is_some_and(|name| self.set.contains_key(name));
            any(&self.allow) && !any(&self.deny) && !set && !is_setting(name)
        };
        let set = self.set.iter().map(|(name, value)| (name.into(), value.into()));
        vars.filter(passes).chain(set).collect()
    }
}

/// Patterns as texts.
mod patterns {
    use std::fmt;

    use glob::Pattern;
    use serde::{Deserialize, Deserializer, Serializer, de};

    /// One at a time, so that an error is located at the pattern that is wrong.
    struct Checked(Pattern);

    impl<'de> Deserialize<'de> for Checked {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl de::Visitor<'_> for Visitor {
                type Value = Checked;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a pattern of variable names")
                }

                fn visit_str<E: de::Error>(self, text: &str) -> Result<Checked, E> {
                    let checked = Pattern::new(text).map(Checked);
                    checked
                        .map_err(|error| E::custom(format!("bad pattern `{text}`: {}", error.msg)))
                }
            }
            deserializer.deserialize_str(Visitor)
        }
    }

    pub(super) fn serialize<S: Serializer>(value: &[Pattern], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(Pattern::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Pattern>, D::Error> {
        let checked = Vec::<Checked>::deserialize(from)?;
        Ok(checked.into_iter().map(|Checked(pattern)| pattern).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn policy(allow: &[&str], deny: &[&str], set: &[(&str, &str)]) -> EnvironmentPolicy {
        let patterns = |texts: &[&str]| texts.iter().map(|p| Pattern::new(p).unwrap()).collect();
        EnvironmentPolicy {
            allow: patterns(allow),
            deny: patterns(deny),
            set: set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        }
    }

    fn selected(policy: &EnvironmentPolicy, names: &[&str]) -> Vec<String> {
        let vars = names.iter().map(|name| (OsString::from(name), OsString::from("old")));
        let pair =
            |(name, value): (OsString, OsString)| format!("{}={}", name.display(), value.display());
        policy.select(vars).into_iter().map(pair).collect()
    }

    #[test]
    fn deny_beats_allow_and_case_counts() {
        let policy = policy(&["PATH", "AWS_*"], &["*_KEY"], &[]);
        let names = ["PATH", "path", "AWS_REGION", "AWS_KEY", "HOME"];
        assert_eq!(selected(&policy, &names), ["PATH=old", "AWS_REGION=old"]);
    }

    #[test]
    fn set_is_last_and_wins() {
        let policy = policy(&["*"], &["A"], &[("A", "new"), ("B", "new")]);
        assert_eq!(selected(&policy, &["B", "A", "C"]), ["C=old", "A=new", "B=new"]);
    }

    #[test]
    fn names_need_not_be_utf8() {
        let odd = OsString::from_vec(b"ODD_\xff".to_vec());
        let vars = || std::iter::once((odd.clone(), OsString::from_vec(b"\xfe".to_vec())));
        assert_eq!(EnvironmentPolicy::default().select(vars()), vars().collect::<Vec<_>>());
        assert_eq!(policy(&["*"], &["ODD_?"], &[]).select(vars()), []);
    }
}
