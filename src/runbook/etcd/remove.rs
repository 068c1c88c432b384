//! `etcd remove`: a member leaves, dead or alive.

use super::add::forget_one;
use super::{EtcdView, MemberView, book, majority};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::recover::nothing_put_aside;
use crate::runbook::{Refusal, Runbook, Script, Step};

/// Takes a member out, and puts its data aside where its host answers.
///
/// # Errors
/// No majority now, or none without it.
pub fn remove(view: &EtcdView<'_>, member: &MemberView) -> Result<Runbook, Refusal> {
    nothing_put_aside(view.input.seen)?;
    majority(view, view.input)?;
    let aim = format!("{} is no member of etcd any more", member.name);
    let mut book = book(view, "etcd remove", aim);
    let Some(id) = &member.id else {
        book.aim = format!("{} is no member", member.name);
        return Ok(book);
    };
    let votes = !member.learner;
    let left = match votes {
        true => view.quorum().minus(member.alive),
        false => view.quorum(),
    };
    if !left.holds() {
        return Err(Refusal::new(
            format!("without {}: {left}", member.name),
            "bring a dead member back, or remove that one first",
        ));
    }
    let at = other(view, member).ok_or_else(|| {
        Refusal::new(
            format!("{} is the only member that answers", member.name),
            "add another one first: `citusctl etcd add HOST`",
        )
    })?;
    book.seen.push(format!("without it: {left}"));
    if left.spare() == 0 {
        book.risks
            .push("no further member may fail then".to_owned());
    }
    let change = (-i32::from(votes), -i32::from(votes && member.alive));
    book.steps.push(forget_one(&at, id, &member.name, change));
    if let (Some(host), Some(_)) = (&member.host, member.data) {
        book.steps.push(aside(host, &member.name));
    }
    book.afterwards
        .push("take it out of the inventory too, then `citusctl apply` tells Patroni".to_owned());
    Ok(book)
}

/// A host that takes part, and is not the one that leaves.
fn other(view: &EtcdView<'_>, member: &MemberView) -> Option<HostName> {
    let others = view
        .members()
        .into_iter()
        .filter(|other| other.alive && other.id != member.id);
    others.filter_map(|other| other.host).next()
}

fn aside(host: &HostName, name: &str) -> Step {
    let act = "systemctl mask --now etcd.service 2>/dev/null\nmove_aside \"$ETCD_DATA/member\"";
    let holds = "if systemctl is-active -q etcd.service; then echo 'etcd still runs'; false; fi\n[ ! -e \"$ETCD_DATA/member\" ]";
    let title = format!("stop etcd of {name}, and put its data aside");
    Step::on(host, "aside", title, Script::new(act, holds)).with_impact(Impact::Restart)
}
