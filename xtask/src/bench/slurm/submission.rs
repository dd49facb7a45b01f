//! How fast Slurm has jobs: many at once, and one by one. All are held, so that the controller is
//! not busy with running them.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};
use sortie_scheduler::{JobScheduler, Preview, preview};

use super::{
    BARE, Figure, Other, Target, Unit,
    site::{Call, Desk, Site},
};

const MANY: u32 = 1000;
/// So many are handed in one by one, to tell how long many would take.
const FEW: u32 = 250;

/// Per job, with `submit_many` and with an sbatch each, in turn.
pub(super) fn many(site: &Site<'_>, rounds: usize) -> Result<Figure> {
    let (mut sortie, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        sortie.push(site.measure(submit_many(site))? / f64::from(MANY));
        let bare = site.measure(async {
            let (bare, from) = (Bare::new(site)?, now()?);
            for _ in 0..FEW {
                bare.submit().await?;
            }
            Ok(now()? - from)
        })?;
        other.push(bare / f64::from(FEW));
    }
    Ok(Figure {
        what: format!("submitting {MANY} candidates with `submit_many`, per candidate"),
        unit: Unit::SecondsPerJob,
        sortie,
        other: Some(Other { name: BARE, values: other }),
        target: Target::TimesLess(50.0),
    })
}

/// How long it takes until Slurm has them all, in seconds.
async fn submit_many(site: &Site<'_>) -> Result<f64> {
    let desk = site.desk()?;
    let scheduler = desk.scheduler(Desk::held())?;
    let candidate = desk.candidate(0.0)?;
    let from = now()?;
    desk.submit_many(&scheduler, vec![candidate; MANY as usize])?;
    let Call { to, .. } = desk.nth_call("sbatch", 0).await?;
    site.ensure_queued(MANY as usize)?;
    Ok(to - from)
}

/// `submit` and bare sbatch of the same script, in turn, each until sbatch is done.
pub(super) fn one_by_one(site: &Site<'_>, rounds: usize) -> Result<Figure> {
    let (sortie, other) = site.measure(in_turn(site, rounds))?;
    Ok(Figure {
        what: "`submit` of one candidate, until sbatch is done".to_owned(),
        unit: Unit::SecondsPerJob,
        sortie,
        other: Some(Other { name: BARE, values: other }),
        target: Target::RatioAtMost(1.1),
    })
}

async fn in_turn(site: &Site<'_>, rounds: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let (desk, bare) = (site.desk()?, Bare::new(site)?);
    let scheduler = desk.scheduler(Desk::held())?;
    let mut pairs = Vec::new();
    for round in 0..=rounds {
        // Neither always goes first.
        if round % 2 == 0 {
            let ours = submit(&desk, &scheduler, round).await?;
            pairs.push((ours, bare.submit().await?));
        } else {
            let theirs = bare.submit().await?;
            pairs.push((submit(&desk, &scheduler, round).await?, theirs));
        }
    }
    // The first does not count: everything is new then.
    Ok(pairs.into_iter().skip(1).unzip())
}

async fn submit(desk: &Desk, scheduler: &JobScheduler, round: usize) -> Result<f64> {
    let candidate = desk.candidate(0.0)?;
    let from = now()?;
    scheduler.submit(candidate, desk.results_dir(round))?;
    let Call { to, .. } = desk.nth_call("sbatch", round).await?;
    Ok(to - from)
}

/// The least a launcher can do: start sbatch, hand it the script, wait.
struct Bare {
    desk: Desk,
    script: String,
    submitted: std::cell::Cell<usize>,
}

impl Bare {
    fn new(site: &Site<'_>) -> Result<Self> {
        let desk = site.desk()?;
        let config = Desk::held().into();
        let Preview::Script(script) = preview(&config, desk.candidate(0.0)?, desk.results_dir(0))?
        else {
            bail!("sbatch takes scripts");
        };
        Ok(Self { desk, script, submitted: 0.into() })
    }

    /// How long it took until sbatch was done, in seconds.
    async fn submit(&self) -> Result<f64> {
        let from = now()?;
        #[expect(clippy::disallowed_methods, reason = "to be compared with")]
        let mut sbatch = Command::new("sbatch")
            .arg("--parsable")
            .env_clear()
            .envs(self.desk.env())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut input = sbatch.stdin.take().context("sbatch has no input")?;
        input.write_all(self.script.as_bytes())?;
        drop(input);
        let output = sbatch.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let nth = self.submitted.replace(self.submitted.get() + 1);
        Ok(self.desk.nth_call("sbatch", nth).await?.to - from)
    }
}

/// In seconds since 1970, as bash tells it.
fn now() -> Result<f64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64())
}
