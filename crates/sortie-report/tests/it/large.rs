//! A page of many candidates is not large, whatever is in them.

use sortie_report::{Candidate, Page, Report};
use sortie_results::{Fault, Outcome};

use crate::sweep::{correct, ended};

#[test]
fn ten_thousand_are_less_than_ten_megabytes() {
    let mut report = Report::new("many");
    let noise = "a long line of a log, over and over\n".repeat(2000);
    for number in 0..10_000_i64 {
        let id = format!("generation-{number:08}/island-{}", number % 16);
        let started = number / 8;
        let candidate = if number % 4 == 0 {
            let code = i32::try_from(number % 256).unwrap();
            ended(&id, started, Outcome::Exited { code: code.max(1) }, Some(Fault::Candidate))
        } else {
            #[expect(clippy::cast_precision_loss, reason = "a score")]
            correct(&id, started, (number as f64).sqrt())
        };
        let host = format!("node{}", number % 200);
        report.add(&Candidate { stdout: noise.clone(), stderr: noise.clone(), host, ..candidate });
    }
    let html = report.html(Page::File).unwrap();
    assert!(html.len() < 10 << 20, "{} bytes", html.len());
    // What there is of charts, logs and markup does not grow with the candidates.
    let rows = html.find("id=\"data\"").unwrap();
    assert!(rows < 2 << 20, "{rows} bytes before the rows");
}
