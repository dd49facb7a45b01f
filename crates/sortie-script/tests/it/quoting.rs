//! Words through a real bash.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use proptest::prelude::*;
use sortie_script::quote;

use crate::bash::program;

/// What bash makes of the words, by the locale it runs in.
fn read_back(words: &[OsString], locale: &str) -> Vec<OsString> {
    let quoted: Vec<_> = words.iter().map(|word| quote(word).unwrap()).collect();
    let text = format!(r"printf '%s\0' {}", quoted.join(" "));
    let output = program("bash").args(["-c", &text]).env("LC_ALL", locale).output().unwrap();
    let words = output.stdout.strip_suffix(b"\0").unwrap_or_default();
    words.split(|&byte| byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect()
}

/// Any bytes, and the characters that mean something to bash more often than chance has them.
fn word() -> impl Strategy<Value = OsString> {
    let any = prop::collection::vec(1..=u8::MAX, 0..40);
    let hostile = "[ '\"\\\\$`!*?~#&|;<>(){}=\\-\n\r\ta0fxé\u{85}\u{2028}\u{202e}\u{1f600}]{0,40}";
    prop_oneof![any, hostile.prop_map(String::into_bytes)].prop_map(OsString::from_vec)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn words_come_back_byte_for_byte(words in prop::collection::vec(word(), 1..150)) {
        for locale in ["C", "C.UTF-8"] {
            prop_assert_eq!(&read_back(&words, locale), &words);
        }
    }

    #[test]
    fn a_word_is_one_printable_line(word in word()) {
        prop_assert!(!quote(&word).unwrap().contains(char::is_control));
    }
}

#[test]
fn every_byte_comes_back() {
    let words: Vec<_> = (1..=u8::MAX)
        .flat_map(|byte| [vec![byte], vec![byte, b'0'], vec![b'\'', byte, byte]])
        .map(OsString::from_vec)
        .collect();
    assert_eq!(read_back(&words, "C.UTF-8"), words);
}

#[test]
fn a_word_can_stand_where_a_command_stands() {
    for word in ["if", "time", "{", "!", "[[", "a=b", "function", "-x", "no such program"] {
        let text = format!("PATH=/none; {} 2>/dev/null", quote(word.as_ref()).unwrap());
        let status = program("bash").args(["-c", &text]).status().unwrap();
        assert_eq!(status.code(), Some(127), "{word}");
    }
}
