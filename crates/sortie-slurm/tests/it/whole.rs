//! Client and watcher together, in real time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sortie_slurm::{Ending, Evidence, Pace, Patience, Tracked, Update, Watcher};

use crate::stage::{Stage, quick, submission};

#[tokio::test]
async fn a_job_is_submitted_starts_and_ends() {
    let stage = Stage::new();
    let client = stage.client();
    let submitted = SystemTime::now();
    let id = client.submit(&submission("sortie-1"), &quick()).await.unwrap();
    let pace = Pace { soonest: Duration::from_millis(100), ..Pace::default() };
    let (watcher, mut reports) = Watcher::start(Arc::new(client), pace, Patience::default());
    let record = stage.path("record");
    let look = move || if record.exists() { Evidence::Complete } else { Evidence::None };
    watcher.track(Tracked { id: id.clone(), submitted, look: Arc::new(look) });

    assert!(matches!(reports.recv().await.unwrap().update, Update::Pending(_)));
    stage.write("jobs", &format!("{id} sortie-1 RUNNING\n"));
    watcher.hurry();
    assert!(matches!(reports.recv().await.unwrap().update, Update::Started(_)));
    stage.write("record", "");
    let report = reports.recv().await.unwrap();
    let Update::Ended(ended) = report.update else { panic!("{report:?}") };
    assert_eq!((report.id, ended.how), (id, Ending::Recorded));
}
