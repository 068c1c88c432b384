//! The tree of groups as it is written, before anything is merged.

use super::{Layer, Vars};
use crate::names::{GroupName, HostName};
use crate::source::{Diagnostic, Diagnostics, Node, Span};
use indexmap::IndexMap;

/// A group as written, in one or several places.
#[derive(Debug)]
pub(super) struct RawGroup {
    pub span: Span,
    pub hosts: IndexMap<HostName, Span>,
    pub children: Vec<GroupName>,
    pub vars: Vars,
}

/// All groups and the variables of hosts.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub groups: IndexMap<GroupName, RawGroup>,
    pub host_vars: IndexMap<HostName, (Span, Vars)>,
}

/// Reads the root of an inventory.
pub(super) fn read(root: &Node, problems: &mut Diagnostics) -> Tree {
    let mut tree = Tree::default();
    let Some(entries) = root.entries() else {
        problems.push(wrong(root, "an inventory", "a mapping with the key `all`"));
        return tree;
    };
    for (name, node) in entries {
        tree.group(name, node, problems);
    }
    if !tree.groups.contains_key("all") {
        problems.push(
            Diagnostic::error("no-all", "the inventory has no group `all`")
                .at(root.span, "the top level of the file")
                .help("start with `all:` and put groups below `all.children`"),
        );
    }
    tree
}

fn wrong(node: &Node, what: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(
        "wrong-shape",
        format!("{what} must be {wanted}, not {}", node.kind()),
    )
    .at(node.span, "here")
}

impl Tree {
    fn group(&mut self, name: &str, node: &Node, problems: &mut Diagnostics) {
        let group = GroupName::new(name);
        self.groups
            .entry(group.clone())
            .or_insert_with(|| RawGroup {
                span: node.span,
                hosts: IndexMap::new(),
                children: Vec::new(),
                vars: Vars::default(),
            });
        if node.kind() == "null" {
            return;
        }
        let Some(entries) = node.entries() else {
            problems.push(wrong(node, &format!("group `{name}`"), "a mapping"));
            return;
        };
        for (key, value) in entries {
            match key {
                "hosts" => self.hosts(&group, value, problems),
                "children" => self.children(&group, value, problems),
                "vars" => self.vars(&group, value, problems),
                other => problems.push(unknown_key(name, other, value)),
            }
        }
    }

    fn hosts(&mut self, group: &GroupName, node: &Node, problems: &mut Diagnostics) {
        if node.kind() == "null" {
            return;
        }
        let Some(entries) = node.entries() else {
            let problem = wrong(
                node,
                &format!("`hosts` of group `{group}`"),
                "a mapping of host names",
            );
            problems
                .push(problem.help("write `hosts: { 10.10.10.10: { pg_seq: 1 } }`, not a list"));
            return;
        };
        for (pattern, value) in entries {
            for host in ranges(pattern) {
                self.host(group, HostName::new(host), value, problems);
            }
        }
    }

    fn host(&mut self, group: &GroupName, host: HostName, node: &Node, problems: &mut Diagnostics) {
        if node.kind() != "null" && node.entries().is_none() {
            problems.push(wrong(
                node,
                &format!("host `{host}`"),
                "a mapping of variables",
            ));
            return;
        }
        if let Some(raw) = self.groups.get_mut(group) {
            raw.hosts.insert(host.clone(), node.span);
        }
        let (_, vars) = self
            .host_vars
            .entry(host)
            .or_insert_with(|| (node.span, Vars::default()));
        vars.overlay(&Vars::of(node, &Layer::Host));
    }

    fn children(&mut self, group: &GroupName, node: &Node, problems: &mut Diagnostics) {
        if node.kind() == "null" {
            return;
        }
        let Some(entries) = node.entries() else {
            problems.push(wrong(
                node,
                &format!("`children` of group `{group}`"),
                "a mapping of groups",
            ));
            return;
        };
        let entries: Vec<(&str, &Node)> = entries.collect();
        for (child, value) in entries {
            if let Some(raw) = self.groups.get_mut(group) {
                raw.children.push(GroupName::new(child));
            }
            self.group(child, value, problems);
        }
    }

    fn vars(&mut self, group: &GroupName, node: &Node, problems: &mut Diagnostics) {
        if node.kind() == "null" {
            return;
        }
        if node.entries().is_none() {
            problems.push(wrong(
                node,
                &format!("`vars` of group `{group}`"),
                "a mapping of variables",
            ));
            return;
        }
        let layer = if group.as_str() == "all" {
            Layer::All
        } else {
            Layer::Group(group.clone())
        };
        if let Some(raw) = self.groups.get_mut(group) {
            raw.vars.overlay(&Vars::of(node, &layer));
        }
    }
}

fn unknown_key(group: &str, key: &str, node: &Node) -> Diagnostic {
    Diagnostic::error("unknown-group-key", format!("group `{group}` has the key `{key}`"))
        .at(node.span, "here")
        .help("a group has `hosts`, `children` and `vars`; variables go below `vars`, groups below `children`")
}

/// Expands `web[01:03].x` to three names; a name without a range is itself.
fn ranges(pattern: &str) -> Vec<String> {
    let range = pattern
        .split_once('[')
        .and_then(|(head, rest)| Some((head, rest.split_once(']')?)));
    let Some((head, (body, tail))) = range else {
        return vec![pattern.to_owned()];
    };
    let Some((first, last)) = body.split_once(':') else {
        return vec![pattern.to_owned()];
    };
    let (Ok(from), Ok(to)) = (first.parse::<u32>(), last.parse::<u32>()) else {
        return vec![pattern.to_owned()];
    };
    let width = first.len();
    (from..=to)
        .flat_map(|n| ranges(&format!("{head}{n:0width$}{tail}")))
        .collect()
}
