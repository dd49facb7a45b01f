//! The first example of each crate is a whole program: what rustdoc shows is what it compiles, line by line, so that it can be
//! copied from the page into a package with the dependencies that stand above it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{blocks, root};

/// The crates that others may depend on, and the page that rustdoc makes of the first of each: its README, then
/// what its `lib.rs` opens with.
fn pages() -> Vec<(String, PathBuf, String)> {
    let crates = fs::read_dir(root().join("crates")).unwrap();
    let page = |dir: PathBuf| {
        let (readme, lib) = (dir.join("README.md"), dir.join("src/lib.rs"));
        let text = fs::read_to_string(&lib).unwrap();
        let text = text.strip_prefix("#![doc = include_str!(\"../README.md\")]\n");
        let text = text.unwrap_or_else(|| panic!("{}: begins without the README", lib.display()));
        let docs = text.lines().take_while(|line| line.starts_with("//!"));
        let docs = docs.map(|line| line.trim_start_matches("//!"));
        let docs: Vec<_> = docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        let docs = fs::read_to_string(&readme).unwrap() + &docs.join("\n");
        (dir.file_name().unwrap().to_string_lossy().into_owned(), readme, docs)
    };
    crates.map(|entry| page(entry.unwrap().path())).collect()
}

/// The crates that a program names: ours, and the others that an example may need.
fn used(program: &str) -> BTreeSet<String> {
    let words = program.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let is_crate =
        |word: &&str| word.starts_with("sortie_") || ["tokio", "tempfile"].contains(word);
    let tool = program.contains("use sortie::").then_some("sortie");
    words.filter(is_crate).chain(tool).map(|name| name.replace('_', "-")).collect()
}

#[test]
fn each_first_example_is_a_program_to_copy() {
    let pages = pages();
    assert!(pages.len() >= 12, "{pages:?}");
    for (name, readme, docs) in pages {
        let blocks: Vec<_> =
            blocks::of_page(&docs).into_iter().filter(|code| code.text.ends_with('\n')).collect();
        let is_rust = |code: &&blocks::Code| {
            code.info.iter().all(|word| ["rust", "rust,no_run"].contains(&word.as_str()))
        };
        let at = blocks
            .iter()
            .position(|code| is_rust(&code))
            .unwrap_or_else(|| panic!("{name}: no example"));
        let (program, manifest) = (&blocks[at].text, &blocks[at.checked_sub(1).unwrap()]);
        for line in program.lines() {
            let line = line.trim_start();
            assert!(line != "#" && !line.starts_with("# "), "{}: hidden: {line}", readme.display());
        }
        assert!(program.contains("fn main()"), "{name}: no program:\n{program}");
        assert!(
            manifest.is("toml") && manifest.text.starts_with("[dependencies]\n"),
            "{name}: {manifest:?}"
        );
        let declared: BTreeSet<_> = manifest
            .text
            .lines()
            .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
            .collect();
        assert!(declared.contains(&name), "{name}: {declared:?}");
        let used = used(program);
        assert_eq!(
            used.difference(&declared).collect::<Vec<_>>(),
            [""; 0],
            "{name}: used, but not declared"
        );
        assert_eq!(
            declared.difference(&used).collect::<Vec<_>>(),
            [""; 0],
            "{name}: declared, but not used"
        );
    }
}

/// What a command's files are to be open for is what the examples do.
#[test]
fn logs_are_opened_for_appending() {
    for (name, _, docs) in pages() {
        assert!(!docs.contains("File::create"), "{name}: a log that is not open for appending");
    }
}
