//! The entries of a mapping, with those that merge keys (`<<: *base`) bring.
//!
//! As `PyYAML` reads them, and `OmegaConf` with it: what is merged comes first, in its order; of several mappings in a list
//! the earlier wins, of several merge keys the later, and the mapping's own entries win over all.

use std::collections::{HashMap, HashSet};

use super::node::{Content, Fault, MAX_NODES, Node};

/// The merge key.
pub(super) const MERGE: &str = "<<";

#[derive(Default)]
pub(super) struct Entries {
    own: Vec<(Node, Node)>,
    /// The lines of the own keys.
    lines: HashMap<String, usize>,
    merged: Vec<(Node, Node)>,
    /// Where the merged keys are.
    places: HashMap<String, usize>,
}

impl Entries {
    /// Adds an entry of the mapping's own.
    pub(super) fn add(&mut self, key: Node, mut value: Node) {
        if let Some(name) = key.as_text()
            && let Some(line) = self.lines.insert(name.to_owned(), key.at.line)
        {
            let text = format!("duplicate key `{name}`, first given on line {line}");
            value = Node { at: key.at, fault: Some(Fault::other(text)), ..value };
        }
        self.own.push((key, value));
    }

    /// Adds what a merge key brings; `budget` counts the entries that all merge keys of the file have brought.
    pub(super) fn merge(&mut self, key: Node, value: &Node, budget: &mut usize) {
        let sources: Vec<&Node> = match &value.content {
            Content::Sequence(items) => items.iter().rev().collect(),
            _ => vec![value],
        };
        for source in sources {
            if source.fault.is_some() {
                self.own.push((key, source.clone()));
                return;
            }
            let Content::Mapping(entries) = &source.content else {
                let text = "a merge key (`<<`) takes a mapping or a list of mappings";
                self.own.push((key, Node::faulty(source.at, Fault::other(text))));
                return;
            };
            *budget += entries.len();
            if *budget > MAX_NODES {
                let text = format!("merge keys bring more than {MAX_NODES} values");
                self.own.push((key, Node::faulty(source.at, Fault::other(text))));
                return;
            }
            for (key, value) in entries.iter() {
                self.bring(key, value);
            }
        }
    }

    /// The later wins, at the place of the first.
    fn bring(&mut self, key: &Node, value: &Node) {
        let Some(name) = key.as_text() else {
            self.merged.push((key.clone(), value.clone()));
            return;
        };
        if let Some(place) = self.places.get(name) {
            self.merged[*place] = (key.clone(), value.clone());
        } else {
            self.places.insert(name.to_owned(), self.merged.len());
            self.merged.push((key.clone(), value.clone()));
        }
    }

    pub(super) fn finish(mut self) -> Vec<(Node, Node)> {
        if self.merged.is_empty() {
            return self.own;
        }
        let mut first = HashSet::new();
        for (key, value) in self.own {
            let place = key.as_text().and_then(|name| self.places.get(name).copied());
            match place {
                // A key that is there twice stays so, for whoever reads it.
                Some(place) if first.insert(place) => {
                    self.merged[place] = (key, value);
                }
                _ => self.merged.push((key, value)),
            }
        }
        self.merged
    }
}
