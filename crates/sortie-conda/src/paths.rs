//! Paths as users write them for conda.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Component, Path, PathBuf},
};

use crate::Env;

/// What a path that is not absolute is relative to.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    pub(crate) env: &'a Env,
    pub(crate) home: Option<&'a Path>,
    pub(crate) cwd: &'a Path,
}

impl Base<'_> {
    /// `$NAME` and `${NAME}`, then a leading `~`, then what is relative to the working directory;
    /// `.` and `..` are resolved in the text, as Python's `abspath` does.
    pub(crate) fn expand(&self, text: &OsStr) -> PathBuf {
        let text = self.expand_variables(text.as_bytes());
        let path = match (text.as_bytes(), self.home) {
            ([b'~'], Some(home)) => home.to_path_buf(),
            ([b'~', b'/', rest @ ..], Some(home)) => {
                let slashes = rest.iter().take_while(|&&byte| byte == b'/').count();
                home.join(OsStr::from_bytes(&rest[slashes..]))
            }
            _ => text.into(),
        };
        normal(&self.cwd.join(path))
    }

    /// A variable that is not set stays as it is written.
    fn expand_variables(&self, mut text: &[u8]) -> OsString {
        let mut expanded = Vec::with_capacity(text.len());
        while let Some(dollar) = text.iter().position(|&byte| byte == b'$') {
            let (before, rest) = text.split_at(dollar);
            expanded.extend_from_slice(before);
            let (written, name) = reference(rest);
            let value = self.env.get(OsStr::from_bytes(name));
            expanded.extend_from_slice(value.map_or(written, |value| value.as_bytes()));
            text = &rest[written.len()..];
        }
        expanded.extend_from_slice(text);
        OsString::from_vec(expanded)
    }
}

/// The reference to a variable at the start of this, which is a `$`: as it is written, and the
/// name. Without a name it is the `$` alone.
fn reference(text: &[u8]) -> (&[u8], &[u8]) {
    if let [b'$', b'{', rest @ ..] = text
        && let Some(end) = rest.iter().position(|&byte| byte == b'}')
    {
        return (&text[..end + 3], &rest[..end]);
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text[1..].iter().take_while(|byte| is_name(byte)).count();
    (&text[..=length], &text[1..=length])
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> PathBuf {
        let env = Env::from([("A".into(), "/data/a b".into()), ("B_1".into(), "x".into())]);
        let base = Base { env: &env, home: Some("/home/me".as_ref()), cwd: "/here".as_ref() };
        base.expand(text.as_ref())
    }

    #[test]
    fn as_a_shell_would() {
        for (text, path) in [
            ("/a/b", "/a/b"),
            ("envs/x", "/here/envs/x"),
            (".", "/here"),
            ("../x/./y/", "/x/y"),
            ("/../..//x", "/x"),
            ("~", "/home/me"),
            ("~/envs//x", "/home/me/envs/x"),
            ("~//x", "/home/me/x"),
            ("~other/x", "/here/~other/x"),
            ("$A/x", "/data/a b/x"),
            ("/y/${B_1}z$B_1", "/y/xzx"),
            ("/$NOT_SET/${NOT_SET}/$/${", "/$NOT_SET/${NOT_SET}/$/${"),
            ("/$(touch x)", "/$(touch x)"),
        ] {
            assert_eq!(expand(text), Path::new(path), "{text}");
        }
    }
}
