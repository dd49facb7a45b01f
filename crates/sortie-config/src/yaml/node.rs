//! A YAML document as a tree whose nodes know where they stand.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{error::Problem, scalar::Scalar};

/// Levels of nesting: more than settings need, and less than the stack can take.
const MAX_DEPTH: usize = 64;
/// Nodes after aliases are expanded, so that a short file cannot fill the memory.
pub(super) const MAX_NODES: usize = 100_000;

/// A place in the text, line and column from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Span> for Mark {
    fn from(span: Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
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
    /// The tree of a text that holds one document.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let mut builder =
            Builder { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
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
        let nothing = || Problem::new(Mark { line: 1, column: 1 }, "the file is empty");
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
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Mark)>, Problem> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => Ok(Some((event, span.into()))),
            Some(Err(error)) => {
                let place = Span::empty(*error.marker()).into();
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
