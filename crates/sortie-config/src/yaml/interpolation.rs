//! Hydra's `${a.b}`, which the reference's own files use for whole values.

use super::{
    error::Problem,
    node::{Content, MAX_NODES, Node},
};

/// References to references, so that a circle ends.
const MAX_HOPS: usize = 16;

/// The node with every `${path}` replaced by what stands there in the file. Anything else between
/// `${` and `}` needs Hydra, and is an error, as is a value left open (`???`).
pub(super) fn resolve(node: &Node, root: &Node) -> Result<Node, Problem> {
    Resolver { root, nodes: 0 }.node(node, 0)
}

struct Resolver<'a> {
    root: &'a Node,
    /// Nodes of the result so far: lists of references to lists multiply.
    nodes: usize,
}

impl Resolver<'_> {
    fn node(&mut self, node: &Node, hops: usize) -> Result<Node, Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Problem::new(node.at, format!("more than {MAX_NODES} values")));
        }
        let content = match &node.content {
            Content::Scalar(scalar) if scalar.text == "???" => {
                return Err(Problem::new(node.at, "a value is missing: `???` stands for one"));
            }
            Content::Scalar(scalar) if scalar.text.contains("${") => {
                return self.reference(node, &scalar.text, hops);
            }
            Content::Scalar(scalar) => Content::Scalar(scalar.clone()),
            Content::Sequence(items) => Content::Sequence(
                items.iter().map(|item| self.node(item, hops)).collect::<Result<_, _>>()?,
            ),
            Content::Mapping(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    resolved.push((key.clone(), self.node(value, hops)?));
                }
                Content::Mapping(resolved)
            }
        };
        Ok(Node { at: node.at, content })
    }

    fn reference(&mut self, node: &Node, text: &str, hops: usize) -> Result<Node, Problem> {
        let refuse = |why| Problem::new(node.at, format!("`{text}` {why}"));
        if hops == MAX_HOPS {
            return Err(refuse("refers to itself"));
        }
        let path = whole_path(text)
            .ok_or_else(|| refuse("needs Hydra to be worked out, write the value in its place"))?;
        let target = path.split('.').try_fold(self.root, |node, key| node.get(key));
        let target =
            target.ok_or_else(|| refuse("is not in this file, write the value in its place"))?;
        self.node(target, hops + 1)
    }
}

/// `a.b` of `${a.b}`.
fn whole_path(text: &str) -> Option<&str> {
    let path = text.strip_prefix("${")?.strip_suffix('}')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    path.chars().all(plain).then_some(path)
}
