//! Text of generated programs enters the page as text.

use proptest::prelude::*;
use sortie_report::{Candidate, Page, Report};
use sortie_results::{Fault, Outcome, Value};

use crate::sweep::ended;

/// A report in which everything a program may choose is that text.
fn report(text: &str) -> Report {
    let text = || text.to_owned();
    let outcome = Outcome::Signaled { signal: 1, name: text() };
    let failed = ended("id", 1, outcome, Some(Fault::Candidate));
    let metrics = [(text(), Value::String(text()))].into_iter().collect();
    let mut report = Report::new(text());
    report.settings = Some(text());
    report.add(&Candidate {
        id: text(),
        candidate: text(),
        stdout: text(),
        stderr: text(),
        detail: Some(text()),
        attempt: text(),
        host: text(),
        metrics,
        ..failed
    });
    report
}

/// The tags of a page and its comments, in order, as a browser would see them.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|it| it.split([' ', '>', '\n']).next().unwrap()).collect()
}

#[test]
fn markup_scripts_and_controls() {
    let plain = report("plain").html(Page::File).unwrap();
    let texts = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"' onfocus=alert(1) autofocus=\"",
        "<!--",
        "--></style></title></textarea><svg/onload=alert(1)>",
        "&lt;script&gt;&#x3c;",
        "{{ 7 * 7 }}{% raw %}",
        "\u{202e}\u{2066}\u{2028}\u{0}\u{1b}[31m\u{9b}0m",
    ];
    for text in texts {
        let html = report(text).html(Page::File).unwrap();
        assert_eq!(tags(&html), tags(&plain), "{text:?}");
        let is_markup = text.contains(['<', '&', '"']);
        assert!(!(is_markup && html.contains(text)), "{text:?} is in the page as it is");
        let hidden = ['\u{202e}', '\u{2066}', '\u{2028}', '\0', '\u{1b}', '\u{9b}'];
        assert!(!html.contains(hidden), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_text_the_page_has_the_same_elements(text in "x[<>&\"'/a-z!\\-=\\s\\PC]*x") {
        let plain = report("plain").html(Page::File).unwrap();
        let html = report(&text).html(Page::File).unwrap();
        prop_assert_eq!(tags(&html), tags(&plain));
    }
}
