//! A YAML document as a tree whose nodes know where they stand.

use std::sync::Arc;

use saphyr_parser::Span;

use super::{
    build,
    error::Problem,
    scalar::{Resolved, Scalar},
};

/// Values in one part of a file, those of aliases counted where they are used, so that a short file cannot take for ever.
pub(super) const MAX_NODES: usize = 100_000;

/// A place in one of the texts that make up the settings, line and column from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// Which text: 0 is the file, others are what is set beside it.
    pub(super) text: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Mark {
    pub(super) fn start_of(text: usize) -> Self {
        Self { text, line: 1, column: 1 }
    }

    pub(super) fn new(text: usize, span: Span) -> Self {
        Self { text, line: span.start.line(), column: span.start.col() + 1 }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) content: Content,
    /// What is wrong with it. It is an error only where the node is read: a file has parts that are of no concern here.
    pub(super) fault: Option<Fault>,
}

/// Clones share what they hold, so that aliases of aliases cost nothing until they are read.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Arc<Vec<Node>>),
    Mapping(Arc<Vec<(Node, Node)>>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// A tag that is not understood.
    Tag(Arc<str>),
    /// Anything else, in words.
    Other(Arc<str>),
}

impl Fault {
    pub(super) fn other(text: impl Into<Arc<str>>) -> Self {
        Self::Other(text.into())
    }

    fn at(&self, at: Mark) -> Problem {
        match self {
            Self::Tag(tag) => {
                Problem::new(at, format!("the tag `{tag}` is not understood, leave it out"))
            }
            Self::Other(text) => Problem::new(at, text),
        }
    }
}

impl Node {
    pub(super) fn new(at: Mark, content: Content) -> Self {
        Self { at, content, fault: None }
    }

    /// The tree of a text that holds one document; its marks name the text by that number.
    pub(super) fn parse(text: &str, number: usize) -> Result<Self, Problem> {
        build::document(text, number)
    }

    /// A scalar without quotes.
    pub(super) fn plain(text: &str, at: Mark) -> Self {
        Self::new(at, Content::Scalar(Scalar { text: text.to_owned(), plain: true }))
    }

    pub(super) fn mapping(entries: Vec<(Node, Node)>, at: Mark) -> Self {
        Self::new(at, Content::Mapping(Arc::new(entries)))
    }

    /// A node that is wrong.
    pub(super) fn faulty(at: Mark, fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::plain("", at) }
    }

    /// The text of a scalar.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        let is_null = |scalar: &Scalar| scalar.resolve() == Resolved::Null;
        self.fault.is_none() && matches!(&self.content, Content::Scalar(scalar) if is_null(scalar))
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Node, Node)] {
        match &self.content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key of a mapping, or at an index of a list. Of a key that is there twice, the second, which is faulty.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Scalar(_) => None,
            Content::Sequence(items) => items.get(key.parse::<usize>().ok()?),
            Content::Mapping(entries) => {
                let mut from_the_end = entries.iter().rev();
                from_the_end.find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
            }
        }
    }

    /// Puts a value where these keys of mappings in mappings lead. A mapping takes the place of whatever else is on the way.
    pub(super) fn put(&mut self, keys: &[&str], value: Node) {
        let Some((name, deeper)) = keys.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self.content, Content::Mapping(_)) {
            *self = Self::mapping(Vec::new(), value.at);
        }
        let Content::Mapping(entries) = &mut self.content else { return };
        let entries = Arc::make_mut(entries);
        let there = entries.iter().position(|(key, _)| key.as_text() == Some(name));
        let index = there.unwrap_or(entries.len());
        if there.is_none() {
            entries.push((Self::plain(name, value.at), Self::mapping(Vec::new(), value.at)));
        }
        let (key, inner) = &mut entries[index];
        if deeper.is_empty() {
            key.at = value.at;
        }
        inner.put(deeper, value);
    }

    /// The places of a value, or of all that is in it.
    pub(super) fn places(&self) -> Vec<Mark> {
        match &self.content {
            Content::Mapping(entries) if !entries.is_empty() => {
                entries.iter().flat_map(|(_, value)| value.places()).collect()
            }
            Content::Sequence(items) if !items.is_empty() => {
                items.iter().flat_map(Self::places).collect()
            }
            _ => vec![self.at],
        }
    }

    /// The first that is wrong in it, in the order of the file.
    pub(super) fn check(&self) -> Result<(), Problem> {
        self.check_within(&mut 0)
    }

    fn check_within(&self, seen: &mut usize) -> Result<(), Problem> {
        *seen += 1;
        if *seen > MAX_NODES {
            return Err(Problem::new(self.at, format!("more than {MAX_NODES} values")));
        }
        if let Some(fault) = &self.fault {
            return Err(fault.at(self.at));
        }
        match &self.content {
            Content::Scalar(_) => Ok(()),
            Content::Sequence(items) => items.iter().try_for_each(|item| item.check_within(seen)),
            Content::Mapping(entries) => entries.iter().try_for_each(|(key, value)| {
                key.check_within(seen)?;
                value.check_within(seen)
            }),
        }
    }
}
