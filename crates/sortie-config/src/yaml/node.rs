//! A YAML document as a tree whose nodes know where they stand.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{error::Problem, scalar::Scalar};

/// Levels of nesting: more than settings need, and less than the stack can take.
const MAX_DEPTH: usize = 64;
/// Nodes after aliases are expanded, so that a short file cannot fill the memory.
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

    fn new(text: usize, span: Span) -> Self {
        Self { text, line: span.start.line(), column: span.start.col() + 1 }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The tree of a text that holds one document; its marks name the text by that number.
    pub(super) fn parse(text: &str, number: usize) -> Result<Self, Problem> {
        let parser = Parser::new_from_str(text);
        let mut builder = Builder { parser, number, anchors: HashMap::new(), nodes: 0 };
        let mut root = None;
        while let Some((event, at)) = builder.next()? {
            match event {
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(Problem::new(at, "a second document, expected one in a file"));
                }
                Event::DocumentStart(_) => {
                    if let Some((event, at)) = builder.next()? {
                        root = Some(builder.node(event, at, 0)?);
                    }
                }
                _ => {}
            }
        }
        let nothing = || Problem::new(Mark::start_of(number), "the file is empty");
        root.ok_or_else(nothing)
    }

    /// The text of a scalar.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The value under a key of a mapping, or at an index of a list.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Scalar(_) => None,
            Content::Sequence(items) => items.get(key.parse::<usize>().ok()?),
            Content::Mapping(entries) => {
                entries.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
            }
        }
    }

    /// A scalar without quotes.
    pub(super) fn plain(text: &str, at: Mark) -> Self {
        let scalar = Scalar { text: text.to_owned(), plain: true };
        Self { at, content: Content::Scalar(scalar) }
    }

    /// Puts a value where these keys of mappings in mappings lead. A mapping takes the place of whatever else is on the way.
    pub(super) fn put(&mut self, keys: &[&str], value: Node) {
        let Some((name, deeper)) = keys.split_first() else {
            *self = value;
            return;
        };
        let empty = || Self { at: value.at, content: Content::Mapping(Vec::new()) };
        if !matches!(self.content, Content::Mapping(_)) {
            *self = empty();
        }
        let Content::Mapping(entries) = &mut self.content else { return };
        let there = entries.iter().position(|(key, _)| key.as_text() == Some(name));
        let index = there.unwrap_or(entries.len());
        if there.is_none() {
            entries.push((Self::plain(name, value.at), empty()));
        }
        let (key, inner) = &mut entries[index];
        if deeper.is_empty() {
            key.at = value.at;
        }
        inner.put(deeper, value);
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Content::Mapping(entries) = &mut self.content {
            entries.retain(|(name, _)| name.as_text() != Some(key));
        }
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

    fn count(&self) -> usize {
        1 + match &self.content {
            Content::Scalar(_) => 0,
            Content::Sequence(items) => items.iter().map(Self::count).sum(),
            Content::Mapping(entries) => entries.iter().map(|(k, v)| k.count() + v.count()).sum(),
        }
    }
}

struct Builder<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    number: usize,
    anchors: HashMap<usize, Node>,
    nodes: usize,
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

    fn node(&mut self, event: Event<'a>, at: Mark, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::new(at, format!("nested more than {MAX_DEPTH} levels deep")));
        }
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = scalar_tag(tag.as_ref(), at)?.unwrap_or(style == ScalarStyle::Plain);
                (Content::Scalar(Scalar { text: text.into_owned(), plain }), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                collection_tag(tag.as_ref(), "seq", at)?;
                (Content::Sequence(self.sequence(depth)?), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(tag.as_ref(), "map", at)?;
                (Content::Mapping(self.mapping(depth)?), anchor)
            }
            Event::Alias(anchor) => {
                let inside = || Problem::new(at, "an alias inside the node it stands for");
                let node = self.anchors.get(&anchor).ok_or_else(inside)?.clone();
                self.spend(node.count(), at)?;
                // An error in it is located where it is used.
                return Ok(Node { at, ..node });
            }
            _ => return Err(Problem::new(at, "not YAML: a value is missing")),
        };
        self.spend(1, at)?;
        let node = Node { at, content };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        while let Some((event, at)) = self.item()? {
            items.push(self.node(event, at, depth + 1)?);
        }
        Ok(items)
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(Node, Node)>, Problem> {
        let mut entries = Vec::new();
        let mut seen = HashMap::new();
        while let Some((event, at)) = self.item()? {
            let key = self.node(event, at, depth + 1)?;
            if let Some(name) = key.as_text()
                && let Some(Mark { line, .. }) = seen.insert(name.to_owned(), at)
            {
                let text = format!("duplicate key `{name}`, first given on line {line}");
                return Err(Problem::new(at, text));
            }
            let missing = || Problem::new(at, "not YAML: a key without a value");
            let (event, at) = self.next()?.ok_or_else(missing)?;
            entries.push((key, self.node(event, at, depth + 1)?));
        }
        Ok(entries)
    }

    fn spend(&mut self, nodes: usize, at: Mark) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(Problem::new(at, format!("more than {MAX_NODES} values")));
        }
        Ok(())
    }
}

/// Whether a tag makes a scalar plain (`!!int "5"`) or text (`!!str 5`); `None` without a tag.
fn scalar_tag(tag: Option<&Cow<'_, Tag>>, at: Mark) -> Result<Option<bool>, Problem> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Some(false)),
            "int" | "float" | "bool" | "null" => Ok(Some(true)),
            _ => Err(unknown_tag(tag, at)),
        },
        Some(tag) => Err(unknown_tag(tag, at)),
    }
}

fn collection_tag(tag: Option<&Cow<'_, Tag>>, own: &str, at: Mark) -> Result<(), Problem> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != own => Err(unknown_tag(tag, at)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, at: Mark) -> Problem {
    Problem::new(at, format!("the tag `{tag}` is not understood, leave it out"))
}
