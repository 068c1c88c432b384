//! What each tag selects, out of the roles as they are declared.

use super::foreign::{self, Why};
use super::{Catalog, ResourceDecl};
use crate::names::{RoleName, Tag};
use crate::source::Node;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a tag stands for: resources as `ROLE/ID`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meaning {
    pub selects: BTreeSet<String>,
    /// What reacts to a change of those, and comes along.
    pub reacts: BTreeSet<String>,
}

/// A tag that selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TagError {
    #[error("no resource has the tag `{tag}`")]
    Unknown {
        tag: Tag,
        suggestion: Option<String>,
    },
    #[error("tag `{tag}` {}", .why.words())]
    Foreign { tag: Tag, why: Why },
}

impl Catalog {
    /// Every tag with what it means. The name of a role is a tag of all that is in it.
    pub fn tags(&self) -> BTreeMap<Tag, Meaning> {
        let mut tags: BTreeMap<Tag, Meaning> = BTreeMap::new();
        for (role, declared) in self.declared() {
            let own = [role.as_str()].into_iter();
            for tag in own.chain(declared.tags.iter().map(String::as_str)) {
                let meaning = tags.entry(Tag::new(tag)).or_default();
                meaning.selects.insert(name(role, declared));
            }
        }
        for meaning in tags.values_mut() {
            meaning.reacts = self.reacting(&meaning.selects);
        }
        tags
    }

    /// Whether a tag selects anything in any role.
    ///
    /// # Errors
    /// One that no role knows, in words that fit where it comes from.
    pub fn check_tag(&self, tag: &Tag) -> Result<(), TagError> {
        let has = |(role, declared): (&RoleName, &ResourceDecl)| {
            role.as_str() == tag.as_str() || declared.tags.iter().any(|own| own == tag.as_str())
        };
        if self.declared().any(has) {
            return Ok(());
        }
        let tag = tag.clone();
        Err(match foreign::why(tag.as_str()) {
            Some(why) => TagError::Foreign { tag, why },
            None => TagError::Unknown {
                suggestion: self.nearest(&tag),
                tag,
            },
        })
    }

    fn declared(&self) -> impl Iterator<Item = (&RoleName, &ResourceDecl)> {
        self.roles
            .iter()
            .flat_map(|(name, role)| role.resources.iter().map(move |declared| (name, declared)))
    }

    fn reacting(&self, selected: &BTreeSet<String>) -> BTreeSet<String> {
        let hears = |declared: &ResourceDecl| {
            patterns(declared).any(|pattern| selected.iter().any(|id| matches(pattern, id)))
        };
        self.declared()
            .filter(|(_, declared)| hears(declared))
            .map(|(role, declared)| name(role, declared))
            .filter(|id| !selected.contains(id))
            .collect()
    }

    fn nearest(&self, tag: &Tag) -> Option<String> {
        let known = self.tags();
        let scored = known
            .keys()
            .map(|other| (strsim::jaro_winkler(tag.as_str(), other.as_str()), other));
        let (score, best) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (score > 0.8).then(|| best.to_string())
    }
}

/// `ROLE/ID`; what a loop fills in is a star.
fn name(role: &RoleName, declared: &ResourceDecl) -> String {
    let id = match declared.id.split_once("{{") {
        Some((fixed, _)) => format!("{fixed}*"),
        None => declared.id.clone(),
    };
    format!("{role}/{id}")
}

/// The resources that a unit or a command reacts to.
fn patterns(declared: &ResourceDecl) -> impl Iterator<Item = &str> {
    let lists = ["on", "restart_on", "reload_on"];
    let fields = declared.fields.iter();
    let fields = fields.filter(move |(key, _)| lists.contains(&key.as_str()));
    let items = fields.flat_map(|(_, node)| node.items().unwrap_or_default());
    items.filter_map(Node::as_str)
}

/// Whether a pattern of a trigger means a resource of that name.
fn matches(pattern: &str, id: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => id.starts_with(prefix),
        None => pattern == id,
    }
}

#[cfg(test)]
mod tests;
