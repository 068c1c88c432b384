//! What the PostgreSQL servers of a group say of themselves and of each other: the evidence that members follow.

use super::Run;
use super::fleet::{chain, collect};
use super::look::futures_join;
use crate::command::whole_program;
use crate::fact::{Answers, GroupSeen, PostgresSeen, postgres_question, read_postgres};
use crate::model::{Group, Instance};
use crate::transport::Program;
use std::time::Duration;

/// Longer than every limit inside of the question.
const LIMIT: Duration = Duration::from_secs(12);

/// Asks all members whose hosts belong to this run, at once. A host that could not be reached is an answer, too: not known.
pub(super) async fn ask(run: &Run<'_>, group: &Group) -> Answers {
    let asked = group.members.iter().map(|member| async {
        let connected = run.fleet.get(&member.host).is_some();
        match run.fleet.unreachable().get(&member.host) {
            Some(error) => Some((member.name.clone(), Err(chain(error)))),
            None if connected => Some((member.name.clone(), one(run, member).await)),
            None => None,
        }
    });
    futures_join(asked).await.into_iter().flatten().collect()
}

async fn one(run: &Run<'_>, member: &Instance) -> Result<PostgresSeen, String> {
    let transport = run.fleet.get(&member.host);
    let transport = transport.ok_or_else(|| format!("{} is not connected", member.host))?;
    let formation = run.model.formation(&member.formation);
    let formation = formation.ok_or_else(|| format!("{} has no formation", member.name))?;
    let question = postgres_question(formation, member);
    let text = whole_program(&format!("{}{question}", run.frame.define_mark()));
    let program = Program::of(text).within(LIMIT);
    let answer = collect(transport.as_ref(), &program).await;
    let (_, output) = answer.map_err(|error| chain(&error))?;
    read_postgres(&run.frame.sections(&output.out))
}

/// Judges the members of a look at Patroni by what their servers say now. A leader whose host is not reached from here says
/// nothing against those that follow it: their own words are left.
pub(super) async fn confirm(run: &Run<'_>, group: &Group, mut seen: GroupSeen) -> GroupSeen {
    let answers = ask(run, group).await;
    let away = |host| run.fleet.unreachable().contains_key(host);
    let leader = seen.leader().filter(|leader| away(&leader.host));
    let without = leader.map(|leader| leader.name.clone());
    seen.judge(&answers, without.as_ref());
    seen
}
