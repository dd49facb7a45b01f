#![doc = include_str!("../README.md")]
//!
//! # Theory of operation
//!
//! [`Report::add`] takes what the page shows of a candidate, cleaned and bounded, and forgets the rest: a row
//! of some hundred bytes, and the ends of the logs of a few examples of every way to fail and of the
//! slowest. So a report can be fed from a file of any size, and again as that file grows.
//!
//! The page is made of **sections**, which are HTML and charts in SVG, and of the **ranking**, a table of which
//! the page has the first hundred rows, and all as data. Its script shows the rows that are in view, sorts and
//! filters them. Without a script everything else is there all the same. A live page asks for the rows it
//! does not have and for the sections as they are now ([`Report::changes`]); it keeps where its reader is.
//!
//! # Hostile text
//!
//! Names, logs and messages are written by generated programs. They are [cleaned](Report::add) of escape
//! sequences and of characters that hide or turn others, escaped by the template wherever they enter the
//! page (`askama`, by the file's extension), and escaped in the page's data so that no parser of HTML or
//! scripts sees anything there. Should all of that fail, the page's Content Security Policy names the hashes
//! of its own style and script, and allows no other and no request.
//!
//! # Architecture invariant
//!
//! A function from values to text: this crate knows no file, no clock and no network.

mod candidate;
mod chart;
mod data;
mod examples;
mod page;
mod report;
mod row;
mod scale;
mod sections;
mod standing;
mod summary;
mod text;
mod unit;
mod words;

pub use candidate::{Candidate, LineError};
pub use report::{Page, Report};

/// The header by which a server repeats what a page says of itself: the value of
/// `Content-Security-Policy`.
pub fn content_security_policy(page: Page) -> String {
    page::policy(page)
}
