//! The messages of errors: none says what its `source` will say once more.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Fails if the message of an error holds that of the error which it also names as its source: whoever
/// prints both prints it twice. Here a message is whole, and what it holds is no source but a `cause`.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for path in workspace::find(&[".rs"])? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let repeated = repeated(&text).map(|said| format!("  {}: {said}", path.display()));
        // But for the texts of the test below.
        faults.extend(repeated.filter(|_| !path.ends_with("xtask/src/messages.rs")));
    }
    ensure!(
        faults.is_empty(),
        "these messages repeat their source, call it `cause` or leave it out:\n{}",
        faults.join("\n"),
    );
    Ok(())
}

/// The messages that repeat their source.
fn repeated(text: &str) -> impl Iterator<Item = &str> {
    let errors = text.split("#[error(").skip(1);
    errors.filter_map(|error| {
        let (message, of) = error.split_once(")]")?;
        let of: Vec<_> = of.lines().take(3).collect();
        let has_source = of.iter().any(|it| it.contains("#[from]") || it.contains("#[source]"));
        (message.contains("{source") || message.contains("{0") && has_source).then_some(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_repeats_its_source_is_seen() {
        let read = r#"#[error("cannot read {}: {source}", path)] Read { source: Error }"#;
        let from = "#[error(\"no: {0}\")]\n    No(#[from] Error),";
        assert_eq!(repeated(&format!("{read} {from}")).count(), 2);
        let cause = r#"#[error("cannot read {}: {cause}", path)] Read { cause: Error }"#;
        let plain =
            "#[error(\"no: {0}\")]\n    No(Error),\n    #[error(transparent)]\n    A(#[from] B),";
        assert_eq!(repeated(&format!("{cause} {plain}")).count(), 0);
    }
}
