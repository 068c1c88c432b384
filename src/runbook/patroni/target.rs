//! Which group and which member the operator means.

use crate::model::{Group, Instance, Model};
use crate::names::InstanceName;

/// What was named is not there, or not one thing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("no group is named, and there are several: {}", .0.join(", "))]
    Several(Vec<String>),
    #[error("group {number} is in several formations: {}", clusters.join(", "))]
    Ambiguous { number: u32, clusters: Vec<String> },
    #[error("there is no group `{name}`{}", mean(.near))]
    NoGroup { name: String, near: Option<String> },
    #[error("there is no member `{name}`{}", mean(.near))]
    NoMember { name: String, near: Option<String> },
    #[error("{member} is a member of {its}, not of {group}")]
    Elsewhere {
        member: String,
        its: String,
        group: String,
    },
    #[error("the inventory has no PostgreSQL")]
    NoGroups,
}

fn mean(near: &Option<String>) -> String {
    near.as_ref()
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

/// The group of a number or a cluster's name; without either the only one.
///
/// # Errors
/// See [`TargetError`].
pub fn group_named<'a>(model: &'a Model, name: Option<&str>) -> Result<&'a Group, TargetError> {
    let groups: Vec<&Group> = model.groups().map(|(_, group)| group).collect();
    let names = || groups.iter().map(|group| group.cluster.to_string());
    let Some(name) = name else {
        return match groups.as_slice() {
            [only] => Ok(only),
            [] => Err(TargetError::NoGroups),
            _ => Err(TargetError::Several(names().collect())),
        };
    };
    let number: Option<u32> = name.parse().ok();
    let fits = |group: &&&Group| {
        group.cluster.as_str() == name || (number.is_some() && group.number == number)
    };
    let found: Vec<&&Group> = groups.iter().filter(fits).collect();
    match (found.as_slice(), number) {
        ([only], _) => Ok(only),
        ([], _) | (_, None) => Err(TargetError::NoGroup {
            name: name.to_owned(),
            near: nearest(name, names()),
        }),
        (several, Some(number)) => Err(TargetError::Ambiguous {
            number,
            clusters: several
                .iter()
                .map(|group| group.cluster.to_string())
                .collect(),
        }),
    }
}

/// A member by its name, or by its host.
///
/// # Errors
/// [`TargetError::NoMember`], with the nearest name.
pub fn member_named<'a>(model: &'a Model, name: &str) -> Result<&'a Instance, TargetError> {
    let found = model
        .instances()
        .find(|member| member.name.as_str() == name || member.host.as_str() == name);
    found.ok_or_else(|| TargetError::NoMember {
        name: name.to_owned(),
        near: nearest(
            name,
            model.instances().map(|member| member.name.to_string()),
        ),
    })
}

/// The group that is meant by `--group` and a member together.
///
/// # Errors
/// See [`TargetError`].
pub fn group_of<'a>(
    model: &'a Model,
    group: Option<&str>,
    member: Option<&str>,
) -> Result<(&'a Group, Option<InstanceName>), TargetError> {
    let Some(member) = member else {
        return Ok((group_named(model, group)?, None));
    };
    let member = member_named(model, member)?;
    let (_, own) = model.group(&member.cluster).ok_or(TargetError::NoGroups)?;
    if group.is_some() {
        let named = group_named(model, group)?;
        if named.cluster != own.cluster {
            return Err(TargetError::Elsewhere {
                member: member.name.to_string(),
                its: own.cluster.to_string(),
                group: named.cluster.to_string(),
            });
        }
    }
    Ok((own, Some(member.name.clone())))
}

fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let scored = known.map(|known| (strsim::jaro_winkler(name, &known), known));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > 0.8).then_some(best.1)
}
