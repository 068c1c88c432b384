//! `etcd-rm`: members of etcd leave one by one, or all of it ends when nothing lives in it.

use super::{DataFate, RemovalCase};
use crate::inventory::param;
use crate::names::HostName;
use crate::runbook::etcd::{EtcdView, MemberView, forget_one};
use crate::runbook::{Consent, Refusal, Runbook, Step};

/// Takes the members on these hosts out of etcd.
///
/// # Errors
/// No majority now or afterwards, or formations that live in what would end.
pub fn remove_etcd(case: &RemovalCase<'_>) -> Result<Runbook, Refusal> {
    case.no_recover()?;
    let view = EtcdView::of(case.input).ok_or_else(|| {
        Refusal::new(
            "the inventory has no etcd",
            "`citusctl inventory --graph` shows its groups",
        )
    })?;
    let whole = view
        .etcd
        .members
        .iter()
        .all(|member| case.hosts.contains(&member.host));
    let mut book = case.book("etcd-rm", aim(case, &view, whole), view.etcd.name.clone());
    book.seen = view.sentences();
    match whole {
        true => {
            case.nobody_lives_there(&view)?;
            book.consent = Consent::Name;
            book.risks
                .push("all keys are lost, and the users with their passwords".to_owned());
        }
        false => book
            .steps
            .extend(case.leave_one_by_one(&view, &mut book.risks)?),
    }
    book.steps.extend(case.stop("etcd", |_| true));
    let data = case.data("etcd_rm_data");
    let stopped = || {
        "if systemctl is-active -q etcd.service; then echo 'etcd still runs'; false; fi".to_owned()
    };
    book.steps.extend(case.put(data, "its data", |host| {
        Some((case.typed(&host.name)?.get(param::ETCD_DATA), stopped()))
    }));
    book.steps.extend(case.clear());
    book.steps.extend(case.uninstall("etcd_rm_pkg"));
    if data == DataFate::Delete {
        book.consent = Consent::Name;
    }
    let names = case.names();
    book.afterwards.push(format!(
        "Take {names} out of the group `etcd` of the inventory now: while a line is there, an ordinary `citusctl apply` takes it in again."
    ));
    if data == DataFate::Aside {
        book.afterwards.push(format!(
            "Data is kept beside its place, as NAME.removed-{}: delete it when you are sure.",
            case.input.run
        ));
    }
    book.afterwards.extend(case.unreached());
    Ok(book)
}

fn aim(case: &RemovalCase<'_>, view: &EtcdView<'_>, whole: bool) -> String {
    let leaving = view
        .etcd
        .members
        .iter()
        .filter(|member| case.hosts.contains(&member.host));
    let names: Vec<&str> = leaving.map(|member| member.name.as_str()).collect();
    match whole {
        true => format!("end {} on {}", view.etcd.name, case.names()),
        false => format!(
            "take {} out of {} and off {}",
            names.join(", "),
            view.etcd.name,
            case.names()
        ),
    }
}

impl<'a> RemovalCase<'a> {
    /// Each leaves on its own, and what is left must have a majority each time.
    fn leave_one_by_one(
        &self,
        view: &EtcdView<'_>,
        risks: &mut Vec<String>,
    ) -> Result<Vec<Step>, Refusal> {
        let members = view.members();
        let leaves = |member: &&MemberView| {
            member
                .host
                .as_ref()
                .is_some_and(|host| self.hosts.contains(host))
        };
        let counted: Vec<&MemberView> = members
            .iter()
            .filter(leaves)
            .filter(|member| member.id.is_some())
            .collect();
        self.etcd()?;
        let at = members
            .iter()
            .filter(|member| !leaves(member) && member.alive);
        let at: Option<HostName> = at.filter_map(|member| member.host.clone()).next();
        let at = at.ok_or_else(|| {
            Refusal::new(
                "none of the members that stay is alive",
                "bring one of them back first: `citusctl etcd status`",
            )
        })?;
        let mut left = view.quorum();
        let mut steps = Vec::new();
        for member in counted {
            let votes = !member.learner;
            if votes {
                left = left.minus(member.alive);
            }
            if !left.holds() {
                return Err(Refusal::new(
                    format!("without {}: {left}", member.name),
                    "bring a dead member back, or remove that one first",
                ));
            }
            let change = (-i32::from(votes), -i32::from(votes && member.alive));
            let id = member.id.as_deref().unwrap_or_default();
            steps.push(forget_one(&at, id, &member.name, change));
        }
        if !steps.is_empty() {
            risks.push(format!("afterwards: {left}"));
        }
        Ok(steps)
    }

    /// All of etcd ends only when no formation has a key or runs.
    fn nobody_lives_there(&self, view: &EtcdView<'_>) -> Result<(), Refusal> {
        let hint = "remove it first: `citusctl apply pgsql-rm -l FORMATION`";
        let runs = self
            .input
            .seen
            .hosts
            .iter()
            .find(|(_, seen)| seen.runs("patroni"));
        if let Some((host, _)) = runs {
            return Err(Refusal::new(
                format!(
                    "{host}: Patroni runs, and keeps its state in {}",
                    view.etcd.name
                ),
                hint,
            ));
        }
        let keys = self
            .left
            .values()
            .filter_map(|left| left.keys.as_ref())
            .flatten();
        let led: Vec<&str> = keys
            .filter_map(|key| key.strip_suffix("/initialize"))
            .collect();
        match led.first() {
            None => Ok(()),
            Some(first) => Err(Refusal::new(
                format!("{} holds the state of {first}", view.etcd.name),
                hint,
            )),
        }
    }
}
