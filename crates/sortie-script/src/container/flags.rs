//! The user's flags of an engine: read as the engine reads them, and those refused that would break
//! what is promised of a job.

use std::collections::BTreeSet;

use sortie_model::EngineKind;

use super::{
    engine::dialect,
    words::{self, WordsError},
};

/// Why flags are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagsError {
    /// They do not split into words.
    #[error("{setting}: {problem}")]
    Words {
        /// The setting that they are.
        setting: &'static str,
        /// What is wrong with them.
        problem: WordsError,
    },
    /// A word that is no flag, nor the value of one.
    #[error(
        "{setting}: `{word}` is neither a flag nor the value of one; the engine would take it \
         for the image"
    )]
    NotAFlag {
        /// The setting that has it.
        setting: &'static str,
        /// The word.
        word: String,
    },
    /// A flag at the end that needs a value.
    #[error("{setting}: `{flag}` needs a value")]
    NoValue {
        /// The setting that has it.
        setting: &'static str,
        /// The flag.
        flag: String,
    },
    /// A variable without a value, which the engine would look up in vain.
    #[error(
        "{setting}: {place} names {name} without a value, and {problem}; write `{name}=VALUE`, \
         or allow it in `environment`"
    )]
    Variable {
        /// The setting that has it.
        setting: &'static str,
        /// The flag or the file.
        place: String,
        /// The variable.
        name: String,
        /// Why it has no value.
        problem: &'static str,
    },
    /// A file of variables that cannot be looked into.
    #[error(
        "{setting}: --env-file={path}: {problem}; names without a value in it would be lost \
         without a word, so it has to be readable here, too"
    )]
    EnvFile {
        /// The setting that has it.
        setting: &'static str,
        /// Its path.
        path: String,
        /// Why not.
        problem: String,
    },
    /// A flag that would break what is promised.
    #[error("{setting}: `{flag}` is refused: {reason}")]
    Refused {
        /// The setting that has it.
        setting: &'static str,
        /// The flag, with its value if that is the matter.
        flag: String,
        /// What it would break, and what to do.
        reason: &'static str,
    },
}

/// How an engine reads flags, and which flags sortie accepts.
pub(super) struct Syntax {
    /// The setting that they are.
    pub(super) setting: &'static str,
    /// Flags without a value.
    pub(super) switches: &'static [&'static str],
    /// The names of one letter.
    pub(super) short: &'static [(char, &'static str)],
    /// Flags by two names: this one is taken for the other.
    pub(super) synonyms: &'static [(&'static str, &'static str)],
    /// Whether a flag asks for what is done in any case.
    pub(super) is_done: fn(&str, Option<&str>) -> bool,
    /// What would break if the engine were given the flag, if anything.
    pub(super) refusal: fn(&str, Option<&str>) -> Option<&'static str>,
    /// Where a flag mounts something, if it does.
    pub(super) targets: fn(&str, &str) -> Vec<String>,
}

/// Whether a switch with this value, or none, is on.
pub(super) fn is_on(value: Option<&str>) -> bool {
    value.is_none_or(|value| ["true", "1", "t", "T"].contains(&value))
}

/// Flags that can be passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Whose they are.
    engine: EngineKind,
    words: Vec<String>,
    /// The long names of all.
    names: BTreeSet<String>,
    /// Where they mount something.
    targets: BTreeSet<String>,
    /// Whether they ask for all GPUs there are.
    all_gpus: bool,
}

impl Flags {
    /// Reads a text as a shell splits words, and the words as the engine reads flags. `variable` looks up
    /// what `$NAME` in the text stands for.
    ///
    /// ```
    /// use sortie_model::EngineKind;
    /// use sortie_script::Flags;
    ///
    /// let variable = |name: &str| (name == "PWD").then(|| "/big data".to_owned());
    /// let parse = |text| Flags::parse(EngineKind::Docker, text, variable);
    /// let flags = parse("--shm-size=1g -v $PWD:/data:ro --rm")?;
    /// // Containers are removed in any case.
    /// assert_eq!(flags.words(), ["--shm-size=1g", "--volume=/big data:/data:ro"]);
    /// assert!(parse("-d").unwrap_err().to_string().contains("`--detach` is refused"));
    /// # Ok::<(), sortie_script::FlagsError>(())
    /// ```
    pub fn parse(
        engine: EngineKind,
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, FlagsError> {
        let mut flags = Self { engine, ..Self::default() };
        let setting = flags.setting();
        let words = words::split(text, &variable);
        let mut words =
            words.map_err(|problem| FlagsError::Words { setting, problem })?.into_iter();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
                flags.long(long, &mut words)?;
            } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
                flags.short(short, &mut words)?;
            } else {
                return Err(FlagsError::NotAFlag { setting, word });
            }
        }
        Ok(flags)
    }

    /// One word each, in the form `--name=value`.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    fn syntax(&self) -> &'static Syntax {
        dialect(self.engine).syntax()
    }

    fn setting(&self) -> &'static str {
        self.syntax().setting
    }

    /// Whether they have the flag of this long name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The value of a flag, of the last if there are several.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let given = self.words.iter().rev();
        given
            .filter_map(|word| word.strip_prefix("--")?.split_once('='))
            .find_map(|(given, value)| (given == name).then_some(value))
    }

    /// Whether they mount something at this place in the container.
    pub(super) fn mounts_at(&self, target: &str) -> bool {
        self.targets
            .iter()
            .any(|mounted| mounted.trim_end_matches('/') == target.trim_end_matches('/'))
    }

    /// Whether they ask for all GPUs there are: not in [`Flags::words`], as a job has the GPUs that
    /// it was assigned.
    pub(super) fn all_gpus(&self) -> bool {
        self.all_gpus
    }

    /// Gives the variables that are named without a value, as in `-e KEY` or on a line of a file of
    /// `--env-file`, the value they have here: the engine's command is not run with the launcher's environment, and
    /// would find none. `read` reads such a file.
    pub fn resolve(
        &mut self,
        variable: impl Fn(&str) -> Variable,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<(), FlagsError> {
        let setting = self.setting();
        let mut of_files = Vec::new();
        for word in &mut self.words {
            if let Some(name) = word.strip_prefix("--env=").filter(|word| !word.contains('=')) {
                *word = valued(setting, "`--env`", name, &variable)?;
            } else if let Some(path) = word.strip_prefix("--env-file=") {
                let path_of = || path.to_owned();
                let error = |problem| FlagsError::EnvFile { setting, path: path_of(), problem };
                for name in bare_names(&read(path).map_err(error)?) {
                    of_files.push(valued(setting, path, name, &variable)?);
                }
            }
        }
        // Those of flags win over those of files, with an engine too.
        self.words.splice(0..0, of_files);
        Ok(())
    }

    fn long(
        &mut self,
        flag: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), FlagsError> {
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None if self.syntax().switches.contains(&flag) => (flag, None),
            None => (flag, Some(self.value_of(flag, words)?)),
        };
        self.add(name, value)
    }

    /// A dash and one or more letters, of which the last may take the rest or the next word as value.
    fn short(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), FlagsError> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let known = self.syntax().short.iter().find(|(short, _)| *short == letter);
            let Some((_, name)) = known else {
                let word = format!("-{letters}");
                return Err(FlagsError::NotAFlag { setting: self.setting(), word });
            };
            let tail = rest.as_str();
            if self.syntax().switches.contains(name) && !tail.starts_with('=') {
                self.add(name, None)?;
                continue;
            }
            let value = match tail {
                "" => self.value_of(name, words)?,
                _ => tail.strip_prefix('=').unwrap_or(tail).to_owned(),
            };
            return self.add(name, Some(value));
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: Option<String>) -> Result<(), FlagsError> {
        let syntax = self.syntax();
        let synonym = syntax.synonyms.iter().find(|(given, _)| *given == name);
        let name = synonym.map_or(name, |(_, name)| name);
        if (syntax.is_done)(name, value.as_deref()) {
            return Ok(());
        }
        if matches!((name, value.as_deref()), ("gpus", Some("all" | "-1"))) {
            self.all_gpus = true;
            return Ok(());
        }
        if let Some(reason) = (syntax.refusal)(name, value.as_deref()) {
            let value = value.map(|value| format!("={value}")).unwrap_or_default();
            let (setting, flag) = (syntax.setting, format!("--{name}{value}"));
            return Err(FlagsError::Refused { setting, flag, reason });
        }
        let targets = value.as_deref().map(|value| (syntax.targets)(name, value));
        self.targets.extend(targets.unwrap_or_default());
        self.names.insert(name.to_owned());
        self.words.push(match value {
            Some(value) => format!("--{name}={value}"),
            None => format!("--{name}"),
        });
        Ok(())
    }

    fn value_of(
        &self,
        flag: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<String, FlagsError> {
        let error = || FlagsError::NoValue { setting: self.setting(), flag: format!("--{flag}") };
        words.next().ok_or_else(error)
    }
}

/// What a variable is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// It has this value.
    Is(String),
    /// It is not set.
    Unset,
    /// It has one, which is not to stand in a script that is kept.
    Withheld,
    /// Its value is no text.
    NotText,
}

fn valued(
    setting: &'static str,
    place: &str,
    name: &str,
    variable: impl Fn(&str) -> Variable,
) -> Result<String, FlagsError> {
    let problem = match variable(name) {
        _ if name.ends_with('*') => "a pattern is for `environment.allow`",
        Variable::Is(value) => return Ok(format!("--env={name}={value}")),
        Variable::Unset => "it is not set here",
        Variable::Withheld => {
            "the value it has here would stand in the script of each job, where containers may read it"
        }
        Variable::NotText => "what it is set to here is no text in UTF-8",
    };
    Err(FlagsError::Variable { setting, place: place.to_owned(), name: name.to_owned(), problem })
}

/// The lines of a file of variables that are names alone.
fn bare_names(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#') && !line.contains('='))
}

/// Where a flag of the form of `--mount` does.
pub(super) fn mount_target(value: &str) -> Option<&str> {
    let options = value.split(',').filter_map(|option| option.split_once('='));
    let mut options = options.map(|(key, value)| (key.to_ascii_lowercase(), value));
    let target = options.find(|(key, _)| ["target", "destination", "dst"].contains(&key.as_str()));
    target.map(|(_, target)| target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Flags, FlagsError> {
        Flags::parse(EngineKind::Docker, text, |_| None)
    }

    fn words(text: &str) -> Vec<String> {
        parse(text).unwrap().words
    }

    #[test]
    fn flags_are_read_as_the_engine_reads_them() {
        assert_eq!(words("--shm-size 1g --shm-size=2g"), ["--shm-size=1g", "--shm-size=2g"]);
        assert_eq!(
            words("-iPe A=1 -eB=2 -e=C=3 -m2g"),
            [
                "--interactive",
                "--publish-all",
                "--env=A=1",
                "--env=B=2",
                "--env=C=3",
                "--memory=2g",
            ]
        );
        // A value may look like a flag, or be empty.
        assert_eq!(words("-e --detach --entrypoint ''"), ["--env=--detach", "--entrypoint="]);
        assert_eq!(words("--rm --init=true --restart no --read-only"), ["--read-only"]);
        let flags = parse("--gpus all").unwrap();
        assert!(flags.all_gpus() && flags.words().is_empty());
    }

    #[test]
    fn what_would_break_a_promise_is_refused() {
        for text in [
            "-d",
            "-itd",
            "--detach",
            "--detach=true",
            "--restart=always",
            "--name x",
            "--rm=false",
            "--init=false",
            "--cidfile x",
            "-l sortie.attempt=1",
            "--label-file x",
            "-a stdout",
            "-it",
            "--sig-proxy=false",
            "--pull=never",
            "--pid=host",
            "--oom-kill-disable",
            "--env-host",
            "--rmi",
            "--pod x",
            "--replace",
            "--help",
            "--rootfs",
            "--stop-timeout=30",
        ] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, FlagsError::Refused { .. }), "{text}: {error}");
        }
        for text in ["ubuntu", "--", "-", "-e A=1 x", "-z"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, FlagsError::NotAFlag { .. }), "{text}: {error}");
        }
        let error = parse("--shm-size").unwrap_err().to_string();
        assert_eq!(error, "docker_flags: `--shm-size` needs a value");
    }

    #[test]
    fn names_alone_get_the_value_they_have_here() {
        let variable = |name: &str| match name {
            "KEY" => Variable::Is("a=b c".to_owned()),
            "ODD" => Variable::NotText,
            "SECRET" => Variable::Withheld,
            _ => Variable::Unset,
        };
        let read = |path: &str| match path {
            "all.env" => Ok("\u{feff}# KEY\n\n KEY\r\nX=1\n".to_owned()),
            "bad.env" => Ok("NONE\n".to_owned()),
            _ => Err("it is not there".to_owned()),
        };
        let resolved = |text| {
            let mut flags = parse(text).unwrap();
            flags.resolve(variable, read).map(|()| flags.words)
        };
        let words = resolved("-e KEY --env-file all.env -e KEY= -eX=2").unwrap();
        let expected =
            ["--env=KEY=a=b c", "--env=KEY=a=b c", "--env-file=all.env", "--env=KEY=", "--env=X=2"];
        assert_eq!(words, expected);
        let names_alone = "`--env` names NONE without a value, and it is not set here";
        for (text, expected) in [
            ("-e NONE", names_alone),
            ("--env ODD", "no text"),
            (
                "--env SECRET",
                "containers may read it; write `SECRET=VALUE`, or allow it in `environment`",
            ),
            ("--env 'KEY*'", "environment.allow"),
            ("--env-file bad.env", "bad.env names NONE without a value"),
            ("--env-file none.env", "it is not there"),
        ] {
            let error = resolved(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn targets_of_mounts() {
        let flags = parse(
            "-v /a:/workspace/:ro --mount type=bind,source=/b,dst=/c --tmpfs /d:size=1 -v /e",
        );
        let flags = flags.unwrap();
        for target in ["/workspace", "/workspace/", "/c", "/d", "/e"] {
            assert!(flags.mounts_at(target), "{target}");
        }
        assert!(!flags.mounts_at("/a") && !flags.mounts_at("/b"));
    }
}
