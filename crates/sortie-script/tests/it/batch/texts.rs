//! The scripts as people review them: one case a file, one snapshot a case.

use std::fs;

use super::case::Case;
use crate::check::check_bash;

/// Where the part starts that is the same in every script: one snapshot has it.
const SAME: &str = "\n# ---- Records in the launcher's directory ----\n";

#[test]
fn scripts() {
    insta::glob!("../../batch", "*.yaml", |path| {
        let case: Case = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let script = case.render().unwrap();
        check_bash(&script);
        let (own, same) = script.split_once(SAME).unwrap();
        let shown = if path.ends_with("defaults.yaml") { &script } else { own };
        assert!(same.ends_with("\n  sortie_conclude\n}\n"));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("script", shown);
        });
    });
}
