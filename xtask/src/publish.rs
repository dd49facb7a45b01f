//! What must hold of a crate so that it can be published.

use std::path::Path;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::metadata::{Metadata, Package};

/// The files that each package contains, beside its manifest.
const FILES: [&str; 3] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Fails if a crate lacks what belongs to a package, if a dependency needs a newer Rust than we
/// say, or if a package cannot be made.
pub(crate) fn check(sh: &Shell, metadata: &Metadata) -> Result<()> {
    let mut faults: Vec<String> = Vec::new();
    for package in metadata.published() {
        let name = &package.name;
        faults.extend(faults_of(package).map(|fault| format!("  {name}: {fault}")));
        let dir = Path::new(&package.manifest_path).with_file_name("");
        let missing = FILES.iter().filter(|file| !dir.join(file).is_file());
        faults.extend(missing.map(|file| format!("  {name}: no {file}")));
    }
    faults.extend(newer_than_ours(metadata));
    ensure!(faults.is_empty(), "these crates cannot be published:\n{}", faults.join("\n"));
    // Not verified: to build each package by itself takes minutes. CONTRIBUTING.md has that among
    // the steps of a release.
    cmd!(sh, "cargo package --quiet --workspace --exclude xtask --exclude sortie-tests")
        .args(["--locked", "--offline", "--allow-dirty", "--no-verify"])
        .run()?;
    Ok(())
}

/// What the manifest of a package lacks.
fn faults_of(package: &Package) -> impl Iterator<Item = String> {
    let docs = format!("https://docs.rs/{}", package.name);
    let holds = [
        ("`description`", package.description.is_some()),
        (
            "`license = \"MIT OR Apache-2.0\"`",
            package.license.as_deref() == Some("MIT OR Apache-2.0"),
        ),
        ("`readme`, or a README.md", package.readme.is_some()),
        ("`rust-version`", package.rust_version.is_some()),
        ("`documentation` on docs.rs", package.documentation == Some(docs)),
        ("`keywords`, one to five", (1..=5).contains(&package.keywords.len())),
        ("`categories`, one to five", (1..=5).contains(&package.categories.len())),
        ("`[package.metadata.docs.rs]`", package.metadata.pointer("/docs/rs/targets").is_some()),
    ];
    let missing = holds.into_iter().filter(|(_, holds)| !holds);
    let missing = missing.map(|(what, _)| format!("the manifest has no {what}"));
    let unversioned = package.dependencies.iter().filter(|it| it.path.is_some() && it.req == "*");
    let unversioned = unversioned.map(|it| format!("`{}` has a path and no version", it.name));
    missing.chain(unversioned)
}

/// The dependencies of our published crates that need a newer Rust than these say they do.
fn newer_than_ours(metadata: &Metadata) -> impl Iterator<Item = String> {
    let ours = metadata.published().filter_map(rust_version).min();
    let dependencies = metadata.packages.iter().filter(|it| it.source.is_some());
    dependencies.filter(move |it| rust_version(it) > ours).map(|it| {
        let needed = it.rust_version.as_deref().unwrap_or_default();
        format!(
            "  {} {} needs Rust {needed}: raise `rust-version`, or take an older one",
            it.name, it.version
        )
    })
}

/// Its numbers, without the patch release: that one can always be had.
fn rust_version(package: &Package) -> Option<(u32, u32)> {
    let mut numbers = package.rust_version.as_ref()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next().unwrap_or(Ok(0)).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours() -> Package {
        Package {
            name: "a".into(),
            description: Some("a".into()),
            license: Some("MIT OR Apache-2.0".into()),
            readme: Some("README.md".into()),
            rust_version: Some("1.89".into()),
            documentation: Some("https://docs.rs/a".into()),
            keywords: vec!["a".into()],
            categories: vec!["config".into()],
            metadata: json!({"docs": {"rs": {"targets": []}}}),
            ..Package::default()
        }
    }

    #[test]
    fn each_missing_member_is_a_fault() {
        assert_eq!(faults_of(&ours()).count(), 0);
        assert_eq!(faults_of(&Package { name: "a".into(), ..Package::default() }).count(), 8);
        let other = Package { license: Some("MIT".into()), ..ours() };
        let faults: Vec<_> = faults_of(&other).collect();
        assert_eq!(faults, ["the manifest has no `license = \"MIT OR Apache-2.0\"`"]);
    }

    #[test]
    fn a_dependency_for_a_newer_rust_is_a_fault() {
        let newer = |rust: &str| {
            let source = Some("registry".into());
            let other = Package { source, rust_version: Some(rust.into()), ..Package::default() };
            newer_than_ours(&Metadata { packages: vec![ours(), other] }).count()
        };
        assert_eq!(["1.88.0", "1.89", "1.89.1", "1.90", "2"].map(newer), [0, 0, 0, 1, 1]);
    }
}
