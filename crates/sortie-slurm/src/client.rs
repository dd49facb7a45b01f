//! Slurm's commands, called.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sortie_process::{Environment, Supervisor};
use tokio::sync::OnceCell;

use crate::command::{Call, Caller};
use crate::environment::Environments;
use crate::{
    Advice, Allowance, Association, Cluster, Error, JobId, JobInfo, JobName, Jobs, Memory,
    Partition, Site, accounts, tables, words,
};

/// The most ids on one command line.
const IDS_A_CALL: usize = 100;
/// How much the clocks of launcher, controller and nodes may differ.
const CLOCKS: Duration = Duration::from_secs(3600);

/// Calls Slurm's commands. Cloning gives another handle to the same client.
///
/// Each call is one run of one command, with a time limit and an environment in which nothing but
/// the choice of the cluster is left of what the launcher's environment would tell it. None of it
/// is read by a shell.
///
/// A job starts with the variables that Slurm itself sets, and nothing of the launcher's environment. The exception is a release
/// before 23.02, which has no quick way to that: sbatch is run there with `PATH`, `HOME` and a few more, and the job has those, too,
/// unless a key to Slurm (`SLURM_JWT`) would be among them.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    caller: Caller,
    env: Environments,
    site: OnceCell<Site>,
}

/// What is handed to sbatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The job's name, unique to this submission. It goes onto the command line, where it overrides
    /// the script's.
    pub name: JobName,
    /// The script, which sbatch reads from its standard input.
    pub script: Vec<u8>,
    /// Options for sbatch that are not in the script, such as `--array=0-99`.
    pub args: Vec<OsString>,
}

impl Client {
    /// How long a command may take, unless said otherwise: longer than the commands' own time
    /// limits, and than sbatch's first tries to get past a full queue.
    pub const TIME_LIMIT: Duration = Duration::from_secs(60);

    /// A client that gives the commands `env`, scrubbed, and `cwd`, an absolute path, as working
    /// directory: sbatch's own is the job's, too, unless the script says otherwise.
    pub fn new(
        supervisor: Supervisor,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        cwd: impl Into<PathBuf>,
        time_limit: Duration,
    ) -> Self {
        let caller = Caller { supervisor, cwd: cwd.into(), time_limit };
        let env = Environments::new(env);
        Self { shared: Arc::new(Shared { caller, env, site: OnceCell::new() }) }
    }

    /// What the cluster is like; asked for once, and again only if there was no answer.
    pub async fn site(&self) -> Result<&Site, Error> {
        let ask = async || {
            let output = self.ask("scontrol", &["show", "config"]).await?;
            let wanted = "the cluster's configuration (`ClusterName = …`)";
            let missing = || Error::not_understood("scontrol", wanted, &output);
            Site::parse(&output).ok_or_else(missing)
        };
        self.shared.site.get_or_try_init(ask).await
    }

    /// What a partition allows.
    pub async fn partition(&self, name: &str) -> Result<Partition, Error> {
        let output = self.ask("scontrol", &["-o", "show", "partition", name]).await?;
        let missing = || Error::not_understood("scontrol", "a partition (`MaxTime=…`)", &output);
        Partition::parse(&output).ok_or_else(missing)
    }

    /// The places of a user in accounts; none if the accounts do not know the user.
    pub async fn associations(&self, user: &str) -> Result<Vec<Association>, Error> {
        let name = format!("name={user}");
        let args = ["-nP", "show", "user", "where", &name, "withassoc", accounts::OF_ASSOCIATION];
        Ok(Association::parse(&self.ask("sacctmgr", &args).await?))
    }

    /// What a QOS allows; `None` if there is none of the name.
    pub async fn qos(&self, name: &str) -> Result<Option<Allowance>, Error> {
        let name = format!("name={name}");
        let args = ["-nP", "show", "qos", "where", &name, accounts::OF_QOS];
        Ok(Allowance::parse(&self.ask("sacctmgr", &args).await?))
    }

    /// Runs sbatch once. [`Client::submit`] does so until it is known what became of the job.
    pub(crate) async fn sbatch(&self, submission: &Submission) -> Result<JobId, Error> {
        let (export, env) = self.export();
        let name = format!("--job-name={}", submission.name);
        let mut args: Vec<OsString> = vec!["--parsable".into(), export.into(), name.into()];
        args.extend_from_slice(&submission.args);
        let call = Call { program: "sbatch", args, env, input: &submission.script };
        let output = self.shared.caller.run(call).await?;
        let missing = || Error::not_understood("sbatch", "the new job's id", &output);
        tables::submitted(&output).ok_or_else(missing)
    }

    /// How sbatch is told what the job starts with, and the environment it is given for that. A release that is not known, as
    /// nobody has asked ([`Client::site`]), counts as a new one.
    fn export(&self) -> (&'static str, &Environment) {
        let env = &self.shared.env;
        let is_old = self.shared.site.get().is_some_and(|site| !site.knows_nil());
        match &env.bare {
            Some(bare) if is_old => ("--export=ALL", bare),
            _ => ("--export=NIL", &env.submit),
        }
    }

    /// Has sbatch say whether it would take a job with this script: `--test-only`, which submits nothing.
    pub async fn test(&self, script: &[u8]) -> Result<(), Error> {
        self.test_with(script, Vec::new()).await
    }

    /// Of an array of `most` jobs, how many Slurm would take at this moment, by limits on how many a user or an account may have
    /// submitted. Asks with `--test-only`, which heeds them, for one job and then by halves.
    pub async fn room_for(&self, script: &[u8], most: usize) -> Result<usize, Error> {
        let (mut taken, mut refused) = (0, most + 1);
        let mut jobs = 1;
        while taken + 1 < refused {
            let array = format!("--array=0-{}", jobs - 1);
            match self.test_with(script, vec![array.into()]).await {
                Ok(()) => taken = jobs,
                Err(error) if error.advice() == Advice::Wait => refused = jobs,
                Err(error) => return Err(error),
            }
            jobs = usize::midpoint(taken, refused);
        }
        Ok(taken)
    }

    async fn test_with(&self, script: &[u8], mut args: Vec<OsString>) -> Result<(), Error> {
        args.push("--test-only".into());
        let call = Call { program: "sbatch", args, env: &self.shared.env.submit, input: script };
        self.shared.caller.run(call).await.map(drop)
    }

    /// The job with that name, which was not submitted before `since`. Looks in the queue and then,
    /// where there are any, in the accounts. Where the accounts do not answer, or there are none,
    /// the queue alone is believed for as long as the controller cannot have forgotten the job.
    pub async fn find(&self, name: &JobName, since: SystemTime) -> Result<Option<JobId>, Error> {
        let queue = self.squeue(&["-n", name.as_str(), "-o", "%F"]).await?;
        if let Some(id) = tables::first_id(&queue) {
            return Ok(Some(id));
        }
        let site = self.site().await?;
        let age = since.elapsed().unwrap_or_default();
        let remembered = site.min_job_age.is_none_or(|min| age < min);
        match self.find_account(name, since).await {
            Ok(found) => Ok(found),
            Err(_) if remembered => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find_account(
        &self,
        name: &JobName,
        since: SystemTime,
    ) -> Result<Option<JobId>, Error> {
        let name = format!("--name={name}");
        let args = ["-X", "-n", "-P", "-S", &start(since), &name, "-o", "JobID"];
        Ok(tables::first_id(&self.sacct(&args).await?))
    }

    /// Cancels jobs, with one scancel for each hundred; those that are over already are none of its
    /// concern. It may be called again after an error.
    pub async fn cancel(&self, ids: &[JobId]) -> Result<(), Error> {
        let mut result = Ok(());
        for (cluster, ids) in by_cluster(ids) {
            for chunk in ids.chunks(IDS_A_CALL) {
                let mut args = on_cluster(cluster);
                args.extend(chunk.iter().map(|id| id.local()));
                result = result.and(self.scancel(&args).await);
            }
        }
        result
    }

    /// Cancels the jobs with that name, where sbatch did not live to tell an id.
    pub async fn cancel_named(&self, name: &JobName) -> Result<(), Error> {
        self.scancel(&["--me".into(), format!("--name={name}")]).await
    }

    async fn scancel(&self, args: &[String]) -> Result<(), Error> {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        match self.ask("scancel", &args).await {
            Err(error) if error.says(words::NO_SUCH_JOB) || error.says(words::ALREADY_OVER) => {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    async fn sacct(&self, args: &[&str]) -> Result<String, Error> {
        if self.site().await.is_ok_and(|site| !site.accounting) {
            return Err(Error::NoAccounting);
        }
        match self.ask("sacct", args).await {
            Err(error) if error.says(words::NO_ACCOUNTING) => Err(Error::NoAccounting),
            other => other,
        }
    }

    async fn ask(&self, program: &'static str, args: &[&str]) -> Result<String, Error> {
        let args = args.iter().map(OsString::from).collect();
        let call = Call { program, args, env: &self.shared.env.ask, input: &[] };
        self.shared.caller.run(call).await
    }

    /// Asks for jobs of this user, those that are over among them.
    async fn squeue(&self, args: &[&str]) -> Result<String, Error> {
        let mut all = vec!["-r", "--me", "-t", "all"];
        all.extend(args);
        // Without its header, squeue does not say either which of several clusters the jobs are on.
        if !self.shared.env.names_clusters {
            all.insert(0, "-h");
        }
        self.ask("squeue", &all).await
    }
}

#[async_trait]
impl Cluster for Client {
    async fn queue(&self) -> Result<Jobs, Error> {
        Ok(tables::queue(&self.squeue(&["-o", tables::QUEUE_FORMAT]).await?))
    }

    async fn accounting(&self, ids: &[JobId], since: SystemTime) -> Result<Jobs, Error> {
        let mut found = Jobs::default();
        for (cluster, ids) in by_cluster(ids) {
            // An array is asked for as a whole.
            let numbers: BTreeSet<_> = ids.iter().map(|id| id.number).collect();
            let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
            for chunk in numbers.chunks(IDS_A_CALL) {
                let mut args = on_cluster(cluster);
                args.extend(
                    ["-n", "-P", "-S", &start(since), "-j", &chunk.join(",")].map(Into::into),
                );
                args.extend(["-o", tables::ACCOUNTING_FORMAT].map(Into::into));
                let args: Vec<_> = args.iter().map(String::as_str).collect();
                found.extend(tables::accounting(&self.sacct(&args).await?, cluster));
            }
        }
        Ok(found)
    }

    async fn show(&self, id: &JobId) -> Result<Option<JobInfo>, Error> {
        let mut args = on_cluster(id.cluster.as_ref());
        args.extend(["-o".into(), "show".into(), "job".into(), id.local()]);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        match self.ask("scontrol", &args).await {
            Err(error) if error.says(words::NO_SUCH_JOB) => Ok(None),
            Err(error) if error.says(&words::no_such_element(&id.local())) => Ok(None),
            Err(error) => Err(error),
            Ok(output) => {
                let missing = || Error::not_understood("scontrol", "a job's state", &output);
                tables::shown(&output).map(Some).ok_or_else(missing)
            }
        }
    }

    async fn memory(&self) -> Option<Memory> {
        let site = self.site().await.ok()?;
        Some(Memory { after: site.min_job_age?, accounts: site.accounting })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("site", &self.shared.site.get()).finish_non_exhaustive()
    }
}

fn by_cluster(ids: &[JobId]) -> BTreeMap<Option<&Arc<str>>, Vec<&JobId>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for id in ids {
        groups.entry(id.cluster.as_ref()).or_default().push(id);
    }
    groups
}

fn on_cluster(cluster: Option<&Arc<str>>) -> Vec<String> {
    cluster.map(|name| vec!["-M".into(), name.to_string()]).unwrap_or_default()
}

/// A start time for sacct, which otherwise may look no further back than midnight. It counts from
/// now, so that no time zone comes into it.
fn start(since: SystemTime) -> String {
    let back = since.elapsed().unwrap_or_default() + CLOCKS;
    format!("now-{}minutes", back.as_secs() / 60)
}
