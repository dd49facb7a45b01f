//! `#SBATCH` lines.

use std::path::Path;

use crate::ScriptError;

/// Options whose lines sortie writes itself.
pub const OWN_OPTIONS: [&str; 11] = [
    "job-name",
    "array",
    "output",
    "error",
    "open-mode",
    "chdir",
    "nodes",
    "ntasks",
    "no-requeue",
    "signal",
    "export",
];

/// Adds the line of an option that the settings ask for.
pub(super) fn add_option(
    script: &mut String,
    name: &str,
    value: Option<&str>,
) -> Result<(), ScriptError> {
    let refuse = |problem| {
        let (option, value) = (name.to_owned(), value.unwrap_or_default().to_owned());
        Err(ScriptError::Option { option, value, problem })
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(plain) {
        return refuse("an option is named in lower case, without dashes in front");
    }
    if OWN_OPTIONS.contains(&name) {
        return refuse("sortie writes this one itself");
    }
    if value.is_some_and(|value| !can_carry(value)) {
        return refuse("no directive can carry this value");
    }
    add(script, name, value);
    Ok(())
}

/// Adds a line. The value is known to be one that a directive can carry.
pub(super) fn add(script: &mut String, name: &str, value: Option<&str>) {
    script.push_str("#SBATCH --");
    script.push_str(name);
    if let Some(value) = value {
        script.push('=');
        push_quoted(script, value);
    }
    script.push('\n');
}

/// Whether sbatch reads the value as it is written. A directive is one line; and in all of it, sbatch
/// writes `hetjob` for `packjob`, in any case (`_get_argument` in its sources).
fn can_carry(value: &str) -> bool {
    let renamed = || value.as_bytes().windows(7).any(|w| w.eq_ignore_ascii_case(b"packjob"));
    !value.contains(char::is_control) && !renamed()
}

/// The text, if it is one word that needs no quotes.
pub(super) fn word(text: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!text.is_empty() && !text.starts_with('-') && text.bytes().all(plain)).then_some(text)
}

/// The path as a directive can carry it, if one can. What is not UTF-8 might pass through sbatch but
/// not through the site's accounting.
pub(super) fn path(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| can_carry(text))
}

/// The path as a directive for a log can carry it, where `%` stands for things and a backslash
/// for something else again ("filename pattern" in sbatch(1)).
pub(super) fn log_path(log: &Path) -> Option<String> {
    let text = path(log).filter(|text| !text.contains('\\'))?;
    Some(text.replace('%', "%%"))
}

/// As sbatch reads words: within double quotes a backslash takes the next character as it is.
fn push_quoted(script: &mut String, value: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+./,:@%=^".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        script.push_str(value);
        return;
    }
    script.push('"');
    for char in value.chars() {
        if matches!(char, '"' | '\\') {
            script.push('\\');
        }
        script.push(char);
    }
    script.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, value: Option<&str>) -> Result<String, String> {
        let mut script = String::new();
        let added = add_option(&mut script, name, value);
        added.map(|()| script).map_err(|error| error.to_string())
    }

    #[test]
    fn one_option_a_line() {
        let ok = |text: &str| Ok(format!("#SBATCH {text}\n"));
        assert_eq!(line("partition", Some("a3,aisci")), ok("--partition=a3,aisci"));
        assert_eq!(line("exclusive", None), ok("--exclusive"));
        assert_eq!(line("comment", Some("")), ok(r#"--comment="""#));
        assert_eq!(
            line("comment", Some(r#"it's a \ "b" #é"#)),
            ok(r#"--comment="it's a \\ \"b\" #é""#)
        );
        assert_eq!(line("constraint", Some("[a|b]&c")), ok(r#"--constraint="[a|b]&c""#));
    }

    #[test]
    fn what_no_directive_carries_is_refused() {
        for value in ["a\nb", "a\rb", "\0", "\u{1b}", "\u{85}", "my-PackJob"] {
            assert!(line("comment", Some(value)).unwrap_err().contains("can carry"), "{value:?}");
        }
        for name in ["", "--x", "-x", "Partition", "a b", "a=b", "a\n#SBATCH"] {
            assert!(line(name, None).unwrap_err().contains("lower case"), "{name:?}");
        }
        for name in OWN_OPTIONS {
            assert!(line(name, None).unwrap_err().contains("itself"), "{name}");
        }
    }

    #[test]
    fn logs_are_no_patterns() {
        assert_eq!(log_path("/a/%j %%".as_ref()).unwrap(), "/a/%%j %%%%");
        assert_eq!(log_path(r"/a\b".as_ref()), None);
        assert_eq!(log_path("/a\nb".as_ref()), None);
    }
}
