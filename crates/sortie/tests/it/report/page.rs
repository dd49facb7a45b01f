//! The page in a real browser: everything by keyboard, nothing asked of the network.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::{browser, sweep};
use crate::stage::{Stage, ran};

/// A browser that shows the report of the stage's sweep.
pub(super) fn shown(stage: &Stage) -> Browser {
    let browser = browser(stage);
    show(stage, &browser);
    browser
}

fn show(stage: &Stage, browser: &Browser) {
    let ran = ran(&mut stage.sortie(["report", "sweep"]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    browser.open(&format!("file://{}", stage.path("sweep/report.html").display()));
}

const FOCUS_ON_HEAD: &str = "document.activeElement.closest('th')?.dataset.key";
/// The names of the rows that are drawn, from the one that is in view first.
const FIRST: &str = "[...document.querySelectorAll('#rows tbody tr:not(.pad)')]\
    .find((row) => row.offsetTop >= document.getElementById('scroller').scrollTop)?.cells[1].textContent.trim()";
const FOCUSED: &str = "document.activeElement.cells?.[1].querySelector('.id').textContent ?? ''";

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn ten_thousand_rows_sorted_and_filtered_by_keyboard() {
    let stage = Stage::empty();
    sweep::of(&stage, 10_000);
    let browser = shown(&stage);
    assert!(browser.text(FIRST).starts_with("gen-09999"));
    let drawn = "document.querySelectorAll('#rows tbody tr').length";
    assert!(browser.value(drawn).as_u64().unwrap() < 120, "only what is in view is drawn");
    let rows = "document.getElementById('rows').getAttribute('aria-rowcount')";
    assert_eq!(browser.value(rows), json!("10001"));

    // The head of the table: by time, and the other way round.
    browser.tab_to(&format!("{FOCUS_ON_HEAD} === 'ended'"));
    browser.press(&["Enter", "Enter"]);
    let sorted = "[...document.querySelectorAll('#rows [aria-sort]')].map((it) => [it.dataset.key, it.ariaSort]).flat().join()";
    assert_eq!(browser.text(sorted), "ended,ascending");
    assert!(browser.text(FIRST).starts_with("gen-00000"));

    // Rows: to the last and back, one in full, and where one was before.
    browser.tab_to("document.activeElement.matches('#rows tbody tr')");
    browser.press(&["End"]);
    assert_eq!(browser.text(FOCUSED), "gen-09999");
    browser.press(&["Home", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"]);
    browser.becomes("document.getElementById('detail').open");
    let detail = browser.text("document.getElementById('detail').innerText");
    for part in ["gen-00003", "killed by SIGSEGV", "runs/gen_3/main.py", "candidate failed"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    browser.press(&["Escape"]);
    browser.becomes("!document.getElementById('detail').open");
    assert_eq!(browser.text(FOCUSED), "gen-00003");

    // The filter.
    browser.value("document.getElementById('query').focus()");
    browser.type_in("sigsegv gen-0004");
    browser.becomes("document.getElementById('shown').textContent === '1 of 10,000 candidates'");
    assert!(browser.text(FIRST).starts_with("gen-00043"));
    browser.type_in("xyz");
    browser.becomes("!document.getElementById('none').hidden");
    let (requests, said) = browser.noticed();
    assert_eq!(said, [] as [String; 0], "{requests:?}");
}

/// Whatever a generated program may call itself or write.
fn hostile(address: &str) -> Vec<Value> {
    let texts = [
        format!("</script><script>ran=1;fetch('http://{address}/a')</script>"),
        format!("<img src=http://{address}/b onerror=ran=1>"),
        format!("\"><svg onload=ran=1><style>@import 'http://{address}/c'</style>"),
        "'-ran=1-'".to_owned(),
        "<!--<script>".to_owned(),
        "]]>{{ran=1}}${ran=1}".to_owned(),
        "invoice\u{202e}yp.exe\u{2066}".to_owned(),
        "line\u{2028}ran=1\u{2029}//".to_owned(),
        "\u{1b}[31mred\u{1b}[0m\u{1b}]8;;http://link\u{7}".to_owned(),
        "\u{0}\u{7f}\r\n\tx\u{fffd}".to_owned(),
    ];
    let hostile = |(number, text): (usize, &String)| {
        let mut line = sweep::failed(u32::try_from(number).unwrap());
        for member in ["id", "candidate", "detail", "stdout_log", "stderr_log", "host", "attempt"] {
            line[member] = json!(text);
        }
        line["outcome"] = json!({"kind": "signaled", "signal": 1, "name": text});
        line["metrics"] = json!({text: {text: text}});
        line
    };
    texts.iter().enumerate().map(hostile).collect()
}

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn hostile_text_is_shown_and_does_nothing() {
    let stage = Stage::empty();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let lines = hostile(&listener.local_addr().unwrap().to_string());
    sweep::write(&stage, lines.into_iter());
    let browser = shown(&stage);
    // All of it is in the page, open.
    browser.value("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
    browser.tab_to("document.activeElement.matches('#rows tbody tr')");
    browser.press(&["End", "Enter"]);
    browser.becomes("document.getElementById('detail').open");
    let text = browser.text("document.body.innerText");
    let parts =
        ["</script><script>ran=1", "<img src=http", "invoice⟨U+202E⟩yp.exe⟨U+2066⟩", "red", "␀␡"];
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    let odd = "document.querySelectorAll('img, main style, main script, main svg[onload], iframe, object, embed, base').length";
    assert_eq!(browser.value(odd), json!(0));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(browser.value("typeof ran"), json!("undefined"));
    let (requests, said) = browser.noticed();
    assert_eq!(said, [] as [String; 0], "not even the page's policy had anything to do");
    assert!(requests.iter().all(|url| url.starts_with("file:")), "{requests:?}");
    assert!(listener.accept().is_err(), "something was asked for");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn without_scripts_the_page_has_all_but_the_later_rows() {
    let stage = Stage::empty();
    sweep::of(&stage, 150);
    let browser = browser(&stage);
    browser.tell("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    show(&stage, &browser);
    let rows = "document.querySelectorAll('#rows tbody tr').length";
    assert_eq!(browser.value(rows), json!(100));
    let text = browser.text("document.body.innerText");
    for part in ["150 candidates on 3 machines", "killed by SIGSEGV", "ValueError: no luck"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Find"), "what needs a script is not shown");
    assert_eq!(browser.value("document.querySelectorAll('.plot path.best[d]').length"), json!(1));
}

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn a_screen_reader_finds_its_way() {
    let stage = Stage::empty();
    sweep::of(&stage, 40);
    let browser = shown(&stage);
    let tree = browser.tell("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let named = |role: &str| -> Vec<String> {
        let nodes = nodes.iter().filter(|it| it["role"]["value"] == role && it["ignored"] != true);
        nodes.map(|it| it["name"]["value"].as_str().unwrap_or_default().to_owned()).collect()
    };
    for landmark in ["banner", "main", "navigation", "search"] {
        assert_eq!(named(landmark).len(), 1, "{landmark}");
    }
    for named in
        [named("image"), named("region"), named("grid"), named("button"), named("combobox")]
    {
        assert!(!named.is_empty() && named.iter().all(|name| !name.is_empty()), "{named:?}");
    }
    assert_eq!(named("image").len(), 6, "charts: {:?}", named("image"));
    assert_eq!(named("heading").iter().filter(|name| *name == "Ranking").count(), 1);
    assert!(named("grid")[0].contains("Arrow keys"), "{:?}", named("grid"));
}
