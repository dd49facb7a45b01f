//! Flags through a real bash.

use std::process::Output;

use proptest::prelude::*;
use sortie_model::EngineKind;
use sortie_script::{Flags, FlagsError};

use crate::bash::program;

/// What bash makes of the text where it was glued into a command line.
fn bash(text: &str) -> Vec<String> {
    let text = format!("set -f; a='*x' e=; printf '%s\\0' {text}");
    let Output { stdout, .. } = program("bash").args(["-c", &text]).output().unwrap();
    let words = stdout.strip_suffix(b"\0").unwrap_or_default().split(|byte| *byte == 0);
    words.map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
}

/// As in [`bash`].
fn variable(name: &str) -> Option<String> {
    [("a", "*x"), ("e", "")]
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| (*value).into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Each flag takes the next word, whatever it is, as its value.
    #[test]
    fn words_are_those_of_bash(
        text in prop::collection::vec("[ '\"\\\\$`~#;(=\\-\t:ae0}{é!\\[*]{0,12}", 1..4),
    ) {
        let text: String = text.iter().flat_map(|word| ["--env w", word, " "]).collect();
        match Flags::parse(EngineKind::Docker, &text, variable) {
            Ok(flags) => {
                let words = bash(&text);
                let pairs = words.chunks(2).map(|pair| pair.join("="));
                prop_assert_eq!(flags.words(), pairs.collect::<Vec<_>>(), "{}", text);
            }
            // What is not taken is never an innocent text: to bash it is an error, an expansion, or
            // words that are no flags.
            Err(FlagsError::Words { .. }) => {
                let special = text.contains(['\'', '"', '\\', '$', '`', '~', '#', ';', '(', '{']);
                prop_assert!(special, "{}", text);
            }
            Err(other) => {
                let words = bash(&text);
                let regular = words.chunks(2).all(|pair| pair.len() == 2 && pair[0] == "--env");
                prop_assert!(!regular, "{}: {}", text, other);
            }
        }
    }
}
