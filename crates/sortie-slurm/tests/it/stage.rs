//! A client whose commands are the shims of `tests/shims`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_process::Supervisor;
use sortie_slurm::{Client, JobName, Retry, Submission};
use tempfile::TempDir;

pub(crate) struct Stage {
    dir: TempDir,
}

/// As `scontrol show config` prints it.
const CONFIG: &str = "\
Configuration data as of 2026-11-24T15:33:03
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = shim
KillWait                = 30 sec
MaxArraySize            = 1001
MaxJobCount             = 10000
MinJobAge               = 300 sec
";

impl Stage {
    pub(crate) fn new() -> Self {
        let stage = Self { dir: tempfile::tempdir().unwrap() };
        stage.write("config", CONFIG);
        stage.write("accounts", "");
        stage
    }

    /// A site that keeps no accounts.
    pub(crate) fn without_accounting() -> Self {
        let stage = Self::new();
        stage.write("config", &CONFIG.replace("slurmdbd", "none"));
        fs::remove_file(stage.path("accounts")).unwrap();
        stage
    }

    /// As if the controller forgot jobs at once.
    pub(crate) fn forget_soon(&self) {
        self.write("config", &self.read("config").replace("300 sec", "1 sec"));
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&[], Duration::from_secs(60))
    }

    pub(crate) fn client_with(&self, env: &[(&str, &str)], time_limit: Duration) -> Client {
        let shims = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shims");
        let path = format!("{}:/usr/bin:/bin", shims.display());
        let given = [("PATH", path.as_str()), ("SHIM_DIR", self.dir.path().to_str().unwrap())];
        let env = given.iter().chain(env).map(|(n, v)| (OsString::from(n), OsString::from(v)));
        Client::new(Supervisor::new(), env, self.dir.path(), time_limit)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What is in a file; nothing if it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The arguments of each call of a command.
    pub(crate) fn calls(&self, command: &str) -> Vec<String> {
        self.read(&format!("{command}.calls")).lines().map(str::to_owned).collect()
    }

    /// How many jobs there are.
    pub(crate) fn jobs(&self) -> usize {
        self.read("jobs").lines().count()
    }
}

/// A submission with that name.
pub(crate) fn submission(name: &str) -> Submission {
    let script = b"#!/bin/sh\nexit 0\n".to_vec();
    Submission { name: JobName::new(name).unwrap(), script, args: Vec::new() }
}

/// Tries that follow each other quickly.
pub(crate) fn quick() -> Retry {
    Retry {
        first: Duration::from_millis(20),
        longest: Duration::from_millis(50),
        settle: Duration::from_millis(200),
        // Of a machine that is busy with other tests.
        transient_for: Duration::from_secs(120),
        full_for: Duration::from_secs(120),
    }
}
