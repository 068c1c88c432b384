//! The one YAML reader for everything a user writes: inventory, roles, playbooks.

use super::Span;

/// A YAML value with its place, its tag, and scalars as they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub data: Data,
    pub span: Span,
    /// A tag that was written out, as in `!vault`.
    pub tag: Option<String>,
}

/// What a node holds. Scalars keep their text; their type is decided by who reads them.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `plain` is false for quoted and block scalars, which are always strings.
    Scalar {
        text: String,
        plain: bool,
    },
    Seq(Vec<Node>),
    /// In the order written; merge keys are applied already.
    Map(Vec<(Node, Node)>),
}
