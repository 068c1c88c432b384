//! The single values of what was written: fields of records, entries of mappings, items of lists.

use crate::inventory::Written;
use crate::inventory::parameters::{self, Field, Kind};
use crate::source::{Node, Span};

/// One value that can be changed by itself.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// As in `pg_users[0].password`.
    pub name: String,
    /// The variable that it is a part of.
    pub variable: String,
    pub kind: Kind,
    pub node: Node,
    pub at: Span,
    pub layer: String,
}

/// The values of one variable.
pub(super) fn of(written: &Written) -> Vec<Leaf> {
    let kind = parameters::lookup(&written.name).map_or(Kind::Any, |param| param.kind);
    let walk = Walk { written };
    let mut found = Vec::new();
    walk.down(written.name.clone(), kind, &written.var.node, &mut found);
    found
}

struct Walk<'a> {
    written: &'a Written,
}

impl Walk<'_> {
    fn down(&self, name: String, kind: Kind, node: &Node, found: &mut Vec<Leaf>) {
        match (node.items(), node.pairs()) {
            (Some(items), _) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.down(format!("{name}[{at}]"), of_item(kind), item, found);
                }
            }
            (_, Some(pairs)) if !pairs.is_empty() => {
                for (key, value) in pairs {
                    let key = key.as_str().unwrap_or_default();
                    self.down(format!("{name}.{key}"), of_entry(kind, key), value, found);
                }
            }
            _ => found.push(Leaf {
                name,
                variable: self.written.name.clone(),
                kind,
                node: node.clone(),
                at: node.span,
                layer: self.written.var.layer.to_string(),
            }),
        }
    }
}

/// The type of an item of a list.
fn of_item(kind: Kind) -> Kind {
    match kind {
        Kind::Records(fields) | Kind::Names(fields) => Kind::Record(fields),
        Kind::Texts(form) | Kind::TextOrTexts(form) => Kind::Text(form),
        Kind::Networks => Kind::Cidr,
        Kind::Ports => Kind::Port,
        _ => Kind::Any,
    }
}

/// The type of an entry of a mapping.
fn of_entry(kind: Kind, key: &str) -> Kind {
    let field = |fields: &[Field]| fields.iter().find(|field| field.name == key).copied();
    match kind {
        Kind::Record(fields) => field(fields).map_or(Kind::Any, |field| field.kind),
        Kind::Map(_, form) | Kind::TextOrMap(form) => Kind::Text(form),
        _ => Kind::Any,
    }
}
