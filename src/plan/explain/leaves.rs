//! The single values of what was written: fields of records, entries of mappings, items of lists.

use crate::inventory::Written;
use crate::inventory::parameters::{self, Field, ParamKind};
use crate::source::{Node, Span};

/// One value that can be changed by itself.
#[derive(Clone, Debug)]
pub(super) struct ValueLeaf {
    /// As in `pg_users[0].password`.
    pub name: String,
    /// The variable that it is a part of.
    pub variable: String,
    pub kind: ParamKind,
    pub node: Node,
    pub at: Span,
    /// The item of a list that it is a part of.
    pub record: Option<Span>,
    /// The keys that lead to it.
    pub keys: Vec<Span>,
    pub layer: String,
}

/// The values of one variable.
pub(super) fn of(written: &Written) -> Vec<ValueLeaf> {
    let kind = parameters::lookup(&written.name).map_or(ParamKind::Any, |param| param.kind);
    let walk = LeafWalk {
        written,
        record: None,
    };
    let mut found = Vec::new();
    let keys = [written.var.key];
    walk.down(
        written.name.clone(),
        kind,
        (&written.var.node, &keys),
        &mut found,
    );
    found
}

struct LeafWalk<'a> {
    written: &'a Written,
    record: Option<Span>,
}

impl LeafWalk<'_> {
    fn down(
        &self,
        name: String,
        kind: ParamKind,
        (node, keys): (&Node, &[Span]),
        found: &mut Vec<ValueLeaf>,
    ) {
        match (node.items(), node.pairs()) {
            (Some(items), _) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    let name = format!("{name}[{at}]");
                    let record = self.record.or(Some(item.span));
                    let within = LeafWalk { record, ..*self };
                    within.down(name, of_item(kind), (item, keys), found);
                }
            }
            (_, Some(pairs)) if !pairs.is_empty() => {
                for (key, value) in pairs {
                    let keys = [keys, &[key.span]].concat();
                    let key = key.as_str().unwrap_or_default();
                    let name = format!("{name}.{key}");
                    self.down(name, of_entry(kind, key), (value, &keys), found);
                }
            }
            _ => found.push(ValueLeaf {
                name,
                variable: self.written.name.clone(),
                kind,
                node: node.clone(),
                at: node.span,
                record: self.record,
                keys: keys.to_vec(),
                layer: self.written.var.layer.to_string(),
            }),
        }
    }
}

/// The type of an item of a list.
fn of_item(kind: ParamKind) -> ParamKind {
    match kind {
        ParamKind::Records(fields) | ParamKind::Names(fields) => ParamKind::Record(fields),
        ParamKind::Texts(form) | ParamKind::TextOrTexts(form) => ParamKind::Text(form),
        ParamKind::Networks => ParamKind::Cidr,
        ParamKind::Ports => ParamKind::Port,
        _ => ParamKind::Any,
    }
}

/// The type of an entry of a mapping.
fn of_entry(kind: ParamKind, key: &str) -> ParamKind {
    let field = |fields: &[Field]| fields.iter().find(|field| field.name == key).copied();
    match kind {
        ParamKind::Record(fields) => field(fields).map_or(ParamKind::Any, |field| field.kind),
        ParamKind::Map(_, form) | ParamKind::TextOrMap(form) => ParamKind::Text(form),
        _ => ParamKind::Any,
    }
}
