//! Whether a member of a group follows, by evidence: what the member says of itself, and what the one it receives from says.
//!
//! `status`, the gate `streaming`, restarts and candidates all judge by this. What is not known is an ill of its own kind, and
//! never counts as following.

use super::{PostgresSeen, Sender, Timeline};
use crate::names::InstanceName;
use crate::names::words::bytes;
use std::collections::BTreeMap;

/// The answers of a group's members. A member that is not in it was not asked (its host was left out of this run).
pub type Answers = BTreeMap<InstanceName, Result<PostgresSeen, String>>;

/// Bytes and seconds beyond which log that was received and is not replayed is more than a busy moment.
const REPLAY_BEHIND: (u64, f64) = (1 << 20, 10.0);

/// What the evidence says of one member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberVerdict {
    /// Bytes that its leader has written and it has not received.
    pub received_behind: Option<u64>,
    /// Bytes that it has received and not replayed.
    pub replay_behind: Option<u64>,
    /// What is wrong, in words that go on after the member's name.
    pub ills: Vec<Ill>,
    /// It has another history than its leader, or may have one: no copy is made of it.
    pub other_history: bool,
}

/// One thing that is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ill {
    /// It is seen to be so.
    Seen(String),
    /// It could not be seen, and why.
    Unknown(String),
}

impl Ill {
    /// The words for it.
    pub fn words(&self) -> &str {
        match self {
            Self::Seen(words) | Self::Unknown(words) => words,
        }
    }
}

impl MemberVerdict {
    /// Nothing is wrong, and all of it is known.
    pub fn sound(&self) -> bool {
        self.ills.is_empty()
    }

    fn seen(&mut self, words: impl Into<String>) {
        self.ills.push(Ill::Seen(words.into()));
    }

    fn unknown(&mut self, words: impl Into<String>) {
        self.ills.push(Ill::Unknown(words.into()));
    }
}

/// Judges the member that Patroni names as leader. `abroad`: it leads a standby cluster, and follows a server elsewhere.
pub fn leading(own: &Result<PostgresSeen, String>, abroad: bool) -> MemberVerdict {
    let mut verdict = MemberVerdict::default();
    match own {
        Err(why) => verdict.unknown(format!("leads, and its PostgreSQL does not answer: {why}")),
        Ok(own) if abroad => {
            of_itself(own, &mut verdict);
        }
        Ok(own) if own.recovery => {
            verdict.seen(
                "leads by Patroni's words, and its PostgreSQL is a standby: it takes no writes",
            );
        }
        Ok(_) => {}
    }
    verdict
}

/// Judges a member that should follow; `leader` is who leads its group, by Patroni.
pub fn following(
    name: &InstanceName,
    leader: Option<&InstanceName>,
    answers: &Answers,
) -> MemberVerdict {
    let mut verdict = MemberVerdict::default();
    let own = match answers.get(name) {
        // Nobody asked: the caller has Patroni's words alone.
        None => return verdict,
        Some(Ok(own)) => own,
        Some(Err(why)) => {
            verdict.unknown(format!("does not say whether it follows: {why}"));
            return verdict;
        }
    };
    if !of_itself(own, &mut verdict) {
        return verdict;
    }
    let Some(leader) = leader else {
        return verdict;
    };
    match answers.get(leader) {
        None => {}
        Some(Err(why)) => verdict.unknown(format!(
            "may not follow: {leader}, who would tell, does not answer: {why}"
        )),
        Some(Ok(source)) => {
            let before = verdict.ills.len();
            same_history(name, own, leader, source, &mut verdict);
            verdict.other_history = verdict.ills.len() > before;
            listed(name, own, answers, leader, &mut verdict);
            let told = row(name, source).and_then(|row| row.flushed);
            let received = own.received.max(told);
            verdict.received_behind = source
                .written
                .zip(received)
                .map(|(written, received)| written.saturating_sub(received));
        }
    }
    verdict
}

/// What a standby says of itself; false where it is none, and the rest says nothing.
fn of_itself(own: &PostgresSeen, verdict: &mut MemberVerdict) -> bool {
    if !own.recovery {
        verdict.seen("is a primary beside its leader: it takes writes of its own (stop it, then `citusctl reinit`)");
        return false;
    }
    let behind = own
        .received
        .zip(own.replayed)
        .map(|(received, replayed)| received.saturating_sub(replayed));
    verdict.replay_behind = behind;
    match behind {
        _ if own.paused => verdict.seen(format!(
            "does not follow: its replay is paused with {} received and not replayed (`SELECT pg_wal_replay_resume()` there goes on)",
            behind.map_or_else(|| "an unknown amount".to_owned(), bytes)
        )),
        Some(behind)
            if own.delay == 0
                && behind > REPLAY_BEHIND.0
                && own.age.is_none_or(|age| age > REPLAY_BEHIND.1) =>
        {
            verdict.seen(format!(
                "replays too slowly: {} received and not replayed (a query there may hold it up: `pg_stat_database_conflicts`)",
                bytes(behind)
            ));
        }
        Some(_) | None => {}
    }
    receives(own, verdict);
    true
}

/// What stands before a line of a server's log: its times and numbers differ at each look, and say nothing new.
pub const LOG_SAYS: &str = "; its log says: ";

fn receives(own: &PostgresSeen, verdict: &mut MemberVerdict) {
    let log = own.complaint.as_ref();
    let log = log.map_or_else(String::new, |words| format!("{LOG_SAYS}{words}"));
    match &own.receiver {
        Some(receiver) if receiver.status == "streaming" => {}
        Some(receiver) => verdict.seen(format!(
            "does not follow: its WAL receiver is {}{log}",
            receiver.status
        )),
        None => verdict.seen(format!(
            "does not follow: it has no WAL receiver, so nothing reaches it{log}"
        )),
    }
}

fn same_history(
    name: &InstanceName,
    own: &PostgresSeen,
    leader: &InstanceName,
    source: &PostgresSeen,
    verdict: &mut MemberVerdict,
) {
    if own.system != source.system {
        verdict.seen(format!(
            "is a copy of another cluster: its system identifier is {}, that of {leader} is {} (`citusctl reinit` makes a copy of this one)",
            own.system, source.system
        ));
        return;
    }
    let (Timeline::Known(ours), Timeline::Known(leading)) = (&own.timeline, &source.timeline)
    else {
        untold(own, leader, source, verdict);
        return;
    };
    if ours > leading {
        verdict.seen(format!(
            "does not follow: it is on timeline {ours}, its leader on {leading}: it has what its leader has not, and `citusctl reinit` removes that (keep a copy of its data directory first)"
        ));
    } else if ours != leading {
        verdict.seen(format!("is on timeline {ours}, its leader on {leading}"));
    } else if let Some(mute) = without_history(*ours, name, own, leader, source) {
        verdict.unknown(format!(
            "may have another history: {mute} does not show the history of timeline {ours}"
        ));
    } else if own.history != source.history {
        verdict.seen(forked(*ours, own, leader, source));
    }
}

fn untold(
    own: &PostgresSeen,
    leader: &InstanceName,
    source: &PostgresSeen,
    verdict: &mut MemberVerdict,
) {
    if let Timeline::Unknown(why) = &own.timeline {
        verdict.unknown(format!("does not say on which timeline it is: {why}"));
    } else if let Timeline::Unknown(why) = &source.timeline {
        verdict.unknown(format!(
            "may be on another timeline: {leader} does not say on which it is: {why}"
        ));
    }
}

/// Every timeline but the first has a file that says where it began.
fn without_history<'a>(
    timeline: u32,
    name: &'a InstanceName,
    own: &PostgresSeen,
    leader: &'a InstanceName,
    source: &PostgresSeen,
) -> Option<&'a InstanceName> {
    let mute = |seen: &PostgresSeen| timeline > 1 && seen.history.is_empty();
    match (mute(own), mute(source)) {
        (true, _) => Some(name),
        (false, true) => Some(leader),
        (false, false) => None,
    }
}

fn forked(
    timeline: u32,
    own: &PostgresSeen,
    leader: &InstanceName,
    source: &PostgresSeen,
) -> String {
    let began = |seen: &PostgresSeen| {
        let branch = seen.history.last().map_or("", String::as_str);
        format!("left {}", branch.replacen(' ', " at ", 1))
    };
    format!(
        "does not follow: its timeline {timeline} {}, that of {leader} {}: two histories with one number (`citusctl reinit` makes a copy of the leader's)",
        began(own),
        began(source)
    )
}

fn row<'a>(name: &InstanceName, source: &'a PostgresSeen) -> Option<&'a Sender> {
    source.standbys.iter().find(|row| row.name == name.as_str())
}

/// Some member sends to it: the leader, or where it cascades another.
fn listed(
    name: &InstanceName,
    own: &PostgresSeen,
    answers: &Answers,
    leader: &InstanceName,
    verdict: &mut MemberVerdict,
) {
    // Its own receiver has said already that nothing comes.
    if own
        .receiver
        .as_ref()
        .is_none_or(|it| it.status != "streaming")
    {
        return;
    }
    let known = || {
        answers
            .iter()
            .filter_map(|(of, seen)| Some((of, seen.as_ref().ok()?)))
    };
    let found = known().find_map(|(of, seen)| Some((of, row(name, seen)?)));
    match found {
        Some((_, row)) if row.state.as_deref() == Some("streaming") => {}
        Some((of, row)) => verdict.seen(format!(
            "has not caught up: {of} sends to it in state `{}`",
            row.state.as_deref().unwrap_or("unknown")
        )),
        None if answers.values().any(Result::is_err) => verdict.unknown(format!(
            "is not among the standbys of {leader}, and not every member could be asked"
        )),
        None => verdict.seen(format!(
            "does not follow: neither {leader} nor another member sends to it (pg_stat_replication)"
        )),
    }
}

#[cfg(test)]
mod tests;
