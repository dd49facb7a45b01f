//! The page in windows of all sizes: every column has room for its words, and nothing is to be scrolled for sideways.

use serde_json::{Value, json};

use super::lines::{failed, line};
use super::page::shown;
use super::sweep;
use crate::stage::Stage;

/// The windows, in CSS pixels: phones, tablets, laptops and desktops.
const WIDTHS: [u32; 9] = [320, 360, 390, 768, 1024, 1280, 1440, 1920, 2560];

/// The words that have less room in their column than they take, with both widths. Where only its sign is shown, the word
/// of a verdict is not.
const CRAMPED: &str = r"(() => {
  const cramped = [];
  for (const cell of document.querySelectorAll('#rows :is(th, td):not(.pad td)')) {
    const style = getComputedStyle(cell);
    if (style.display === 'none') continue;
    if (innerWidth < 640 && cell.matches('.state')) continue;
    const box = cell.querySelector('button') ?? cell, within = getComputedStyle(box);
    const room = box.clientWidth - parseFloat(within.paddingLeft) - parseFloat(within.paddingRight);
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (getComputedStyle(text.parentElement).display === 'none') continue;
      for (const word of text.data.matchAll(/\S+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const width = range.getBoundingClientRect().width;
        if (width > room + 1) cramped.push(`${cell.className} ${word[0]}: ${Math.round(width)} of ${Math.round(room)}`);
      }
    }
  }
  return [...new Set(cramped)].join('\n');
})()";

/// What reaches beyond the window, where the page scrolls sideways.
const BEYOND: &str = r"document.documentElement.scrollWidth <= innerWidth ? '' : [...document.querySelectorAll('body *')]
  .filter((it) => it.getBoundingClientRect().right > innerWidth && !it.closest('#scroller, svg, details'))
  .map((it) => `${it.tagName}#${it.id}.${it.className} ${Math.round(it.getBoundingClientRect().right)}`).slice(0, 8).join('\n')
  || 'something'";

/// A bit of everything that makes words.
fn lines() -> impl Iterator<Item = Value> {
    (0..60).map(|number| {
        let mut line = match number % 6 {
            0 => failed(number),
            1 => line(number, -1.0e9 - f64::from(number)),
            _ => line(number, 2.0 + f64::from(number) / 100.0),
        };
        match number % 12 {
            0 => {
                line["outcome"] = json!({"kind": "lost", "reason": "the node failed"});
                line["fault"] = json!("infrastructure");
            }
            3 => {
                line["correct"] = json!(false);
            }
            4 => {
                let seconds = json!({"queued": 86_399.0, "running": 172_799.0, "total": 259_198.0});
                line["seconds"] = seconds;
            }
            6 => {
                line["outcome"] =
                    json!({"kind": "not_started", "reason": "no interpreter", "fault": "setup"});
                line["fault"] = json!("setup");
            }
            _ => {}
        }
        line["host"] = json!(format!("gpu-node-{number:03}"));
        line
    })
}

#[test]
#[ignore = "needs Chromium: cargo xtask test"]
fn every_column_has_room_and_nothing_lies_beyond_the_window() {
    let stage = Stage::empty();
    sweep::write(&stage, lines());
    let browser = shown(&stage);
    browser.value("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
    for width in WIDTHS {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        browser.tell("Emulation.setDeviceMetricsOverride", size);
        browser.becomes(&format!("innerWidth === {width}"));
        assert_eq!(browser.text(CRAMPED), "", "at {width} px");
        assert_eq!(browser.text(BEYOND), "", "at {width} px");
        let columns = "[...document.querySelectorAll('#rows thead th')].filter((it) => it.offsetWidth > 0).length";
        let (columns, least) =
            (browser.value(columns).as_u64().unwrap(), if width >= 1920 { 10 } else { 4 });
        assert!(columns >= least, "{columns} columns at {width} px");
        if let Some(dir) = std::env::var_os("SORTIE_TEST_SCREENSHOTS") {
            browser.value("document.getElementById('ranking').scrollIntoView()");
            let shot = browser.tell("Page.captureScreenshot", json!({"format": "png"}));
            let path = std::path::Path::new(&dir).join(format!("{width}.png.base64"));
            std::fs::write(path, shot["data"].as_str().unwrap()).unwrap();
        }
    }
}
