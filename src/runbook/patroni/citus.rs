//! Whether Citus knows who leads a group.

use super::GroupView;
use crate::command::quote;
use crate::fact::MemberSeen;
use crate::model::{Formation, Instance};
use crate::runbook::{Script, Step};

/// Waits until Citus's metadata name the new leader of the group, or says that nobody can tell.
pub(super) fn registered(
    view: &GroupView<'_>,
    leader: &MemberSeen,
    risks: &mut Vec<String>,
) -> Option<Step> {
    let citus = view.citus?;
    let next = view
        .group
        .members
        .iter()
        .find(|member| member.name == leader.name)?;
    let on = match view.group.is_coordinator() {
        true => Some(next),
        false => citus.leader,
    };
    let Some(on) = on.filter(|on| on.host != leader.host || leader.answers) else {
        risks.push(
            "the coordinator has no leader that answers from here: Patroni tells it of the new leader when it has one"
                .to_owned(),
        );
        return None;
    };
    named(citus.formation, on, next)
}

fn named(formation: &Formation, on: &Instance, leader: &Instance) -> Option<Step> {
    let number = leader.group?;
    let sql = format!(
        "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE noderole = 'primary' AND isactive AND groupid = {number}"
    );
    let wanted = format!("{}:{}", leader.address, leader.port);
    let holds = format!(
        "found=$({} {})\n\
         [ \"$found\" = {} ] || {{ echo \"pg_dist_node still names ${{found:-nobody}}\"; false; }}",
        formation.psql(on.port),
        quote(&sql),
        quote(&wanted),
    );
    let title = format!("Citus knows that {} leads group {number}", leader.name);
    Some(Step::on(&on.host, "registered", title, Script::wait(holds)).within(60))
}
