//! The start of a cluster, daemon by daemon, to the point where it runs jobs.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Pid;
use xshell::{Cmd, Shell};

use super::{Flavour, inside, layout::Layout, processes, shape::Shape};

/// For each step of the start. It takes a second or two on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that is thrown away with its cluster need not survive a power cut. (Version 11.8 isolates more
/// by default than Slurm expects; earlier ones may not know the setting.)
const CARELESS: [&str; 4] = [
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--loose-innodb-snapshot-isolation=OFF",
];

/// Seconds after which one of Slurm's commands is given up, for `timeout`.
const COMMAND: &str = "10";

/// Whether it runs, all of it, and its nodes take jobs; asks for ten seconds at most.
pub(super) fn is_up(sh: &Shell, layout: &Layout) -> bool {
    if !layout.conf().exists() {
        return false;
    }
    let living = processes::of(layout);
    let runs = |daemon: &&str| living.iter().any(|process| process.program == *daemon);
    if !daemons(layout.flavour).iter().all(runs) {
        return false;
    }
    let place = Place { sh, layout, first: inside::first(layout) };
    (place.first.is_some() || layout.release.is_none()) && place.nodes_are_ready()
}

/// Starts all daemons and waits until a job has run. For a directory just written, with none running.
pub(super) fn all(sh: &Shell, layout: &Layout, shape: &Shape) -> Result<()> {
    let first = match layout.release {
        Some(release) => Some(inside::begin(sh, layout, release, shape)?),
        None => None,
    };
    let place = Place { sh, layout, first };
    place.munged()?;
    if layout.flavour == Flavour::Accounting {
        place.database()?;
        place.accounting(shape)?;
    }
    let conf = layout.conf();
    place.slurm("slurmctld").arg("-f").arg(&conf).run()?;
    for node in shape.names() {
        place.slurm("slurmd").arg("-f").arg(&conf).args(["-N", &node]).run()?;
    }
    wait_until("the nodes are idle", || place.nodes_are_ready())?;
    wait_until("a job runs on all nodes", || place.runs_a_job(shape))
}

/// What version the cluster's Slurm is, as in `slurm-wlm 26.05.5`.
pub(super) fn version(sh: &Shell, layout: &Layout) -> Result<String> {
    let place = Place { sh, layout, first: inside::first(layout) };
    Ok(place.slurm("slurmctld").arg("-V").read()?)
}

fn daemons(flavour: Flavour) -> &'static [&'static str] {
    match flavour {
        Flavour::Plain => &["munged", "slurmctld", "slurmd"],
        Flavour::Accounting => &["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd"],
    }
}

/// Where a cluster's programs run: on this machine as it is, or in a root of the cluster's own.
struct Place<'a> {
    sh: &'a Shell,
    layout: &'a Layout,
    first: Option<Pid>,
}

impl<'a> Place<'a> {
    /// A program, for this cluster. All get the variable: an inherited one would lead their helpers elsewhere.
    fn slurm(&self, program: &str) -> Cmd<'a> {
        let command = match self.first {
            Some(first) => inside::command(self.sh, self.layout, first).arg(program),
            None => self.sh.cmd(program),
        };
        command.env("SLURM_CONF", self.layout.conf()).quiet()
    }

    /// The same, given up after a while.
    fn limited(&self, program: &str) -> Cmd<'a> {
        self.slurm("timeout").args([COMMAND, program])
    }

    fn munged(&self) -> Result<()> {
        let (dir, run) = (self.layout.dir.display(), self.layout.run.display());
        // By force: it objects to directories above its socket that others than root may write to.
        self.slurm("munged")
            .args(["--force", "--num-threads=4", "--origin=127.0.0.1"])
            .arg(format!("--key-file={dir}/munge/key"))
            .arg(format!("--seed-file={dir}/munge/seed"))
            .arg(format!("--log-file={dir}/log/munged.log"))
            .arg(format!("--socket={run}/munge.sock"))
            .arg(format!("--pid-file={run}/munged.pid"))
            .run()
            .context("cannot start munged")
    }

    fn database(&self) -> Result<()> {
        let (dir, run) = (self.layout.dir.display(), self.layout.run.display());
        let all =
            ["--no-defaults".into(), "--user=root".into(), format!("--datadir={dir}/mariadb")];
        let made = self
            .slurm("mariadb-install-db")
            .args(&all)
            .args(["--skip-test-db", "--skip-name-resolve"])
            .arg("--auth-root-authentication-method=socket")
            .args(CARELESS)
            .ignore_status()
            .output()?;
        // It complains of a root that cannot be written to, and goes on.
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "{said}\ncannot create the database");
        let port = setting(self.layout, "slurmdbd.conf", "StoragePort")?;
        // It does not leave the terminal by itself. Its output goes to its log.
        self.slurm("setsid")
            .args(["--fork", "mariadbd"])
            .args(&all)
            .arg(format!("--tmpdir={dir}/mariadb"))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={run}/mariadb.sock"))
            .arg(format!("--pid-file={run}/mariadbd.pid"))
            .arg(format!("--log-error={dir}/log/mariadbd.log"))
            .arg(format!("--init-file={dir}/database.sql"))
            .args(["--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"])
            .args(CARELESS)
            .ignore_stdout()
            .ignore_stderr()
            .run()
            .context("cannot start mariadbd")?;
        wait_until("mariadbd listens", || self.listens(&port))
    }

    fn accounting(&self, shape: &Shape) -> Result<()> {
        self.slurm("slurmdbd").run()?;
        let port = setting(self.layout, "slurmdbd.conf", "DbdPort")?;
        wait_until("slurmdbd listens", || self.listens(&port))?;
        let add = |change: &[&str]| {
            let add = self.limited("sacctmgr").args(["--immediate", "--quiet", "add"]);
            add.args(change).ignore_stdout().run()
        };
        add(&["cluster", "sortie"])?;
        add(&["account", "sortie", "Description=sortie"])?;
        add(&["account", "narrow", "Description=narrow"])?;
        add(&["account", "brief", "Description=brief"])?;
        let users = [Some("root"), self.first.is_some().then_some(&*shape.user)];
        for user in users.into_iter().flatten() {
            add(&["user", user, "Account=sortie"])?;
            add(&["user", user, "Account=narrow", "MaxSubmitJobs=5"])?;
            add(&["user", user, "Account=brief", "MaxWall=3"])?;
        }
        Ok(())
    }

    fn nodes_are_ready(&self) -> bool {
        let state =
            self.limited("sinfo").args(["--noheader", "--format=%T"]).ignore_stderr().read();
        // Anything else after the word, such as `idle*`, means that the node does not answer.
        state.is_ok_and(|state| {
            let mut states = state.lines().peekable();
            states.peek().is_some() && states.all(|it| ["idle", "mixed", "allocated"].contains(&it))
        })
    }

    /// As the user whose jobs are meant.
    fn runs_a_job(&self, shape: &Shape) -> bool {
        let command = match self.first {
            Some(first) => {
                inside::command_as(self.sh, self.layout, first, &shape.user, Path::new("/tmp"))
                    .args(["timeout", COMMAND, "srun"])
            }
            None => self.limited("srun"),
        };
        let nodes = format!("--nodes={}", shape.nodes);
        command.args(["--time=1", "--quiet", &nodes, "true"]).ignore_stderr().run().is_ok()
    }

    fn listens(&self, port: &str) -> bool {
        let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
        self.slurm("bash").args(["-c", &connect]).ignore_stderr().run().is_ok()
    }
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

pub(super) fn wait_until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            bail!("waited {} s until {what}, in vain", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
