//! The start of a cluster, daemon by daemon, to the point where it runs jobs.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use super::{Flavour, layout::Layout, processes};

/// For each step of the start. It takes a second or two on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that is thrown away with its cluster need not survive a power cut.
const CARELESS: [&str; 3] = [
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
];

/// Seconds after which one of Slurm's commands is given up, for `timeout`.
const COMMAND: &str = "10";

/// Whether it runs, all of it, and has a node that takes jobs; asks for ten seconds at most.
pub(super) fn is_up(sh: &Shell, layout: &Layout) -> bool {
    if !layout.conf().exists() {
        return false;
    }
    let living = processes::of(layout);
    let runs = |daemon: &&str| living.iter().any(|process| process.program == *daemon);
    daemons(layout.flavour).iter().all(runs) && node_is_ready(sh, layout)
}

/// Starts all daemons and waits until a job has run. For a directory just written, with none running.
pub(super) fn all(sh: &Shell, layout: &Layout) -> Result<()> {
    munged(sh, layout)?;
    if layout.flavour == Flavour::Accounting {
        database(sh, layout)?;
        accounting(sh, layout)?;
    }
    let conf = layout.conf();
    // With the variable as well: an inherited one would lead their helpers elsewhere.
    slurm(sh, layout, "slurmctld").arg("-f").arg(&conf).run()?;
    slurm(sh, layout, "slurmd").arg("-f").arg(&conf).run()?;
    wait_until("the node is idle", || node_is_ready(sh, layout))?;
    wait_until("a job runs", || {
        limited(sh, layout, "srun")
            .args(["--time=1", "--quiet", "true"])
            .ignore_stderr()
            .run()
            .is_ok()
    })
}

fn daemons(flavour: Flavour) -> &'static [&'static str] {
    match flavour {
        Flavour::Plain => &["munged", "slurmctld", "slurmd"],
        Flavour::Accounting => &["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd"],
    }
}

fn munged(sh: &Shell, layout: &Layout) -> Result<()> {
    let (dir, run) = (&layout.dir, &layout.run);
    // By force: it objects to directories above its socket that others than root may write to.
    cmd!(
        sh,
        "munged --force --num-threads=4 --origin=127.0.0.1
            --key-file={dir}/munge/key --seed-file={dir}/munge/seed --log-file={dir}/log/munged.log
            --socket={run}/munge.sock --pid-file={run}/munged.pid"
    )
    .quiet()
    .run()
    .context("cannot start munged")
}

fn database(sh: &Shell, layout: &Layout) -> Result<()> {
    let (dir, run) = (&layout.dir, &layout.run);
    cmd!(
        sh,
        "mariadb-install-db --no-defaults --user=root --datadir={dir}/mariadb --skip-test-db
            --skip-name-resolve --auth-root-authentication-method=socket"
    )
    .args(CARELESS)
    .quiet()
    .ignore_stdout()
    .run()
    .context("cannot create the database")?;
    let port = setting(layout, "slurmdbd.conf", "StoragePort")?;
    // It does not leave the terminal by itself. Its output goes to its log.
    cmd!(
        sh,
        "setsid --fork mariadbd --no-defaults --user=root --datadir={dir}/mariadb --tmpdir={dir}/mariadb
            --bind-address=127.0.0.1 --port={port} --skip-name-resolve
            --socket={run}/mariadb.sock --pid-file={run}/mariadbd.pid
            --log-error={dir}/log/mariadbd.log --init-file={dir}/database.sql
            --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900"
    )
    .args(CARELESS)
    .quiet()
    .ignore_stdout()
    .ignore_stderr()
    .run()
    .context("cannot start mariadbd")?;
    wait_until("mariadbd listens", || listens(&port))
}

fn accounting(sh: &Shell, layout: &Layout) -> Result<()> {
    slurm(sh, layout, "slurmdbd").run()?;
    let port = setting(layout, "slurmdbd.conf", "DbdPort")?;
    wait_until("slurmdbd listens", || listens(&port))?;
    let changes: [&[&str]; 3] = [
        &["cluster", "sortie"],
        &["account", "sortie", "Description=sortie"],
        &["user", "root", "Account=sortie"],
    ];
    for change in changes {
        limited(sh, layout, "sacctmgr")
            .args(["--immediate", "--quiet", "add"])
            .args(change)
            .ignore_stdout()
            .run()?;
    }
    Ok(())
}

fn node_is_ready(sh: &Shell, layout: &Layout) -> bool {
    let state =
        limited(sh, layout, "sinfo").args(["--noheader", "--format=%T"]).ignore_stderr().read();
    // Anything else after the word, such as `idle*`, means that the node does not answer.
    state.is_ok_and(|state| {
        let mut states = state.lines().peekable();
        states.peek().is_some() && states.all(|it| ["idle", "mixed", "allocated"].contains(&it))
    })
}

/// One of Slurm's programs, for this cluster.
fn slurm<'a>(sh: &'a Shell, layout: &Layout, program: &str) -> Cmd<'a> {
    sh.cmd(program).env("SLURM_CONF", layout.conf()).quiet()
}

/// The same, given up after a while.
fn limited<'a>(sh: &'a Shell, layout: &Layout, program: &str) -> Cmd<'a> {
    slurm(sh, layout, "timeout").args([COMMAND, program])
}

/// The value in a file that [`super::settings`] wrote.
fn setting(layout: &Layout, file: &str, key: &str) -> Result<String> {
    let path = layout.dir.join(file);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let values = text.lines().filter_map(|line| line.split_once('='));
    match values.into_iter().find(|(name, _)| *name == key) {
        Some((_, value)) => Ok(value.to_owned()),
        None => bail!("{} does not set {key}", path.display()),
    }
}

fn listens(port: &str) -> bool {
    port.parse().is_ok_and(|port: u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
}

fn wait_until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            bail!("waited {} s until {what}, in vain", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
