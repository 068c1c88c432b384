//! What is left of single members that leave a group: a key, a row of Citus's, a replication slot.

use super::RemovalCase;
use crate::command::quote;
use crate::model::{Formation, Group, Instance};
use crate::names::InstanceName;
use crate::runbook::patroni::steps;
use crate::runbook::{Refusal, Script, Step};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Patroni's own default of `member_slots_ttl` (seconds).
const SLOTS_TTL: i64 = 1800;

impl<'a> RemovalCase<'a> {
    pub(super) fn forget_members(
        &self,
        formation: &'a Formation,
        group: &'a Group,
    ) -> Result<Vec<Step>, Refusal> {
        let mut all = Vec::new();
        let leaving: Vec<&Instance> = group
            .members
            .iter()
            .filter(|member| self.leaves(member))
            .collect();
        for member in &leaving {
            all.extend(self.forget(group, member)?);
        }
        if let Some(metadata) = self.metadata(formation)? {
            all.extend(
                leaving
                    .iter()
                    .filter_map(|member| metadata.forget_member(member)),
            );
        }
        all.extend(self.slots(group, &leaving)?);
        Ok(all)
    }

    /// Patroni 4 keeps the slot of a member that is away for half an hour. It is told for a moment not to, unless another
    /// member is away whose slot would go with it.
    fn slots(&self, group: &'a Group, leaving: &[&Instance]) -> Result<Vec<Step>, Refusal> {
        let names: Vec<String> = leaving.iter().map(|member| slot(&member.name)).collect();
        let stays = || group.members.iter().filter(|member| !self.leaves(member));
        let has = |member: &&Instance| {
            let slots = self
                .left
                .get(&member.host)
                .and_then(|left| left.slots.as_ref());
            slots.is_some_and(|slots| names.iter().any(|name| slots.contains(name)))
        };
        let holders: Vec<&Instance> = stays().filter(has).collect();
        let seen = self.seen(group)?;
        let all_up =
            stays().all(|member| seen.member(&member.name).is_some_and(|seen| seen.is_up()));
        let (Some(leader), false, true) = (seen.leader(), holders.is_empty(), all_up) else {
            return Ok(Vec::new());
        };
        let before = seen
            .dynamic
            .as_ref()
            .and_then(|config| config.get("member_slots_ttl"))
            .cloned();
        let before = match before {
            // A run that was cut off left it so.
            Some(Value::Number(number)) if number.as_i64() == Some(0) => json!(SLOTS_TTL),
            Some(value) => value,
            None => Value::Null,
        };
        let scripts = stays().filter(|member| self.left.contains_key(&member.host));
        let scripts: BTreeMap<_, _> = scripts
            .map(|member| (member.host.clone(), Script::wait(no_slot(&names))))
            .collect();
        let title = format!(
            "no member has the replication slot {} any more",
            names.join(", ")
        );
        // Of a host that lost its power PostgreSQL keeps the sender, and with it the slot, for `wal_sender_timeout` (60 s).
        let within = 90 + 3 * u64::from(group.rto.loop_wait);
        Ok(vec![
            steps::member_slots(group, leader, json!(0)),
            Step::on_all(scripts, "slots", title).within(within),
            steps::member_slots(group, leader, before),
        ])
    }
}

fn no_slot(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "SELECT coalesce(string_agg(slot_name || coalesce(', held by process ' || active_pid, ''), '; '), '') FROM pg_replication_slots WHERE slot_name IN ({})",
        names.join(", ")
    );
    format!(
        "left=$(sql postgres {}) || {{ echo 'PostgreSQL does not answer'; false; }}\n\
         [ -z \"$left\" ] || {{ echo \"it is still there: $left (the sender to a host without power ends after wal_sender_timeout)\"; false; }}",
        quote(&sql)
    )
}

/// The name that Patroni gives a member's replication slot.
fn slot(name: &InstanceName) -> String {
    let mut slot = String::new();
    for c in name.as_str().to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => slot.push(c),
            '-' | '.' => slot.push('_'),
            other => slot.push_str(&format!("u{:04}", u32::from(other))),
        }
    }
    slot.chars().take(63).collect()
}
