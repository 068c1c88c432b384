//! A plan as plain data for people, JSON and saved plans. This is where secrets are masked.

use super::hide::{hide, hide_old};
use super::view::{ChangeOutline, HostOutline, PlanOutline, StageOutline};
use super::{GroupPlan, GroupUnit, Plan, PlannedStage, Unit};
use crate::names::{ClusterName, HostName};
use crate::resource::group::Operation;
use crate::resource::{Action, BeforeAfter, Impact};
use crate::secret::{Masker, Secret};
use ring::hmac;

/// The outline of a plan, secrets masked.
pub fn outline(plan: &Plan, masker: &Masker) -> PlanOutline {
    let stages = plan.stages.iter().filter(|stage| !stage.is_empty());
    PlanOutline {
        hosts: plan.hosts,
        warnings: plan.warnings.iter().map(|text| masker.mask(text)).collect(),
        stages: stages.map(|stage| stage_outline(stage, masker)).collect(),
    }
}

/// A digest of all that a plan would do, contents that are not shown and all known secrets included: an approved plan is carried
/// out only while this stays the same. It is keyed, because it lies in a file: without the key no secret can be guessed by it.
///
/// # Errors
///
/// When the outline cannot be written as JSON.
pub fn digest(plan: &Plan, secrets: &Masker, key: &Secret) -> Result<String, serde_json::Error> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    let mut digest = hmac::Context::with_key(&key);
    let mut part = |bytes: &[u8]| {
        digest.update(&(bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    part(&serde_json::to_vec(&outline(plan, &Masker::default()))?);
    let units = plan
        .stages
        .iter()
        .flat_map(|stage| stage.hosts.values().flatten());
    for unit in units {
        part(unit.id.as_str().as_bytes());
        if let Some(contents) = &unit.change.contents {
            part(&contents.after);
        }
    }
    // Steps of databases hold verifiers with a fresh salt: their passwords are among the secrets.
    secrets
        .each()
        .for_each(|secret| part(secret.expose().as_bytes()));
    let tag = digest.sign();
    Ok(tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn stage_outline(stage: &PlannedStage, masker: &Masker) -> StageOutline {
    let hosts = stage.hosts.iter().map(|(host, units)| HostOutline {
        host: host.clone(),
        changes: units
            .iter()
            .map(|unit| unit_outline(unit, masker))
            .collect(),
    });
    let groups = stage
        .groups
        .iter()
        .filter(|(_, group)| !group.units.is_empty() || !group.unknown.is_empty());
    let groups = groups.map(|(cluster, group)| group_outline(cluster, group, masker));
    StageOutline {
        name: stage.name.clone(),
        hosts: hosts.chain(groups).collect(),
    }
}

fn unit_outline(unit: &Unit, masker: &Masker) -> ChangeOutline {
    ChangeOutline {
        resource: unit.id.clone(),
        action: unit.change.action,
        summary: masker.mask(&unit.change.summary),
        impact: unit.change.impact,
        cause: unit.change.cause.as_deref().map(|cause| masker.mask(cause)),
        diff: unit
            .change
            .contents
            .as_ref()
            .map(|contents| unified(contents, masker)),
        restarts: Vec::new(),
    }
}

/// A group is shown by its cluster name, in the place of a host.
fn group_outline(cluster: &ClusterName, group: &GroupPlan, masker: &Masker) -> HostOutline {
    let unknown = group.unknown.iter().map(|(id, reason)| ChangeOutline {
        resource: id.clone(),
        action: Action::Deferred,
        summary: id
            .as_str()
            .split_once('/')
            .map_or(id.as_str(), |(_, local)| local)
            .to_owned(),
        impact: Impact::None,
        cause: Some(reason.clone()),
        diff: None,
        restarts: Vec::new(),
    });
    let known = group.units.iter().map(|unit| group_unit(unit, masker));
    HostOutline {
        host: HostName::new(cluster.as_str()),
        changes: known.chain(unknown).collect(),
    }
}

fn group_unit(unit: &GroupUnit, masker: &Masker) -> ChangeOutline {
    let details: Vec<String> = unit
        .change
        .details
        .iter()
        .map(|line| format!("  {}\n", masker.mask(line)))
        .collect();
    ChangeOutline {
        resource: unit.id.clone(),
        action: unit.change.action,
        summary: masker.mask(&unit.change.summary),
        impact: unit.change.impact,
        cause: unit.change.cause.clone(),
        diff: (!details.is_empty()).then(|| details.concat()),
        restarts: unit
            .change
            .operations
            .iter()
            .flat_map(restarting)
            .cloned()
            .collect(),
    }
}

/// The hosts whose PostgreSQL an operation restarts.
fn restarting(operation: &Operation) -> &[HostName] {
    match operation {
        Operation::RollingRestart { hosts, .. } => hosts,
        Operation::PatchConfig(_) | Operation::OnLeader(_) => &[],
    }
}

fn unified(contents: &BeforeAfter, masker: &Masker) -> String {
    if contents.sensitive {
        return "(content is secret and not shown)\n".to_owned();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let before = contents.before.as_deref().map(text).unwrap_or_default();
    let after = text(&contents.after);
    let (open_before, open_after) = match &contents.shown {
        Some(shown) => match hide(&before, &after, shown) {
            Some(hidden) => hidden,
            None => return "(content is secret and not shown)\n".to_owned(),
        },
        None if contents.closed => (hide_old(&before), after.clone()),
        None => (before.clone(), after.clone()),
    };
    let (masked_before, masked_after) = (masker.mask(&open_before), masker.mask(&open_after));
    if masked_before == masked_after && before != after {
        return "(only secrets differ; they are not shown)\n".to_owned();
    }
    let diff = similar::TextDiff::from_lines(&masked_before, &masked_after);
    let old = if contents.before.is_some() {
        contents.path.as_str()
    } else {
        "/dev/null"
    };
    diff.unified_diff()
        .context_radius(2)
        .header(old, &contents.path)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rollout;
    use crate::names::{ResourceId, StageName};
    use crate::resource::Change;
    use std::collections::BTreeMap;

    fn plan(content: &str) -> Plan {
        let mut change = Change::new(Action::Update, "/etc/secret", Vec::new());
        change.contents = Some(BeforeAfter {
            path: "/etc/secret".to_owned(),
            before: Some(b"old".to_vec()),
            after: content.as_bytes().to_vec(),
            sensitive: true,
            closed: true,
            shown: None,
        });
        let unit = Unit {
            id: ResourceId::new("r/secret"),
            change,
        };
        let stage = PlannedStage {
            name: StageName::new("s"),
            rollout: Rollout::Together,
            gate: None,
            hosts: BTreeMap::from([(HostName::new("h"), vec![unit])]),
            groups: BTreeMap::new(),
        };
        Plan {
            stages: vec![stage],
            hosts: 1,
            ..Plan::default()
        }
    }

    fn digest_of(content: &str, password: &str, key: &str) -> String {
        let mut secrets = Masker::default();
        secrets.add(Secret::new(password));
        digest(&plan(content), &secrets, &Secret::new(key)).unwrap()
    }

    #[test]
    fn a_digest_knows_contents_that_are_not_shown_and_secrets() {
        let one = digest_of("new", "pw", "k");
        let shown = |content| serde_json::to_string(&outline(&plan(content), &Masker::default()));
        assert_eq!(shown("new").unwrap(), shown("other").unwrap());
        assert_eq!(one, digest_of("new", "pw", "k"));
        assert_ne!(one, digest_of("other", "pw", "k"));
        assert_ne!(one, digest_of("new", "pw2", "k"));
        assert_ne!(
            one,
            digest_of("new", "pw", "k2"),
            "without the key it can be guessed"
        );
    }
}
