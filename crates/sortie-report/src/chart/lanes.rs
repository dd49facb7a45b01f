//! What ran when, on which machine: a lane for each of those that ran at once.

use std::collections::BTreeMap;

use super::path::Path;
use super::{Decimal, Layer, Mark, Plot, WIDTH, time_marks};
use crate::row::Row;
use crate::scale::Scale;
use crate::standing::Standing;
use crate::{text, words};

/// The height of a lane, and of what is drawn in it, in pixels.
const LANE: f64 = 14.0;
const BAR: f64 = 11.0;
/// Room above a machine's first lane.
const GAP: f64 = 6.0;
/// The most lanes that are drawn.
const MOST: usize = 96;
/// Below this, in units of the area, gaps between bars are closed.
const CLOSE: f64 = 0.4;
/// The most of a machine's name, in bytes: what there is room for.
const NAME: usize = 12;
/// Up to so many bars have a hairline around each.
const FEW: usize = 400;

/// A machine, and what it did.
#[derive(Debug)]
pub(crate) struct Host {
    /// Where it is in the report's list.
    pub(crate) index: usize,
    pub(crate) candidates: usize,
    /// How many ran at once at most.
    pub(crate) lanes: usize,
    /// Seconds, of all candidates together.
    pub(crate) busy: f64,
}

/// A candidate in its lane.
struct Bar {
    lane: usize,
    from: f64,
    to: f64,
    standing: Standing,
}

/// The chart, the machines, and how many lanes there was no room for.
pub(crate) fn lanes(
    rows: &[Row],
    names: &[String],
    start: f64,
    end: f64,
) -> Result<(String, Vec<Host>, usize), std::fmt::Error> {
    let mut of_host: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.started.is_some()) {
        of_host.entry(row.host).or_default().push(row);
    }
    let x = Scale::up_to(end - start);
    let mut drawing = Drawing { x, start, paths: BTreeMap::new() };
    let is_few = rows.len() <= FEW;
    let (mut hosts, mut marks) = (Vec::new(), Vec::new());
    let (mut top, mut drawn, mut left_out) = (0.0, 0, 0);
    let mut of_host: Vec<_> = of_host.into_iter().collect();
    // As `node2` comes before `node10`.
    of_host.sort_by_key(|(host, _)| names.get(*host).map(|name| (name.len(), name)));
    for (host, rows) in of_host {
        let bars = pack(&rows);
        let lanes = bars.iter().map(|bar| bar.lane + 1).max().unwrap_or(0);
        let room = lanes.min(MOST - drawn);
        (drawn, left_out) = (drawn + room, left_out + lanes - room);
        if room > 0 {
            top += GAP;
            let label = words::count(hosts.len() + 1);
            let name = names.get(host).filter(|name| !name.is_empty());
            let label = name.map_or(label, |name| text::line(name, NAME));
            marks.push(Mark {
                at: Decimal(top + BAR / 2.0),
                line: Decimal(top - GAP / 2.0),
                label,
            });
            drawing.add(&bars, room, top);
            top += words::float(room) * LANE;
        }
        let busy = rows.iter().map(|row| row.running).sum();
        hosts.push(Host { index: host, candidates: rows.len(), lanes, busy });
    }
    let layer = |(standing, path): (Standing, Path)| {
        let few = if is_few { " few" } else { "" };
        Layer { class: format!("bars {}{few}", standing.class()), path: path.into_string() }
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few lanes")]
    let plot = Plot {
        class: "lanes",
        label: format!(
            "What ran when on {}, {} at once at most.",
            words::counted(hosts.len(), "machine"),
            words::count(hosts.iter().map(|host| host.lanes).sum()),
        ),
        height: top as u32,
        y: marks,
        y_unit: "",
        x: time_marks(x),
        layers: drawing.paths.into_iter().map(layer).collect(),
        domain: None,
    };
    Ok((super::render(&plot)?, hosts, left_out))
}

/// Each into the first lane that is free.
fn pack(rows: &[&Row]) -> Vec<Bar> {
    let mut bars: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let from = row.started?;
            Some(Bar { lane: 0, from, to: from + row.running, standing: row.standing })
        })
        .collect();
    bars.sort_by(|one, other| one.from.total_cmp(&other.from));
    let mut free_from: Vec<f64> = Vec::new();
    for bar in &mut bars {
        // Times are rounded where they are written.
        let free = free_from.iter().position(|free| *free <= bar.from + 0.002);
        bar.lane = free.unwrap_or(free_from.len());
        match free_from.get_mut(bar.lane) {
            Some(free) => *free = bar.to,
            None => free_from.push(bar.to),
        }
    }
    bars
}

struct Drawing {
    x: Scale,
    start: f64,
    paths: BTreeMap<Standing, Path>,
}

impl Drawing {
    /// Draws the bars of the first lanes; where some of a lane are closer than the eye can see, as one.
    fn add(&mut self, bars: &[Bar], lanes: usize, top: f64) {
        let mut open: BTreeMap<(usize, Standing), [f64; 2]> = BTreeMap::new();
        for bar in bars.iter().filter(|bar| bar.lane < lanes) {
            let from = self.x.at(bar.from - self.start) * WIDTH;
            let to = (self.x.at(bar.to - self.start) * WIDTH).max(from + CLOSE);
            let key = (bar.lane, bar.standing);
            match open.get_mut(&key) {
                Some([first, last]) if from - *last < CLOSE && to - *first < 50.0 * CLOSE => {
                    *last = to.max(*last);
                }
                before => {
                    if let Some(before) = before {
                        let done = std::mem::replace(before, [from, to]);
                        self.draw(key, done, top);
                    } else {
                        open.insert(key, [from, to]);
                    }
                }
            }
        }
        for (key, bar) in open {
            self.draw(key, bar, top);
        }
    }

    fn draw(&mut self, (lane, standing): (usize, Standing), [from, to]: [f64; 2], top: f64) {
        let y = top + words::float(lane) * LANE;
        self.paths.entry(standing).or_default().rect([from, y], [to - from, BAR]);
    }
}
