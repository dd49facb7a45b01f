//! `sortie report --watch`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sortie::exit_status::SETUP;

use super::{browser, sweep};
use crate::stage::{Stage, ran};

/// A served report, and its address.
struct Served {
    tool: Child,
    url: String,
}

/// What was answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Served {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.sortie(["report", "sweep", "--watch"]);
        let mut tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(tool.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { tool, url: url.trim_end().to_owned() }
    }

    /// `127.0.0.1:PORT` and `/SECRET/`.
    fn parts(&self) -> (&str, &str) {
        let address = self.url.strip_prefix("http://").unwrap();
        address.split_at(address.find('/').unwrap())
    }

    /// Asks for something below the page's address.
    fn get(&self, below: &str, head: &str) -> Answer {
        let (address, path) = self.parts();
        self.ask(&format!("GET {path}{below} HTTP/1.1\r\nHost: {address}\r\n{head}"))
    }

    /// Sends a request as it is, to be answered and no more.
    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.parts().0).unwrap();
        write!(stream, "{request}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn interrupt(&self) {
        let pid = Pid::from_raw(self.tool.id().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.tool.kill();
        let _ = self.tool.wait();
    }
}

#[test]
fn only_to_who_knows_where_and_means_this_machine() {
    let stage = Stage::empty();
    sweep::of(&stage, 3);
    let served = Served::start(&stage);
    let (address, path) = served.parts();
    let page = served.get("", "");
    assert_eq!(page.status, 200, "{}", page.head);
    assert!(
        page.body.contains("3 candidates on") && page.body.contains("connect-src &#39;self&#39;")
    );
    for said in ["content-security-policy: default-src 'none'", "frame-ancestors 'none'", "nosniff"]
    {
        assert!(page.head.contains(said), "{said}: {}", page.head);
    }
    let port = address.rsplit_once(':').unwrap().1;
    let cases = [
        (format!("GET {path} HTTP/1.1\r\nHost: evil.example:{port}\r\n"), 403),
        (format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n"), 403),
        (format!("GET {path} HTTP/1.0\r\n"), 403),
        (format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n"), 200),
        (format!("GET / HTTP/1.1\r\nHost: {address}\r\n"), 404),
        (format!("GET /0123/ HTTP/1.1\r\nHost: {address}\r\n"), 404),
        (format!("GET {path}results.jsonl HTTP/1.1\r\nHost: {address}\r\n"), 404),
        (format!("GET {path}../ HTTP/1.1\r\nHost: {address}\r\n"), 404),
        (format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n"), 405),
    ];
    for (request, status) in cases {
        assert_eq!(served.ask(&request).status, status, "{request}");
    }
}

#[test]
fn what_is_new_and_nothing_where_nothing_is() {
    let stage = Stage::empty();
    sweep::of(&stage, 3);
    let served = Served::start(&stage);
    let first = served.get("changes?rows=1&epoch=0", "");
    let json: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 2, "the first is known");
    let tag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let if_new = format!("If-None-Match: {tag}\r\n");
    let again = served.get("changes?rows=3&epoch=0", &if_new);
    assert_eq!((again.status, again.body.as_str()), (304, ""));

    // Half a line is nothing new; the whole is.
    let line = format!("{}\n", sweep::line(3, 9.0));
    let (half, rest) = line.split_at(line.len() / 2);
    sweep::append(&stage, half);
    assert_eq!(served.get("changes?rows=3&epoch=0", &if_new).status, 304);
    sweep::append(&stage, rest);
    let changed = served.get("changes?rows=3&epoch=0", &if_new);
    assert_eq!(changed.status, 200);
    assert!(changed.body.contains("gen-00003") && !changed.body.contains("gen-00002\",\"runs"));

    // Another file in its place, or a shorter one: pages have to start anew.
    sweep::of(&stage, 2);
    assert_eq!(served.get("changes?rows=4&epoch=0", "").status, 409);
    assert!(served.get("", "").body.contains("data-epoch=\"1\""));
    for query in ["changes", "changes?rows=-1&epoch=1", "changes?rows=99&epoch=1"] {
        assert_eq!(served.get(query, "").status, 409, "{query}");
    }
}

#[test]
fn ctrl_c_ends_it_in_order() {
    let stage = Stage::empty();
    sweep::of(&stage, 1);
    let mut served = Served::start(&stage);
    // A connection that is kept open does not hold it up.
    let _idle = TcpStream::connect(served.parts().0).unwrap();
    served.interrupt();
    assert_eq!(served.tool.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let stage = Stage::empty();
    sweep::of(&stage, 1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = ran(&mut stage.sortie(["report", "sweep", "--watch", "--port", &port]));
    ran.is_error(SETUP, &format!("cannot serve at 127.0.0.1:{port}: "));
    let with_out = stage.sortie(["report", "sweep", "--watch", "--out", "x"]).output().unwrap();
    assert_eq!(with_out.status.code(), Some(SETUP.into()));
}

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn a_live_page_follows_and_leaves_its_reader_alone() {
    let stage = Stage::empty();
    sweep::of(&stage, 500);
    let browser = browser(&stage);
    let mut served = Served::start(&stage);
    browser.open(&served.url);
    browser.tab_to("document.activeElement.id === 'query'");
    browser.type_in("runs");
    browser.tab_to("document.activeElement.matches('#rows tbody tr')");
    browser.press(&["ArrowDown"; 40]);
    let focused = "document.activeElement.querySelector('.id').textContent";
    let before = browser.text(focused);
    let view = "document.activeElement.getBoundingClientRect().top";
    let place = browser.value(view);
    browser.value("document.querySelector('#failures details').open = true");

    let lines = [sweep::line(500, 500.0), sweep::line(501, 501.0), sweep::failed(502)];
    sweep::append(&stage, &lines.map(|line| format!("{line}\n")).concat());
    browser.becomes("document.getElementById('shown').textContent === '503 candidates'");
    browser.becomes("document.getElementById('summary').textContent.includes('503 candidates')");
    browser.becomes("document.querySelector('#failures .count').textContent === '51'");
    assert_eq!(browser.text(focused), before, "the focus stays on its candidate");
    assert_eq!(browser.value(view), place, "and that in its place");
    assert_eq!(browser.value("document.getElementById('query').value"), json!("runs"));
    assert_eq!(browser.value("document.querySelector('#failures details').open"), json!(true));
    let (requests, said) = browser.noticed();
    assert_eq!(said, [] as [String; 0], "{requests:?}");
    let (address, _) = served.parts();
    assert!(requests.iter().all(|url| url.contains(address)), "{requests:?}");

    // The same page, of a file that was mended.
    sweep::of(&stage, 20);
    browser.becomes("document.getElementById('shown')?.textContent === '20 candidates'");
    served.interrupt();
    assert_eq!(served.tool.wait().unwrap().code(), Some(0));
    browser.becomes("document.getElementById('live').textContent.startsWith('no longer live')");
}
