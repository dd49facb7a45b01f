//! A headless Chromium, told what to do through a pipe (Chrome `DevTools` Protocol, `--remote-debugging-pipe`).
//! The bench of the report (`cargo xtask bench report`) has this as well.

use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The pipe is expected at descriptors 3 and 4.
const PIPED: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#;

/// As root and for a test: nothing that would ask for anything from the network.
const FLAGS: [&str; 13] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub(super) struct Browser {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    last: Cell<u64>,
    /// What happened while answers were waited for.
    events: RefCell<Vec<Value>>,
}

impl Browser {
    /// Starts one with its files in a directory, by a command that is `sh`.
    pub(super) fn start(mut command: Command, profile: &Path) -> Self {
        let profile = format!("--user-data-dir={}", profile.display());
        command.args(["-c", PIPED, "chromium"]).args(FLAGS).args([&profile, "about:blank"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (events, last) = (RefCell::default(), Cell::default());
        let messages = listen(stdout);
        let mut browser = Self { child, stdin, messages, session: String::new(), last, events };
        let target = browser.tell("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.tell("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().unwrap().into();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.tell(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Has something done: what came of it.
    #[expect(clippy::needless_pass_by_value, reason = "a literal in every call")]
    pub(super) fn tell(&self, method: &str, params: Value) -> Value {
        let id = self.last.get() + 1;
        self.last.set(id);
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        (&self.stdin).write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let mut message = message.unwrap_or_else(|error| panic!("{method}: {error}"));
            if message["id"] == json!(id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.borrow_mut().push(message);
        }
    }

    /// Loads a page, and waits until it is there.
    pub(super) fn open(&self, url: &str) {
        self.tell("Page.navigate", json!({"url": url}));
        self.becomes("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of an expression in the page.
    pub(super) fn value(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.tell("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    pub(super) fn text(&self, expression: &str) -> String {
        self.value(expression)
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: no text"))
            .to_owned()
    }

    /// Waits until an expression in the page is true.
    pub(super) fn becomes(&self, expression: &str) {
        let give_up = Instant::now() + PATIENCE;
        while self.value(expression) != json!(true) {
            assert!(Instant::now() < give_up, "waited for {expression}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, one after another, by their names (`KeyboardEvent.key`).
    pub(super) fn press(&self, keys: &[&str]) {
        for key in keys {
            let (code, text) = match *key {
                "Tab" => (9, ""),
                "Enter" => (13, "\r"),
                "Escape" => (27, ""),
                "End" => (35, ""),
                "Home" => (36, ""),
                "ArrowUp" => (38, ""),
                "ArrowDown" => (40, ""),
                other => panic!("which key is {other}?"),
            };
            let mut event = json!({"type": "rawKeyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
            if !text.is_empty() {
                event["type"] = json!("keyDown");
                event["text"] = json!(text);
            }
            self.tell("Input.dispatchKeyEvent", event.clone());
            event["type"] = json!("keyUp");
            self.tell("Input.dispatchKeyEvent", event);
        }
    }

    /// Presses Tab until the focus is where the expression says.
    pub(super) fn tab_to(&self, is_there: &str) {
        for _ in 0..60 {
            if self.value(is_there) == json!(true) {
                return;
            }
            self.press(&["Tab"]);
        }
        panic!("Tab does not lead to {is_there}");
    }

    /// Types text where the focus is.
    pub(super) fn type_in(&self, text: &str) {
        self.tell("Input.insertText", json!({"text": text}));
    }

    /// The addresses that were asked for, and what was said on the console.
    pub(super) fn noticed(&self) -> (Vec<String>, Vec<String>) {
        let (mut requests, mut said) = (Vec::new(), Vec::new());
        for event in self.events.borrow().iter() {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    requests.push(params["request"]["url"].as_str().unwrap().to_owned());
                }
                "Log.entryAdded" | "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" => {
                    said.push(params.to_string());
                }
                _ => {}
            }
        }
        (requests, said)
    }
}

/// Its messages, which end with a zero each.
fn listen(stdout: impl Read + Send + 'static) -> Receiver<Value> {
    let (sender, messages) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut message = Vec::new();
        while reader.read_until(0, &mut message).is_ok_and(|length| length > 0) {
            message.pop();
            let Ok(value) = serde_json::from_slice(&message) else { return };
            if sender.send(value).is_err() {
                return;
            }
            message.clear();
        }
    });
    messages
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
