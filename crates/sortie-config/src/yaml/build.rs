//! The tree from the parser's events.
//!
//! What is no YAML is an error here. What is YAML, but means nothing to us (a tag, a key given twice, an alias in what it
//! stands for) is left in the tree as a [`Fault`], for whoever reads that part.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{
    error::Problem,
    merge::{Entries, MERGE},
    node::{Content, Fault, Mark, Node},
    scalar::Scalar,
};

/// Levels of nesting: more than settings need, and less than the stack can take.
const MAX_DEPTH: usize = 64;

/// The tree of a text that holds one document.
pub(super) fn document(text: &str, number: usize) -> Result<Node, Problem> {
    let parser = Parser::new_from_str(text);
    let mut builder = Builder { parser, number, anchors: HashMap::new(), merged: 0 };
    let mut root = None;
    while let Some((event, at)) = builder.next()? {
        match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Problem::new(at, "a second document, expected one in a file"));
            }
            Event::DocumentStart(_) => {
                if let Some((event, at)) = builder.next()? {
                    root = Some(builder.node(event, at, 0)?.node);
                }
            }
            _ => {}
        }
    }
    root.ok_or_else(|| Problem::new(Mark::start_of(number), "the file is empty"))
}

struct Builder<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    number: usize,
    anchors: HashMap<usize, Built>,
    /// Entries that merge keys have brought.
    merged: usize,
}

#[derive(Clone)]
struct Built {
    node: Node,
    /// Levels below it: an alias may stand for what is deep.
    height: usize,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Mark)>, Problem> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, Mark::new(self.number, span)))),
            Some(Err(error)) => {
                let place = Mark::new(self.number, Span::empty(*error.marker()));
                Err(Problem::new(place, format!("not YAML: {}", error.info())))
            }
        }
    }

    /// The next event of a collection, or `None` at its end.
    fn item(&mut self) -> Result<Option<(Event<'a>, Mark)>, Problem> {
        let next = self.next()?;
        Ok(next.filter(|(event, _)| !matches!(event, Event::SequenceEnd | Event::MappingEnd)))
    }

    fn node(&mut self, event: Event<'a>, at: Mark, depth: usize) -> Result<Built, Problem> {
        if depth > MAX_DEPTH {
            self.skip(&event)?;
            return Ok(too_deep(at));
        }
        let (content, anchor, fault, height) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (plain, fault) = scalar_tag(tag.as_ref());
                let plain = plain.unwrap_or(style == ScalarStyle::Plain);
                (Content::Scalar(Scalar { text: text.into_owned(), plain }), anchor, fault, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                let (items, height) = self.sequence(depth)?;
                (
                    Content::Sequence(Arc::new(items)),
                    anchor,
                    collection_tag(tag.as_ref(), "seq"),
                    height,
                )
            }
            Event::MappingStart(anchor, tag) => {
                let (entries, height) = self.mapping(depth)?;
                (
                    Content::Mapping(Arc::new(entries)),
                    anchor,
                    collection_tag(tag.as_ref(), "map"),
                    height,
                )
            }
            Event::Alias(anchor) => return Ok(self.alias(anchor, at, depth)),
            _ => return Err(Problem::new(at, "not YAML: a value is missing")),
        };
        let built = Built { node: Node { at, content, fault }, height };
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        Ok(built)
    }

    /// What an alias stands for, with the place of the alias: an error in it is located where it is used.
    fn alias(&self, anchor: usize, at: Mark, depth: usize) -> Built {
        match self.anchors.get(&anchor) {
            Some(Built { height, .. }) if depth + height > MAX_DEPTH => too_deep(at),
            Some(Built { node, height }) => {
                Built { node: Node { at, ..node.clone() }, height: *height }
            }
            None => wrong(at, "an alias inside the node it stands for"),
        }
    }

    /// Reads to the end of what this event begins.
    fn skip(&mut self, event: &Event<'a>) -> Result<(), Problem> {
        let mut open = 0_usize;
        let mut count = |event: &Event<'a>| {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => open += 1,
                Event::SequenceEnd | Event::MappingEnd => open -= 1,
                _ => {}
            }
            open
        };
        let mut left = count(event);
        while left > 0 {
            let Some((event, _)) = self.next()? else { break };
            left = count(&event);
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Problem> {
        let (mut items, mut highest) = (Vec::new(), 0);
        while let Some((event, at)) = self.item()? {
            let Built { node, height } = self.node(event, at, depth + 1)?;
            highest = highest.max(height + 1);
            items.push(node);
        }
        Ok((items, highest))
    }

    fn mapping(&mut self, depth: usize) -> Result<(Vec<(Node, Node)>, usize), Problem> {
        let (mut entries, mut highest) = (Entries::default(), 0);
        while let Some((event, at)) = self.item()? {
            let is_merge = is_merge_key(&event);
            let key = self.node(event, at, depth + 1)?;
            let missing = || Problem::new(at, "not YAML: a key without a value");
            let (event, at) = self.next()?.ok_or_else(missing)?;
            let value = self.node(event, at, depth + 1)?;
            highest = highest.max(key.height.max(value.height) + 1);
            if is_merge {
                entries.merge(key.node, &value.node, &mut self.merged);
            } else {
                entries.add(key.node, value.node);
            }
        }
        Ok((entries.finish(), highest))
    }
}

fn wrong(at: Mark, text: &str) -> Built {
    Built { node: Node::faulty(at, Fault::other(text)), height: 0 }
}

fn too_deep(at: Mark) -> Built {
    wrong(at, &format!("nested more than {MAX_DEPTH} levels deep"))
}

/// Whether a key asks for another mapping's entries: `<<` without quotes, or with the tag that means it.
fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, _, None) => text == MERGE,
        Event::Scalar(_, _, _, Some(tag)) => tag.is_yaml_core_schema() && tag.suffix == "merge",
        _ => false,
    }
}

/// Whether a tag makes a scalar plain (`!!int "5"`) or text (`!!str 5`); `None` where it says neither.
fn scalar_tag(tag: Option<&Cow<'_, Tag>>) -> (Option<bool>, Option<Fault>) {
    match tag {
        None => (None, None),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => (Some(false), None),
            "int" | "float" | "bool" | "null" => (Some(true), None),
            "merge" => (None, None),
            _ => (None, Some(unknown_tag(tag))),
        },
        Some(tag) => (None, Some(unknown_tag(tag))),
    }
}

fn collection_tag(tag: Option<&Cow<'_, Tag>>, own: &str) -> Option<Fault> {
    let tag = tag?;
    (!tag.is_yaml_core_schema() || tag.suffix != own).then(|| unknown_tag(tag))
}

fn unknown_tag(tag: &Tag) -> Fault {
    Fault::Tag(tag.to_string().into())
}
