//! `-t`, `--skip-tags` and `-l`: they filter what is wanted, never the model.

use super::Desired;
use crate::names::{HostName, Tag};
use crate::resource::Declared;
use std::collections::{BTreeMap, BTreeSet};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Empty: all.
    pub tags: BTreeSet<Tag>,
    pub skip: BTreeSet<Tag>,
    /// `None`: all.
    pub hosts: Option<BTreeSet<HostName>>,
}

/// Resources of one host: those selected, with digests, and the others.
#[derive(Debug, Default)]
struct Selected {
    digests: BTreeMap<String, String>,
    left: BTreeSet<String>,
}

/// A selection that selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SelectError {
    #[error(
        "nothing of this playbook, as this inventory wants it, is left by the tags and the limit"
    )]
    Nothing,
}

impl Selection {
    fn wants(&self, tags: &BTreeSet<Tag>) -> bool {
        let asked = self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag));
        asked && !self.skips(tags)
    }

    fn skips(&self, tags: &BTreeSet<Tag>) -> bool {
        self.skip.iter().any(|tag| tags.contains(tag))
    }

    fn has_host(&self, host: &HostName) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }

    /// Filters what is wanted. Triggers of what was selected are pulled in, unless they are skipped by name; nothing waits
    /// for services whose units are skipped.
    pub fn apply(&self, mut desired: Desired) -> Result<Desired, SelectError> {
        let digests = self.digests(&desired);
        let nothing = Selected::default();
        for stage in &mut desired.stages {
            let mut all = stage.hosts.values().flatten();
            if all.any(|declared| declared.resource.kind() == "unit" && self.skips(&declared.tags))
            {
                stage.gate = None;
            }
            stage.hosts.retain(|host, _| self.has_host(host));
            for (host, resources) in &mut stage.hosts {
                let selected = digests.get(host).unwrap_or(&nothing);
                *resources = self.select(std::mem::take(resources), selected);
            }
            // What is left of a role goes when the role is meant, not one tag of it.
            stage
                .sweeps
                .retain(|role, _| self.wants(&BTreeSet::from([Tag::new(role.as_str())])));
            let sweeps = !stage.sweeps.is_empty();
            stage
                .hosts
                .retain(|_, resources| sweeps || !resources.is_empty());
            stage
                .groups
                .retain(|_, group| group.members.values().any(|host| self.has_host(host)));
            for group in stage.groups.values_mut() {
                group
                    .resources
                    .retain(|declared| self.wants(&declared.tags));
            }
            stage.groups.retain(|_, group| !group.resources.is_empty());
        }
        desired
            .stages
            .retain(|stage| !stage.hosts.is_empty() || !stage.groups.is_empty());
        if desired.stages.is_empty() {
            Err(SelectError::Nothing)
        } else {
            Ok(desired)
        }
    }

    /// What was selected on each host, with digests, and what is there besides, in whatever stage: triggers reach
    /// across stages.
    fn digests(&self, desired: &Desired) -> BTreeMap<HostName, Selected> {
        let mut digests = BTreeMap::<HostName, Selected>::new();
        for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
            let known = digests.entry(host.clone()).or_default();
            for declared in resources {
                let id = declared.id.as_str().to_owned();
                if self.wants(&declared.tags) {
                    known.digests.insert(id, declared.resource.digest());
                } else {
                    known.left.insert(id);
                }
            }
        }
        digests
    }

    fn select(&self, resources: Vec<Declared>, selected: &Selected) -> Vec<Declared> {
        let mut kept = Vec::new();
        for mut declared in resources {
            let wanted = self.wants(&declared.tags) || pulled(&declared, &selected.digests);
            if wanted && !self.skips(&declared.tags) {
                declared
                    .resource
                    .set_inputs(&selected.digests, &selected.left);
                kept.push(declared);
            }
        }
        kept
    }
}

/// Whether a resource reacts to one that was selected.
fn pulled(declared: &Declared, selected: &BTreeMap<String, String>) -> bool {
    reacts(declared, selected.keys())
}

fn reacts<'a>(declared: &Declared, ids: impl Iterator<Item = &'a String> + Clone) -> bool {
    declared.resource.triggers().iter().any(|pattern| {
        ids.clone().any(|id| {
            pattern
                .strip_suffix('*')
                .map_or(pattern == id, |prefix| id.starts_with(prefix))
        })
    })
}

/// Only these resources of these hosts, and those that react to them. Some may be gone from what is wanted.
pub(super) fn narrow(mut desired: Desired, keep: &BTreeMap<HostName, BTreeSet<String>>) -> Desired {
    let mut selected = BTreeMap::<HostName, Selected>::new();
    for (host, resources) in desired.stages.iter().flat_map(|stage| &stage.hosts) {
        let known = selected.entry(host.clone()).or_default();
        for declared in resources {
            let id = declared.id.to_string();
            match keep.get(host).is_some_and(|ids| ids.contains(&id)) {
                true => drop(known.digests.insert(id, declared.resource.digest())),
                false => drop(known.left.insert(id)),
            }
        }
    }
    for stage in &mut desired.stages {
        stage.groups.clear();
        stage.sweeps.clear();
        stage.hosts.retain(|host, _| keep.contains_key(host));
        for (host, resources) in &mut stage.hosts {
            let (Some(ids), Some(known)) = (keep.get(host), selected.get(host)) else {
                continue;
            };
            resources.retain(|declared| {
                ids.contains(declared.id.as_str()) || reacts(declared, ids.iter())
            });
            for declared in resources {
                declared.resource.set_inputs(&known.digests, &known.left);
            }
        }
        stage.hosts.retain(|_, resources| !resources.is_empty());
    }
    desired.stages.retain(|stage| !stage.hosts.is_empty());
    desired
}
