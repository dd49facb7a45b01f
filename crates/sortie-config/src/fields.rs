//! Settings, and fields that take more than a value of their type.

use std::{fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{self, Unexpected},
};

use crate::validate::MAX_CPUS;

/// Declares the settings of a kind of job: those that all kinds have, and between them its own, each with its default. In YAML one
/// that is left out has that, and one that is not known is an error.
///
/// serde's `flatten` would keep the shared ones in a struct, but loses the places of errors and knows
/// no nearest name of an unknown field.
macro_rules! job_settings {
    ($(#[$of_struct:meta])* $name:ident {
        $($(#[$of_field:meta])* $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$of_struct])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The user's program that judges a candidate; `evaluate.py` by default.
            #[serde(deserialize_with = "crate::fields::null_is_evaluate_py")]
            #[schemars(with = "crate::schema::Evaluator")]
            pub eval_program_path: std::path::PathBuf,
            /// What the evaluator is: `python`, the default, which is run by Python; or `executable`, a program in any language
            /// that is run as itself. That is a file with the permission to be executed, compiled or with a `#!` line.
            pub evaluator: crate::EvaluatorKind,
            /// Passed to the evaluator as `--KEY VALUE`, in order.
            #[serde(deserialize_with = "crate::extra_args::deserialize")]
            #[schemars(with = "crate::schema::Arguments")]
            pub extra_cmd_args: indexmap::IndexMap<String, crate::PyValue>,
            $($(#[$of_field])* pub $field: $type,)*
            /// What of the launcher's environment reaches the job.
            pub environment: crate::EnvironmentPolicy,
            /// Bounds on stopping, logs and results.
            pub limits: crate::Limits,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    eval_program_path: crate::fields::eval_program_path(),
                    evaluator: crate::EvaluatorKind::Python,
                    extra_cmd_args: indexmap::IndexMap::new(),
                    $($field: $default,)*
                    environment: crate::EnvironmentPolicy::default(),
                    limits: crate::Limits::default(),
                }
            }
        }

        impl $name {
            /// The job that these settings ask for, given what each kind has in its own way.
            pub(crate) fn job_spec(
                &self,
                time: Option<crate::TimeLimit>,
                place: crate::JobPlace,
                inside: crate::JobInside,
            ) -> crate::JobSpec {
                let python = crate::activation::set_path(self.python_executable.as_ref());
                let args = self.extra_cmd_args.iter();
                crate::JobSpec {
                    evaluator: self.eval_program_path.clone(),
                    evaluator_kind: self.evaluator,
                    python_executable: python.map(std::path::Path::to_owned),
                    args: args.map(|(key, value)| (key.clone(), value.to_string())).collect(),
                    verbose: self.eval_verbose,
                    threads: self.numeric_threads_per_job,
                    time_limit: time.and_then(crate::TimeLimit::as_duration),
                    environment: self.environment.clone(),
                    limits: self.limits.clone(),
                    place,
                    inside,
                }
            }
        }
    };
}
pub(crate) use job_settings;

/// `evaluate.py`
pub(crate) fn eval_program_path() -> PathBuf {
    PathBuf::from("evaluate.py")
}

/// Reads a path; null is the default evaluator.
pub(crate) fn null_is_evaluate_py<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_else(eval_program_path))
}

/// Reads a value; null is the empty one.
pub(crate) fn null_is_empty<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a number of CPUs, so that one error tells the whole range.
pub(crate) fn cpus<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a whole number from 1 to {MAX_CPUS}")
        }

        fn visit_i64<E: de::Error>(self, count: i64) -> Result<u32, E> {
            u32::try_from(count)
                .ok()
                .filter(|count| (1..=MAX_CPUS).contains(count))
                .ok_or_else(|| E::invalid_value(Unexpected::Signed(count), &self))
        }

        fn visit_u64<E: de::Error>(self, count: u64) -> Result<u32, E> {
            let signed = i64::try_from(count);
            signed
                .map_err(|_| E::invalid_value(Unexpected::Unsigned(count), &self))
                .and_then(|count| self.visit_i64(count))
        }
    }
    from.deserialize_u32(Visitor)
}
