//! Whether candidates have what they are to be ranked by.

use sortie_results::Value;
use sortie_sweep::{OpenSweep, Progress, SweepDir};

use crate::output::one_line;
use crate::sweep_progress::say;

/// How many names of metrics are listed.
const NAMES: usize = 12;

/// Says once that correct candidates have no score.
pub(crate) struct Unranked {
    dir: SweepDir,
    score: String,
    said: bool,
}

impl Unranked {
    pub(crate) fn of(open: &OpenSweep) -> Self {
        let score = open.sweep().header.options.score.clone();
        Self { dir: open.dir().clone(), score, said: false }
    }

    pub(crate) fn look(&mut self, progress: &Progress) {
        if self.said || progress.done.correct == 0 || progress.best.is_some() {
            return;
        }
        self.said = true;
        let score = one_line(&self.score);
        let names = self.names();
        let has = match names.as_slice() {
            [] => "which have none".to_owned(),
            names => format!("which have `{}`", names.join("`, `")),
        };
        say(&format!(
            "no ranking: no correct candidate so far has a number `{score}` among its metrics, {has} (see --score)"
        ));
    }

    /// What the first correct candidate has.
    fn names(&self) -> Vec<String> {
        let lines = self.dir.results().into_iter().flatten().map_while(Result::ok);
        let metrics = lines.filter_map(|line| {
            let Ok(Value::Object(mut line)) = Value::parse(&line) else { return None };
            let correct = matches!(line.get("correct"), Some(Value::Bool(true)));
            match line.shift_remove("metrics") {
                Some(Value::Object(metrics)) if correct => Some(metrics),
                _ => None,
            }
        });
        let metrics = metrics.take(1).flat_map(|metrics| metrics.into_iter().collect::<Vec<_>>());
        let numbers = metrics.filter(|(_, value)| value.as_f64().is_some());
        numbers.take(NAMES).map(|(name, _)| one_line(&name)).collect()
    }
}
