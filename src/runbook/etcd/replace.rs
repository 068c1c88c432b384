//! A host takes the place of a dead one: under its name at another address, or at its address without its data. The dead
//! member's entry has to leave etcd before the new one can join. What a living member says of that is judged here, before
//! anything is done; `join.sh` of the role judges the same once more when it does it.

use super::Quorum;
use crate::command::{given, quote};
use crate::model::etcd::FUNCTIONS;
use crate::model::{Etcd, EtcdMember};
use crate::runbook::Refusal;
use std::fmt::Write;

/// What a living member's host is asked: the list, who is alive, and whether anybody is where a member of one of these names
/// was.
pub fn question(etcd: &Etcd, living: &EtcdMember, joining: &[&EtcdMember]) -> String {
    let url = living.client_url(etcd.client_port);
    let program = given(&[("LIVING_URL", &url)], include_str!("scripts/replace.sh"));
    let mut text = format!("{FUNCTIONS}{program}");
    for member in joining {
        let (name, peer) = (quote(&member.name), quote(&peer(etcd, member)));
        let _ = writeln!(text, "in_place_of {name} {peer}");
    }
    text
}

fn peer(etcd: &Etcd, member: &EtcdMember) -> String {
    member.client_url(etcd.peer_port)
}

/// What has to be known before consent: why a host joins, in words; nothing where no entry of a dead member is in its way.
///
/// # Errors
/// The former host of that name is somewhere, or no majority would be left.
pub fn replaces(
    etcd: &Etcd,
    joining: &EtcdMember,
    answers: &[String],
) -> Result<Option<String>, Refusal> {
    for text in answers {
        if let Some((at, who)) = elsewhere(text, &joining.name)
            && !who.is_empty()
        {
            return Err(not_gone(joining, at, who));
        }
    }
    let Some(text) = answers.iter().find(|text| quorum(text).is_some()) else {
        return Ok(None);
    };
    let own = peer(etcd, joining);
    let members = text.lines().filter_map(|line| line.strip_prefix("member "));
    let fields: Vec<Vec<&str>> = members.map(|line| line.split(", ").collect()).collect();
    let is = |entry: &&Vec<&str>, at: usize, value: &str| entry.get(at) == Some(&value);
    let same = fields.iter().find(|entry| is(entry, 3, &own));
    let named = fields.iter().find(|entry| is(entry, 2, &joining.name));
    let (entry, why) = match (same, named) {
        // One that was never told where it listens belongs to a cluster that is just being made.
        (Some(entry), _) if is(&entry, 1, "started") && !is(&entry, 4, "") => {
            (entry, format!("{} has lost its data", joining.name))
        }
        (Some(_), _) | (None, None) => return Ok(None),
        (None, Some(entry)) => {
            let at = elsewhere(text, &joining.name).map_or("another address", |(at, _)| at);
            (
                entry,
                format!("{} was at {at}, where nobody answers", joining.name),
            )
        }
    };
    let before = quorum(text).unwrap_or(Quorum {
        voters: 0,
        alive: 0,
    });
    let left = match is(&entry, 5, "true") {
        true => before,
        false => before.minus(false),
    };
    if !left.holds() {
        return Err(Refusal::new(
            format!("{}: {why}; without that member: {left}", joining.host),
            "bring another member back first (`citusctl etcd status`), or `citusctl recover --survivor HOST`",
        ));
    }
    Ok(Some(format!(
        "{why}: that member leaves etcd first ({left}), then this host joins as a learner and gets its vote"
    )))
}

fn elsewhere<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("at "));
    lines.find_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix(' ')?;
        Some(rest.split_once(' ').unwrap_or((rest, "")))
    })
}

fn quorum(text: &str) -> Option<Quorum> {
    let line = text.lines().find_map(|line| line.strip_prefix("quorum "))?;
    let (voters, alive) = line.split_once(' ')?;
    Some(Quorum {
        voters: voters.parse().ok()?,
        alive: alive.parse().ok()?,
    })
}

fn not_gone(joining: &EtcdMember, at: &str, who: &str) -> Refusal {
    Refusal::new(
        format!(
            "{}: {} is at {at}, which is not gone: {who} answers",
            joining.host, joining.name
        ),
        format!(
            "switch that machine off for good; or, with its line in the inventory as before: `citusctl apply pgsql-rm -l {at}`, `citusctl apply etcd-rm -l {at}`, then the new line"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostName;
    use std::net::IpAddr;

    fn member(seq: u32, last: u8) -> EtcdMember {
        EtcdMember {
            name: format!("etcd-{seq}"),
            seq,
            host: HostName::new(format!("10.0.0.{last}")),
            address: IpAddr::from([10, 0, 0, last]),
            learner: false,
            sans: Vec::new(),
        }
    }

    fn etcd() -> Etcd {
        Etcd {
            name: "etcd".into(),
            members: vec![member(1, 1), member(2, 2), member(3, 4)],
            client_port: 2379,
            peer_port: 2380,
        }
    }

    const LIST: &str = "member a1, started, etcd-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n\
        member a2, started, etcd-2, https://10.0.0.2:2380, https://10.0.0.2:2379, false\n\
        member a3, started, etcd-3, https://10.0.0.3:2380, https://10.0.0.3:2379, false\n";

    fn said(rest: &str, joining: &EtcdMember) -> Result<Option<String>, Refusal> {
        replaces(&etcd(), joining, &[format!("{LIST}{rest}")])
    }

    #[test]
    fn a_dead_member_makes_room_for_one_of_its_name() {
        let words = said("quorum 3 2\nat etcd-3 10.0.0.3 \n", &member(3, 4));
        assert_eq!(
            words.unwrap().unwrap(),
            "etcd-3 was at 10.0.0.3, where nobody answers: that member leaves etcd first (2 with a vote, 2 alive, 2 needed: 0 more may fail), then this host joins as a learner and gets its vote"
        );
    }

    #[test]
    fn a_member_that_is_somewhere_is_not_replaced() {
        let refusal = said("quorum 3 2\nat etcd-3 10.0.0.3 port 22\n", &member(3, 4)).unwrap_err();
        assert_eq!(
            refusal.reason,
            "10.0.0.4: etcd-3 is at 10.0.0.3, which is not gone: port 22 answers"
        );
        assert!(refusal.hint.contains("etcd-rm -l 10.0.0.3"));
    }

    #[test]
    fn a_majority_must_be_left() {
        let refusal = said("quorum 4 2\nat etcd-3 10.0.0.3 \n", &member(3, 4));
        assert!(refusal.is_ok());
        let refusal = said("quorum 3 1\nat etcd-3 10.0.0.3 \n", &member(3, 4)).unwrap_err();
        assert!(
            refusal
                .reason
                .contains("2 with a vote, 1 alive, 2 needed: no quorum")
        );
    }

    #[test]
    fn a_host_without_its_data_takes_its_own_place() {
        let words = said("quorum 3 2\n", &member(3, 3)).unwrap().unwrap();
        assert!(words.starts_with("etcd-3 has lost its data: that member leaves etcd first"));
    }

    #[test]
    fn who_is_new_or_just_being_made_replaces_nobody() {
        assert_eq!(said("quorum 3 3\n", &member(4, 4)), Ok(None));
        let making = "member a3, started, etcd-3, https://10.0.0.3:2380, , false\nquorum 3 2\n";
        let words = replaces(&etcd(), &member(3, 3), &[making.to_owned()]);
        assert_eq!(words, Ok(None));
        assert_eq!(replaces(&etcd(), &member(3, 3), &[]), Ok(None));
    }
}
