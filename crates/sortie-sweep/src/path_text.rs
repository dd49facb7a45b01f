//! Paths in JSON: as text, or, where they are none, as `{"hex": "…"}` of their bytes.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    #[serde(borrow)]
    Text(std::borrow::Cow<'a, str>),
    Bytes {
        hex: String,
    },
}

pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(text) = path.to_str() {
        return Form::Text(text.into()).serialize(serializer);
    }
    let mut hex = String::new();
    for byte in path.as_os_str().as_bytes() {
        // It cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Form::Bytes { hex }.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    match Form::deserialize(deserializer)? {
        Form::Text(text) => Ok(text.into_owned().into()),
        Form::Bytes { hex } => {
            let digits = |at: usize| hex.get(at..at + 2);
            let byte = |at| u8::from_str_radix(digits(at)?, 16).ok();
            let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
            let bytes = bytes.ok_or_else(|| D::Error::custom("expected pairs of digits"))?;
            Ok(OsString::from_vec(bytes).into())
        }
    }
}
