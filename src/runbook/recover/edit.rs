//! The inventory without lost hosts, as an edit of its text: comments, order and style stay as they are. Whoever
//! edits so reads the result and compares: a style that is not understood here is noticed there.

use crate::names::HostName;
use std::collections::BTreeSet;

/// What to change.
#[derive(Clone, Debug, Default)]
pub struct InventoryEdit {
    /// Hosts that go, wherever they stand below a `hosts:`.
    pub lost: BTreeSet<HostName>,
    /// Hosts whose `pg_role` becomes `primary`.
    pub primaries: BTreeSet<HostName>,
    /// A host that becomes a member of etcd, with its number.
    pub etcd: Option<(HostName, u32)>,
}

/// A line that opens a mapping or holds one: its indent and key.
fn key(line: &str) -> Option<(usize, &str)> {
    let body = line.trim_start();
    if body.is_empty() || body.starts_with('#') {
        return None;
    }
    let indent = line.len() - body.len();
    let (key, rest) = match body.chars().next() {
        Some(mark @ ('"' | '\'')) => body[1..].split_once(mark)?,
        _ => body
            .split_once(':')
            .map(|(key, _)| (key, &body[key.len()..]))?,
    };
    rest.trim_start().starts_with(':').then_some((indent, key))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Where a reader of the text is.
#[derive(Default)]
struct TextCursor {
    /// The keys above the current line, by indent.
    above: Vec<(usize, String)>,
    /// The indent of a host that goes: deeper lines belong to it.
    going: Option<usize>,
    /// The same of a host that becomes a primary.
    primary: Option<usize>,
}

impl TextCursor {
    fn step(&mut self, edit: &InventoryEdit, line: &str) {
        let inside = |mark: Option<usize>| {
            mark.filter(|mark| line.trim().is_empty() || indent(line) > *mark)
        };
        self.going = inside(self.going);
        self.primary = inside(self.primary);
        let Some((indent, key)) = key(line) else {
            return;
        };
        self.above.retain(|(known, _)| *known < indent);
        let is_host = self
            .above
            .last()
            .is_some_and(|(_, parent)| parent == "hosts");
        let named = |hosts: &BTreeSet<HostName>| is_host && hosts.contains(key);
        if named(&edit.lost) {
            self.going = Some(indent);
        }
        if named(&edit.primaries) {
            self.primary = Some(indent);
        }
        self.above.push((indent, key.to_owned()));
    }
}

impl InventoryEdit {
    /// The edited text.
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::new();
        let mut place = TextCursor::default();
        for line in text.split_inclusive('\n') {
            place.step(self, line);
            // An empty line after a host that goes stays.
            if place.going.is_some() && !line.trim().is_empty() {
                continue;
            }
            match place.primary {
                Some(_) => out.push_str(&as_primary(line)),
                None => out.push_str(line),
            }
            if let (Some((host, number)), true) = (&self.etcd, opens_etcd(&place.above, line)) {
                let margin = " ".repeat(indent(line) + 2);
                out.push_str(&format!("{margin}{host}: {{ etcd_seq: {number} }}\n"));
            }
        }
        out
    }
}

/// Whether the line is `hosts:` of the group `etcd`.
fn opens_etcd(above: &[(usize, String)], line: &str) -> bool {
    let path: Vec<&str> = above
        .iter()
        .rev()
        .take(2)
        .map(|(_, key)| key.as_str())
        .collect();
    path == ["hosts", "etcd"] && line.trim_start().starts_with("hosts:")
}

fn as_primary(line: &str) -> String {
    let Some(at) = line.find("pg_role:") else {
        return line.to_owned();
    };
    let (head, tail) = line.split_at(at + "pg_role:".len());
    let value = tail.trim_start();
    let spaces = &tail[..tail.len() - value.len()];
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '"')))
        .unwrap_or(value.len());
    format!("{head}{spaces}primary{}", &value[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# two of three\nall:\n  children:\n    etcd:\n      hosts:\n        10.0.0.1: { etcd_seq: 1 }   # first\n        '10.0.0.2': { etcd_seq: 2 }\n\
\n    pg:  # the cluster\n      hosts:\n        10.0.0.1: { pg_seq: 1, pg_role: primary }\n        10.0.0.2:\n          # the second\n          pg_seq: 2\n          pg_role: replica\n        10.0.0.3: { pg_seq: 3, pg_role: 'replica' }  # the last\n      vars: { pg_cluster: pg }\n";

    #[test]
    fn hosts_go_roles_change_and_comments_stay() {
        let edit = InventoryEdit {
            lost: ["10.0.0.1".into(), "10.0.0.2".into()].into(),
            primaries: ["10.0.0.3".into()].into(),
            etcd: Some(("10.0.0.3".into(), 3)),
        };
        let wanted = "\
# two of three\nall:\n  children:\n    etcd:\n      hosts:\n        10.0.0.3: { etcd_seq: 3 }\n\
\n    pg:  # the cluster\n      hosts:\n        10.0.0.3: { pg_seq: 3, pg_role: primary }  # the last\n      vars: { pg_cluster: pg }\n";
        assert_eq!(edit.apply(TEXT), wanted);
    }

    #[test]
    fn nothing_to_change_changes_nothing() {
        assert_eq!(InventoryEdit::default().apply(TEXT), TEXT);
    }

    #[test]
    fn a_block_becomes_primary() {
        let edit = InventoryEdit {
            primaries: ["10.0.0.2".into()].into(),
            ..InventoryEdit::default()
        };
        assert!(
            edit.apply(TEXT)
                .contains("          pg_seq: 2\n          pg_role: primary\n")
        );
    }
}
