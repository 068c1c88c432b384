//! `etcd add`: a host of the inventory becomes a member, or takes the place of a dead one of the same address.

use super::{EtcdView, MemberView, book, enforce, majority};
use crate::command::given;
use crate::names::HostName;
use crate::runbook::recover::{endpoint, join, nothing_put_aside, settle};
use crate::runbook::{Refusal, Runbook, Script, Step};

/// Takes a host in: the dead entry of its address out, then a learner, then a voter.
///
/// # Errors
/// No majority, a host that does not answer, arithmetic that forbids it.
pub fn add(view: &EtcdView<'_>, member: &MemberView) -> Result<Runbook, Refusal> {
    nothing_put_aside(view.input.seen)?;
    let alive = majority(view, view.input)?;
    let Some(host) = &member.host else {
        return Err(Refusal::new(
            format!("{} is not in the inventory", member.name),
            "write it into the group of etcd first, and `citusctl apply -t node,etcd_install,etcd_dir,etcd_config --skip-tags etcd_launch -l HOST`",
        ));
    };
    if member.data.is_none() {
        return Err(Refusal::new(
            format!("{host}: does not answer, so it cannot become a member"),
            "start it, or mend the way to it",
        ));
    }
    let mut book = book(
        view,
        "etcd add",
        format!("{} on {host} has a vote in etcd", member.name),
    );
    if member.id.is_some() && member.alive && !member.learner {
        book.aim = format!("{} is a member already", member.name);
        return Ok(book);
    }
    let model_member = view.etcd.members.iter().find(|known| known.host == *host);
    let model_member = model_member.ok_or_else(|| {
        Refusal::new(
            format!("{host} is not in the group of etcd"),
            "`citusctl etcd status` lists its hosts",
        )
    })?;
    if let Some(id) = member.id.as_deref().filter(|_| member.data == Some(false)) {
        let left = view.quorum().minus(false);
        book.seen.push(format!("without the dead entry: {left}"));
        book.steps.push(forget(&alive, id, &member.name, -1));
    } else if member.id.is_some() && member.data == Some(true) && !member.learner {
        book.steps.push(start(host, &member.name));
        return Ok(book);
    }
    let mut step = join(model_member, endpoint(view.input.model, &alive));
    step.title = format!(
        "{} joins as a learner, catches up, and gets a vote",
        member.name
    );
    let replaces = !book.steps.is_empty();
    book.steps.push(config_is_there(host));
    book.steps
        .push(settle(view.input.model, view.input.seen, &alive));
    book.steps.push(step);
    let before = view.quorum();
    let base = if replaces {
        before.minus(false)
    } else {
        before
    };
    book.seen.push(format!("with it: {}", base.plus()));
    book.afterwards
        .push("`citusctl apply` tells Patroni of a member that is new to the inventory".to_owned());
    Ok(book)
}

/// A member that is counted and has its data only needs to run.
fn start(host: &HostName, name: &str) -> Step {
    let act = "systemctl unmask etcd.service 2>/dev/null || :\nsystemctl reset-failed etcd.service 2>/dev/null || :\nsystemctl start --no-block etcd.service";
    let holds = "etcd_majority || { echo 'it takes no part yet'; false; }";
    Step::on(
        host,
        "start",
        format!("start {name}, which has its data"),
        Script::new(act, holds),
    )
    .within(60)
}

fn config_is_there(host: &HostName) -> Step {
    let holds = "[ -e \"$ETCD_CONF\" ] && [ -e /etc/etcd/server.key ] || { echo 'etcd is not installed here: citusctl apply -t etcd_install,etcd_dir,etcd_config -l HOST'; false; }";
    Step::on(
        host,
        "config",
        "etcd is installed there",
        Script::wait(holds),
    )
    .within(1)
}

/// For some seconds after a member came back etcd calls itself unhealthy and changes no list of members. Every other word
/// of it is final here, so this is not `etcd_retry`.
const FORGET: &str = include_str!("scripts/forget.sh");

/// Takes a member out of the list, at a host that takes part in the majority. `alive` is what its going does to the
/// number of the living.
pub(super) fn forget(at: &HostName, id: &str, name: &str, voters: i32) -> Step {
    forget_one(at, id, name, (voters, 0))
}

pub(in crate::runbook) fn forget_one(
    at: &HostName,
    id: &str,
    name: &str,
    (voters, alive): (i32, i32),
) -> Step {
    let values = [("MEMBER_ID", id)];
    let act = given(&values, FORGET);
    let holds = given(&values, include_str!("scripts/forgotten.sh"));
    let script = Script::new(act, holds).require(enforce(voters, alive));
    Step::on(
        at,
        "forget",
        format!("take {name} out of the list of members"),
        script,
    )
    .within(30)
}
