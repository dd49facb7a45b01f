//! What the page says of a small sweep.

use sortie_report::{Candidate, Page, Report};

use crate::sweep::{self, correct};

/// The page without its style and script, which are files of their own.
fn bare(html: &str) -> String {
    let mut html = html.to_owned();
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let start = html.find(open).unwrap() + open.len();
        let end = start + html[start..].find(close).unwrap();
        html.replace_range(start..end, "");
    }
    let hashes = html.find("&#39;sha256-").unwrap();
    let end = hashes + html[hashes..].find("; base-uri").unwrap();
    html.replace_range(hashes..end, "HASHES");
    html
}

/// Fails if a path has anything in it that is no number.
fn draws_numbers_only(html: &str) {
    for path in html.split(" d=\"").skip(1).map(|it| it.split('"').next().unwrap()) {
        let is_path = |c: char| c.is_ascii_digit() || "MHVhvz.- ".contains(c);
        assert!(path.chars().all(is_path), "{path}");
    }
}

#[test]
fn of_one_candidate_of_each_kind() {
    insta::assert_snapshot!(bare(&sweep::report().html(Page::File).unwrap()));
}

#[test]
fn of_none() {
    let html = Report::new("nothing").html(Page::File).unwrap();
    let text = "No candidate has ended so far";
    assert!(html.contains(text) && html.contains("No candidate has a score yet."));
    draws_numbers_only(&html);
}

#[test]
fn a_candidate_without_a_record_has_no_times() {
    let mut report = sweep::report();
    let lost = correct("lost", 3, 9.0);
    report.add(&Candidate { submitted_at: None, started_at: None, ended_at: None, ..lost });
    let html = report.html(Page::File).unwrap();
    draws_numbers_only(&html);
    assert!(
        html.contains("<td class=\"ended\"></td>") && html.contains("9 candidates on 1 machine")
    );
}

#[test]
fn an_evaluator_that_was_changed_is_told() {
    let mut report = sweep::report();
    assert!(!report.html(Page::File).unwrap().contains("The evaluator changed"));
    let other = correct("later", 3, 9.0);
    report.add(&Candidate { evaluator_sha256: Some("84a516841ba77a5b".into()), ..other.clone() });
    report.add(&Candidate { evaluator_sha256: None, ..other });
    let note = "The evaluator changed: 8 results with 1f0c2a6b9d8e, 1 result with 84a516841ba7.";
    assert!(report.html(Page::File).unwrap().contains(note));
}

#[test]
fn ranked_by_another_metric() {
    let mut report = Report::new("by circles");
    report.ranked_by = "circles".to_owned();
    report.add(&correct("gen-0", 1, 1.5));
    assert!(report.html(Page::File).unwrap().contains("<dd class=\"figure\">26</dd>"));
}

#[test]
fn a_file_may_ask_for_nothing_and_a_live_page_for_changes() {
    let report = sweep::report();
    let file = report.html(Page::File).unwrap();
    let live = report.html(Page::Live { epoch: 7 }).unwrap();
    assert!(!file.contains("connect-src") && !file.contains("data-epoch=\""));
    assert!(live.contains("connect-src &#39;self&#39;") && live.contains("data-epoch=\"7\""));
    for word in ["'unsafe-inline'", "unsafe-eval", "http:", "https:", "//cdn"] {
        assert!(!sortie_report::content_security_policy(Page::File).contains(word));
    }
    let markup = bare(&file);
    for attribute in [" src=", " style=", " onclick=", "href=\"h", "@import", "url("] {
        assert!(!markup.contains(attribute), "{attribute}");
    }
}

#[test]
fn changes_are_the_rows_that_are_not_known_and_all_sections() {
    let mut report = sweep::report();
    let known = report.candidates();
    report.add(&correct("gen-8", 15, 3.5));
    let changes: serde_json::Value = serde_json::from_str(&report.changes(known).unwrap()).unwrap();
    let rows = changes["rows"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0][0].as_str()), (1, Some("gen-8")));
    let sections = changes["sections"].as_array().unwrap();
    let html = report.html(Page::Live { epoch: 0 }).unwrap();
    for section in sections {
        assert!(html.contains(section[1].as_str().unwrap()), "{}", section[0]);
    }
    assert_eq!(sections.len(), 7);
    let after = report.changes(usize::MAX).unwrap();
    assert!(after.contains("\"rows\":[]"));
}

#[test]
fn scores_beyond_all_bounds_leave_a_chart() {
    let mut report = Report::new("extremes");
    for (number, score) in [f64::MAX, f64::MIN, 5e-324, 0.0, 1.0].into_iter().enumerate() {
        report.add(&correct(&format!("gen-{number}"), 1, score));
    }
    draws_numbers_only(&report.html(Page::File).unwrap());
}
