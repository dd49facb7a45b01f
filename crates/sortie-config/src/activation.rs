//! What is set of an environment.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sortie_model::Activation;

/// What the two settings ask for, of which at most one is set in a valid configuration; like the reference, Conda wins
/// otherwise.
pub(crate) fn activation(conda_env: &str, activate_script: Option<&PathBuf>) -> Activation {
    match (conda_env.trim(), set_path(activate_script)) {
        ("", None) => Activation::None,
        ("", Some(script)) => Activation::Sourced(script.to_owned()),
        (name, _) => Activation::Conda(name.to_owned()),
    }
}

/// The path without white space around it, which the reference strips; blank means not set.
pub(crate) fn set_path(path: Option<&PathBuf>) -> Option<&Path> {
    let bytes = path?.as_os_str().as_bytes().trim_ascii();
    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_is_not_set() {
        let script = PathBuf::from(" env.sh ");
        assert_eq!(activation("  ", None), Activation::None);
        assert_eq!(activation("  ", Some(&script)), Activation::Sourced("env.sh".into()));
        assert_eq!(activation("shinka", Some(&script)), Activation::Conda("shinka".into()));
    }
}
