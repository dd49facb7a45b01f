//! Hydra's `${a.b}`, which the reference's own files use.

use std::sync::Arc;

use super::{
    node::{Content, Fault, MAX_NODES, Mark, Node},
    scalar::{Resolved, Scalar},
};
use crate::PyValue;

/// References to references, so that a circle ends.
const MAX_HOPS: usize = 16;

/// The node with every `${path}` replaced by what stands there in the file, as a whole value or within a text. Anything else
/// between `${` and `}` needs Hydra, and is a fault of its node, as is a value left open (`???`).
///
/// What comes from beside the file is left as it is.
pub(super) fn resolve(node: &Node, root: &Node) -> Node {
    Resolver { root, nodes: 0 }.node(node, 0)
}

/// The node that it is, where it refers to another as a whole: what is in that is as it was.
pub(super) fn follow<'a>(node: &'a Node, root: &'a Node) -> &'a Node {
    let mut at = node;
    for _ in 0..MAX_HOPS {
        match at
            .as_text()
            .filter(|_| at.fault.is_none())
            .and_then(whole_path)
            .and_then(|path| find(root, path))
        {
            Some(target) => at = target,
            None => break,
        }
    }
    at
}

struct Resolver<'a> {
    root: &'a Node,
    /// Nodes of the result so far: lists of references to lists multiply.
    nodes: usize,
}

impl Resolver<'_> {
    fn node(&mut self, node: &Node, hops: usize) -> Node {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return faulty(node.at, format!("more than {MAX_NODES} values"));
        }
        if node.fault.is_some() {
            return node.clone();
        }
        let content = match &node.content {
            Content::Scalar(_) if node.at.text != 0 => return node.clone(),
            Content::Scalar(scalar) if scalar.text == "???" => {
                return faulty(node.at, "a value is missing: `???` stands for one");
            }
            Content::Scalar(scalar) if scalar.text.contains("${") => {
                return self.references(node.at, &scalar.text, hops);
            }
            Content::Scalar(_) => return node.clone(),
            Content::Sequence(items) => Content::Sequence(Arc::new(
                items.iter().map(|item| self.node(item, hops)).collect(),
            )),
            Content::Mapping(entries) => {
                let resolved = |(key, value): &(Node, Node)| (key.clone(), self.node(value, hops));
                Content::Mapping(Arc::new(entries.iter().map(resolved).collect()))
            }
        };
        Node::new(node.at, content)
    }

    /// A scalar that refers to others.
    fn references(&mut self, at: Mark, text: &str, hops: usize) -> Node {
        let refuse = |why: &str| faulty(at, format!("`{text}` {why}"));
        if hops == MAX_HOPS {
            return refuse("refers to itself");
        }
        if let Some(path) = whole_path(text) {
            return match find(self.root, path) {
                Some(target) => self.node(target, hops + 1),
                None => refuse("is not in this file, write the value in its place"),
            };
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(end) = rest[start..].find('}').map(|end| start + end + 1) else {
                return refuse("has no `}` after its `${`");
            };
            let before = &rest[..start];
            let Some(path) = whole_path(&rest[start..end]).filter(|_| !before.ends_with('\\'))
            else {
                return refuse("needs Hydra to be worked out, write the value in its place");
            };
            let Some(target) = find(self.root, path) else {
                let part = &rest[start..end];
                return refuse(&format!(
                    "needs `{part}`, which is not in this file: write the value in its place"
                ));
            };
            let value = self.node(target, hops + 1);
            if let Some(fault) = value.fault {
                return Node::faulty(at, fault);
            }
            let Content::Scalar(value) = &value.content else {
                return refuse("puts a list or a mapping into a text");
            };
            filled.push_str(before);
            filled.push_str(&printed(value));
            rest = &rest[end..];
        }
        filled.push_str(rest);
        Node::new(at, Content::Scalar(Scalar { text: filled, plain: false }))
    }
}

/// As Python prints it.
fn printed(scalar: &Scalar) -> String {
    match scalar.resolve() {
        Resolved::Text => scalar.text.clone(),
        Resolved::Null => PyValue::None.to_string(),
        Resolved::Bool(value) => PyValue::Bool(value).to_string(),
        Resolved::Int(value) => value.to_string(),
        Resolved::Float(value) => PyValue::Float(value).to_string(),
    }
}

fn faulty(at: Mark, text: impl Into<Arc<str>>) -> Node {
    Node::faulty(at, Fault::other(text))
}

/// `a.b` of `${a.b}`; `a[b]` and `a[0]` are the same as `a.b` and `a.0`.
fn whole_path(text: &str) -> Option<&str> {
    let path = text.strip_prefix("${")?.strip_suffix('}')?.trim();
    let plain = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
    (path.chars().all(plain) && !path.starts_with('.')).then_some(path)
}

/// The value at a path in the file. Where a part of the way is itself a reference, it is followed.
fn find<'a>(root: &'a Node, path: &str) -> Option<&'a Node> {
    let parts = path.split(['.', '[']).map(|part| part.strip_suffix(']').unwrap_or(part));
    parts.filter(|part| !part.is_empty()).try_fold(root, |node, key| step(node, root)?.get(key))
}

/// The mapping that a step of the way stands for.
fn step<'a>(node: &'a Node, root: &'a Node) -> Option<&'a Node> {
    let path = node.as_text().and_then(whole_path);
    match path {
        // One hop: a circle of paths through each other would not end.
        Some(path) => path.split('.').try_fold(root, |node, key| node.get(key)),
        None => Some(node),
    }
}
