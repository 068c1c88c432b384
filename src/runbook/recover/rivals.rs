//! The other members that can be reached: none may take writes, be of another cluster, or have what the survivor has not.

use super::{PgSeen, Surveyed};
use crate::fact::Relation;
use crate::model::{Group, Instance};
use crate::names::HostName;
use crate::runbook::Refusal;
use std::collections::BTreeSet;

/// The other members that can be reached: none may be writable, further ahead, or of another cluster.
pub(super) fn others(
    seen: &Surveyed,
    group: &Group,
    survivor: &Instance,
    lost: &BTreeSet<HostName>,
    mine: &PgSeen,
) -> Result<(), Refusal> {
    let others = group
        .members
        .iter()
        .filter(|member| member.host != survivor.host);
    for member in others {
        let Some(pg) = seen.get(&member.host).and_then(|seen| seen.pg.as_ref()) else {
            continue;
        };
        same_cluster(member, pg, survivor, mine)?;
        if !lost.contains(&member.host) {
            not_better(member, pg, survivor, mine)?;
        }
    }
    Ok(())
}

/// One that is down may have more than it tells.
fn told_all(member: &Instance, pg: &PgSeen) -> Result<(), Refusal> {
    if pg.exact {
        return Ok(());
    }
    let host = &member.host;
    let role = match pg.recovery {
        true => "a standby",
        false => "the primary",
    };
    Err(Refusal::new(
        format!(
            "{host}: {} is down, and was {role}: it may be further ahead, and its log could not be read to its end",
            member.name
        ),
        format!(
            "look at it first; name it: `citusctl recover --survivor {host}`; or give up what only it has with `--fenced {host}`"
        ),
    ))
}

fn same_cluster(
    member: &Instance,
    pg: &PgSeen,
    survivor: &Instance,
    mine: &PgSeen,
) -> Result<(), Refusal> {
    if pg.system == mine.system {
        return Ok(());
    }
    Err(Refusal::new(
        format!(
            "{}: its data is of another cluster (system identifier {}) than {}'s ({})",
            survivor.host, mine.system, member.host, pg.system
        ),
        "one of them does not belong to this group: find out which before anything is promoted",
    ))
}

fn not_better(
    member: &Instance,
    pg: &PgSeen,
    survivor: &Instance,
    mine: &PgSeen,
) -> Result<(), Refusal> {
    let host = &member.host;
    if pg.up && !pg.recovery {
        return Err(Refusal::new(
            format!(
                "{host}: {} takes writes now: a second primary would be made",
                member.name
            ),
            format!("name it as the survivor, or give it up with `--fenced {host}`"),
        ));
    }
    if let Some(why) = &pg.mute {
        return Err(Refusal::new(
            format!(
                "{host}: PostgreSQL of {} runs and does not answer ({why}): it may take writes",
                member.name
            ),
            format!(
                "see what it is busy with; `--fenced {host}` stops it and gives up what only it has"
            ),
        ));
    }
    // Whoever wrote a timeline has all of it.
    let wrote_it = pg.timeline == mine.timeline && !mine.recovery && pg.recovery;
    let relation = match (&pg.copy, &mine.copy) {
        (Some(theirs), Some(mine)) => theirs.relation(mine),
        (None, _) | (_, None) => Relation::Unknown,
    };
    match relation {
        Relation::Diverged {
            at,
            mine: theirs,
            theirs: own,
        } if pg.timeline >= mine.timeline => Err(parted(member, survivor, at, (theirs, own))),
        // What an older timeline has beyond the fork is told of when it returns.
        Relation::Same | Relation::Behind(_) | Relation::Diverged { .. } => Ok(()),
        Relation::Ahead(_) | Relation::Unknown | Relation::Stranger => {
            let has_it = wrote_it || pg.timeline < mine.timeline;
            if has_it {
                Ok(())
            } else {
                ahead(member, pg, survivor, mine)
            }
        }
    }
}

/// Two copies that each have what the other one has not.
fn parted(member: &Instance, survivor: &Instance, at: u64, bytes: (u64, u64)) -> Refusal {
    let host = &member.host;
    Refusal::new(
        format!(
            "{host}: the copy of {} parts from that of {} at {:X}/{:X}: it has {} bytes from there on, {} has {} others",
            member.name,
            survivor.host,
            at >> 32,
            at & 0xffff_ffff,
            bytes.0,
            survivor.host,
            bytes.1
        ),
        format!(
            "both took writes after that: decide which one goes on; name it as the survivor, and give the other one up: `--fenced {host}` keeps {}",
            survivor.host
        ),
    )
}

fn ahead(
    member: &Instance,
    pg: &PgSeen,
    survivor: &Instance,
    mine: &PgSeen,
) -> Result<(), Refusal> {
    let host = &member.host;
    if (pg.timeline, pg.lsn) <= (mine.timeline, mine.lsn) {
        return told_all(member, pg);
    }
    let words = match pg.timeline == mine.timeline {
        true => format!(
            "{} bytes that {} does not have",
            pg.lsn - mine.lsn,
            survivor.host
        ),
        false => format!(
            "timeline {}, {} only {}",
            pg.timeline, survivor.host, mine.timeline
        ),
    };
    Err(Refusal::new(
        format!("{host}: {} is further ahead: it has {words}", member.name),
        format!(
            "name it: `citusctl recover --survivor {host}`; or give it up with `--fenced {host}`"
        ),
    ))
}
