//! The arguments as people review them: one case a file, one snapshot a case.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt};

use sortie_script::quote;

use super::case::Case;

#[test]
fn arguments() {
    insta::glob!("../../container", "*.yaml", |path| {
        let case: Case = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let words = case.render().unwrap();
        let lines = words.iter().map(|word| quote(word.as_ref()).unwrap() + "\n");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("container", lines.collect::<String>());
        });
    });
}

#[test]
fn what_no_engine_can_be_given_is_refused() {
    let odd = || OsString::from_vec(b"/a\xff".to_vec());
    let refused = |change: &dyn Fn(&mut Case)| {
        let mut case = Case::default();
        change(&mut case);
        case.render().unwrap_err().to_string()
    };
    assert!(refused(&|case| case.command = vec![odd()]).contains("UTF-8"));
    assert!(refused(&|case| case.candidate = odd().into()).contains("UTF-8"));
    assert!(refused(&|case| case.environment = vec![("A".into(), odd())]).contains("variable A"));
    assert!(refused(&|case| case.environment = vec![("A".into(), "\0".into())]).contains("NUL"));
    assert!(refused(&|case| case.environment = vec![("A=".into(), odd())]).contains("named"));
    assert!(refused(&|case| case.image = "-x".into()).contains("dash"));
    assert!(refused(&|case| case.results_dir = "/".into()).contains("absolute"));
    assert!(refused(&|case| case.results_dir = "a\r\nb".into()).contains("carriage return"));
}
