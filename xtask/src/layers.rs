//! Who may use whom: the crates of the workspace, and the two halves of `sortie-process`.
//!
//! ARCHITECTURE.md ("Layers") says why. A new edge is argued for there, and is then added here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result, ensure};

use crate::{metadata::Metadata, workspace};

/// Each published crate, with those of ours that it depends on.
const CRATES: &[(&str, &[&str])] = &[
    (
        "sortie",
        &[
            "sortie-config",
            "sortie-process",
            "sortie-report",
            "sortie-results",
            "sortie-scheduler",
            "sortie-script",
            "sortie-sweep",
        ],
    ),
    ("sortie-blocking", &[]),
    ("sortie-conda", &[]),
    ("sortie-config", &["sortie-model"]),
    ("sortie-model", &[]),
    ("sortie-process", &[]),
    ("sortie-report", &["sortie-results"]),
    ("sortie-results", &["sortie-model"]),
    (
        "sortie-scheduler",
        &[
            "sortie-blocking",
            "sortie-conda",
            "sortie-config",
            "sortie-model",
            "sortie-process",
            "sortie-results",
            "sortie-script",
            "sortie-slurm",
            "sortie-warm",
        ],
    ),
    ("sortie-script", &["sortie-model"]),
    ("sortie-slurm", &["sortie-process"]),
    (
        "sortie-sweep",
        &["sortie-blocking", "sortie-config", "sortie-model", "sortie-results", "sortie-scheduler"],
    ),
    ("sortie-warm", &["sortie-process"]),
];

/// Where the modules of `sortie-process` are.
const PROCESS: &str = "crates/sortie-process/src";
/// Those that run in the launcher.
const LAUNCHER: &[&str] = &["capture", "launched", "pool", "process", "supervisor"];
/// Those that run in the helper processes.
const HELPERS: &[&str] = &[
    "attempt",
    "end_watch",
    "fork_server",
    "late",
    "oom",
    "reaper",
    "spawn_server",
    "waiting",
    "warm",
];
/// What has the launcher's program become a helper: the one that knows both.
const ENTRY: &str = "hook";
/// What a module that both halves use knows of one of them: what runs before `main` is unsafe, and so in `sys`.
const SHARED_TO_HALF: &[(&str, &str)] = &[("sys", ENTRY)];

type Edges<'a> = BTreeSet<(&'a str, &'a str)>;

/// Fails on an edge between crates that is not written down here, and on one that is and is not there.
pub(crate) fn check_crates(metadata: &Metadata) -> Result<()> {
    let ours: BTreeSet<_> = metadata.published().map(|package| package.name.as_str()).collect();
    let mut found = Edges::new();
    for package in metadata.published() {
        let used = package.dependencies.iter().filter(|it| it.kind.as_deref() != Some("dev"));
        let used = used.map(|it| it.name.as_str()).filter(|name| ours.contains(name));
        found.extend(used.map(|name| (package.name.as_str(), name)));
    }
    let written: Edges<'_> =
        CRATES.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to))).collect();
    let difference = difference(&found, &written);
    ensure!(
        difference.is_empty(),
        "edges between crates differ from those in xtask/src/layers.rs; argue for a new one in \
         ARCHITECTURE.md first:\n{}",
        difference.join("\n"),
    );
    Ok(())
}

fn difference(found: &Edges<'_>, written: &Edges<'_>) -> Vec<String> {
    let new = found.difference(written).map(|(from, to)| format!("  {from} -> {to}: new"));
    let gone = written.difference(found).map(|(from, to)| format!("  {from} -> {to}: gone"));
    new.chain(gone).collect()
}

/// Fails if a half of `sortie-process` uses the other, or what both use knows one of them.
pub(crate) fn check_modules() -> Result<()> {
    let dir = workspace::root().join(PROCESS);
    let context = || format!("cannot read the modules in {}", dir.display());
    let mut sources = BTreeMap::new();
    for entry in fs::read_dir(&dir).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        sources.insert(name, fs::read_to_string(&path).with_context(context)?);
    }
    let faults = crossings(&sources);
    ensure!(
        faults.is_empty(),
        "the halves of sortie-process are a circle, see xtask/src/layers.rs:\n{}",
        faults.join("\n"),
    );
    Ok(())
}

/// The edges that are not allowed, given each module's text.
fn crossings(sources: &BTreeMap<String, String>) -> Vec<String> {
    let root = sources.get("lib").map(String::as_str).unwrap_or_default();
    let reexports = reexports(root);
    let mut faults = Vec::new();
    for (from, text) in sources.iter().filter(|(name, _)| *name != "lib") {
        let used: BTreeSet<_> = used(text)
            .into_iter()
            .map(|name| reexports.get(&name).cloned().unwrap_or(name))
            .filter(|to| to != from && !is_allowed(from, to))
            .collect();
        faults.extend(used.into_iter().map(|to| format!("  {from} uses {to}")));
    }
    // A name that is gone would allow what is made by that name later.
    let listed = LAUNCHER.iter().chain(HELPERS).chain([&ENTRY]);
    let gone = listed.filter(|name| !sources.contains_key(**name));
    faults.extend(gone.map(|name| format!("  {name} is listed, and is no module")));
    faults
}

fn is_allowed(from: &str, to: &str) -> bool {
    let launcher = |name| LAUNCHER.contains(&name);
    let helper = |name| HELPERS.contains(&name);
    match from {
        ENTRY => !launcher(to),
        from if launcher(from) => !helper(to),
        from if helper(from) => !launcher(to) && to != ENTRY,
        from => !launcher(to) && !helper(to) && to != ENTRY || SHARED_TO_HALF.contains(&(from, to)),
    }
}

/// The names that a module takes from the crate's root: what follows each `crate::`, without tests and comments.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.flat_map(|line| [line, "\n"]).collect();
    code.split("crate::").skip(1).flat_map(first_names).collect()
}

/// The first names of a path, or of each path in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| {
        path.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut names, mut rest) = (1, vec![name(group)], group.char_indices());
    while let Some((at, c)) = rest.next().filter(|_| depth > 0) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

/// The module of each name that the root exports.
fn reexports(root: &str) -> BTreeMap<String, String> {
    let exports = root.split("pub use ").skip(1).filter_map(|it| it.split_once(';'));
    let exports = exports.filter_map(|(path, _)| path.split_once("::"));
    exports
        .flat_map(|(module, names)| {
            first_names(names).into_iter().map(|name| (name, module.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The crate as it is listed, each module with a text.
    fn crossings_with(module: &str, text: &str) -> Vec<String> {
        let root = "pub use process::{News, Process};\n".to_owned();
        let listed = LAUNCHER.iter().chain(HELPERS).chain([&ENTRY, &"sys"]);
        let mut sources: BTreeMap<_, _> =
            listed.map(|name| ((*name).to_owned(), String::new())).collect();
        sources.extend([("lib".to_owned(), root), (module.to_owned(), text.to_owned())]);
        crossings(&sources)
    }

    #[test]
    fn a_half_that_uses_the_other_is_seen() {
        for (module, text, fault) in [
            ("spawn_server", "use crate::pool::Permit;", "spawn_server uses pool"),
            (
                "spawn_server",
                "use crate::{\n    sys::{self, A},\n    Process,\n};",
                "spawn_server uses process",
            ),
            ("pool", "fn f() { crate::spawn_server::run() }", "pool uses spawn_server"),
            ("wire", "use crate::{Command, reaper};", "wire uses reaper"),
            ("attempt", "use crate::hook;", "attempt uses hook"),
        ] {
            assert_eq!(crossings_with(module, text), [format!("  {fault}")], "{text}");
        }
        for (module, text) in [
            ("spawn_server", "use crate::reaper;\n/// [`Process`](crate::Process)\n// crate::pool"),
            ("spawn_server", "#[cfg(test)]\nmod tests { use crate::Supervisor; }"),
            ("sys", "crate::hook::enter();"),
            ("hook", "use crate::{sys, spawn_server};"),
        ] {
            assert_eq!(crossings_with(module, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn new_edges_and_those_that_are_gone_are_told() {
        let (found, written) =
            (Edges::from([("a", "b"), ("b", "c")]), Edges::from([("a", "b"), ("a", "c")]));
        assert_eq!(difference(&found, &written), ["  b -> c: new", "  a -> c: gone"]);
        assert_eq!(difference(&written, &written), [""; 0]);
    }

    #[test]
    fn names_of_nested_groups_are_not_taken_for_modules() {
        let names = used("use crate::{a::{b, c}, d, e::f};\nuse crate::g;");
        assert_eq!(names, ["a", "d", "e", "g"].map(String::from).into());
    }
}
