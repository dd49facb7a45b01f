//! The arguments as people review them: one case a file, one snapshot a case.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::Path};

use super::case::Case;
use crate::check::check_bash;

/// Where the part starts that is the same in every script for containers: one snapshot has it.
const SAME: &str = "\n# ---- Records in the launcher's directory ----\n";

#[test]
fn scripts() {
    insta::glob!("../../container", "*.yaml", |path| show("container", path));
}

#[test]
fn scripts_for_apptainer() {
    insta::glob!("../../apptainer", "*.yaml", |path| show("apptainer", path));
}

fn show(name: &str, path: &Path) {
    let case: Case = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let script = case.render().unwrap();
    check_bash(&script);
    let (own, same) = script.split_once(SAME).unwrap();
    // What the arguments are is easier to review with each on a line.
    let own = own.split_once("\n# ---- What is run ----\n\n").unwrap().1;
    let own = own.replace(" --", "\n  --").replace(" $'--", "\n  $'--").replace(" '--", "\n  '--");
    let shown = if path.ends_with("defaults.yaml") { own + SAME + same } else { own };
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, shown);
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
    assert!(refused(&|case| case.command = vec!["sh".into(), odd()]).contains("UTF-8"));
    assert!(refused(&|case| case.candidate = odd().into()).contains("UTF-8"));
    assert!(refused(&|case| case.environment = vec![("A".into(), odd())]).contains("variable A"));
    assert!(refused(&|case| case.environment = vec![("A".into(), "\0".into())]).contains("NUL"));
    assert!(refused(&|case| case.environment = vec![("A=".into(), odd())]).contains("named"));
    assert!(refused(&|case| case.image = "-x".into()).contains("dash"));
    assert!(refused(&|case| case.results_dir = "/".into()).contains("absolute"));
    assert!(refused(&|case| case.archive = Some("a.tar".into())).contains("absolute"));
    assert!(refused(&|case| case.results_dir = "a\r\nb".into()).contains("carriage return"));
}
