//! What a survivor's group looks like when most of it is gone: one quick program on each host that answers.

use super::marker::{MARKER_PATH, Marker};
use super::room::{self, WriteTarget};
use crate::command::{Frame, given, whole_program};
use crate::fact::{self, DataCopy};
use crate::names::HostName;
use crate::secret::Secret;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// All hosts that were asked.
#[derive(Clone, Debug, Default)]
pub struct Surveyed {
    /// Hosts that answered.
    pub hosts: BTreeMap<HostName, HostSeen>,
    /// Hosts that did not, and why.
    pub unreachable: BTreeMap<HostName, String>,
}

/// One host that answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSeen {
    /// `active`, `inactive`, `failed` by unit; units that are not there are `inactive`.
    pub units: BTreeMap<String, String>,
    /// Units that are masked.
    pub masked: BTreeSet<String>,
    pub marker: Option<Marker>,
    pub etcd: EtcdSeen,
    pub pg: Option<PgSeen>,
    pub addresses: BTreeSet<IpAddr>,
    /// Places that PostgreSQL and etcd write to.
    pub room: Vec<WriteTarget>,
    /// Addresses of hosts that do not answer us and are not off, as seen from here, and how they show it.
    pub alive: BTreeMap<String, String>,
}

/// etcd on a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EtcdSeen {
    /// Its data directory has a member in it.
    pub data: bool,
    /// It takes part in a majority, and that is the one of the cluster that most are of.
    pub majority: bool,
    /// Its cluster's identifier, where it answers.
    pub cluster: Option<u64>,
    /// It answers, and is of another cluster than most.
    pub stranger: bool,
    /// How far its log goes, where it answers: the greater, the fresher.
    pub index: Option<u64>,
    /// Members of the cluster; known only with a majority.
    pub members: Vec<EtcdMemberSeen>,
}

/// A member as `etcdctl member list` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdMemberSeen {
    pub id: String,
    pub started: bool,
    pub name: String,
    pub peer: String,
    pub learner: bool,
}

/// PostgreSQL on a host. What is known of one that is down comes from its control file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PgSeen {
    pub up: bool,
    /// A standby, or one that was when it stopped.
    pub recovery: bool,
    /// Bytes: the end of what it has, received or written.
    pub lsn: u64,
    /// Whether `lsn` is all that it has. One that is down tells of a position that it had passed: a primary that crashed of
    /// its last checkpoint, a standby of what it had replayed.
    pub exact: bool,
    pub timeline: u32,
    pub system: String,
    /// The host that it last followed.
    pub upstream: Option<String>,
    /// When the last transaction that it has was committed.
    pub last_commit: Option<String>,
    pub synchronous: String,
    /// Its history, and the end of its log.
    pub copy: Option<DataCopy>,
    /// It runs and does not answer, so that nobody knows what it does: what psql said.
    pub mute: Option<String>,
}

const SQL: &str = "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN \
 (SELECT pg_wal_lsn_diff(greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0')), '0/0')) \
 ELSE pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') END, \
 greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery()), \
 (SELECT received_tli FROM pg_stat_wal_receiver)), (SELECT system_identifier FROM pg_control_system()), \
 coalesce(substring(current_setting('primary_conninfo') FROM 'host=([^ ]+)'), ''), \
 coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), ''), \
 current_setting('synchronous_standby_names')";

/// The program for one host. `functions` are [`super::super::host_functions`], `asked` what [`super::questions`] says. Nothing
/// in it waits longer than a few seconds.
pub fn survey_program(frame: &Frame, functions: &Secret, asked: &str) -> Secret {
    let values = [("MARKER", MARKER_PATH), ("SQL", SQL)];
    let text = format!(
        "{}{}\n{asked}\n{}",
        frame.define_mark(),
        functions.expose(),
        given(&values, include_str!("scripts/survey.sh"))
    );
    whole_program(&text)
}

/// Reads what a host said. `None` when the answer is not whole.
pub fn read_survey(frame: &Frame, output: &str) -> Option<HostSeen> {
    let sections = frame.sections(output);
    sections.get("end")?;
    let mut seen = HostSeen {
        marker: sections.get("marker").and_then(Marker::read),
        addresses: fact::addresses(sections.get("addresses").unwrap_or_default()),
        room: room::read(sections.get("room").unwrap_or_default()),
        ..HostSeen::default()
    };
    for (unit, text) in sections.starting_with("unit") {
        let mut words = text.split_whitespace();
        let state = words.next().unwrap_or("inactive");
        seen.units.insert(unit.to_owned(), state.to_owned());
        if words.any(|word| word.starts_with("masked")) {
            seen.masked.insert(unit.to_owned());
        }
    }
    seen.etcd = EtcdSeen {
        data: sections.get("etcd data").is_some(),
        majority: sections.get("etcd majority").is_some(),
        index: sections
            .get("index")
            .and_then(|text| text.trim().parse().ok()),
        cluster: sections
            .get("cluster")
            .and_then(|text| text.trim().parse().ok()),
        stranger: false,
        members: sections.get("members").map(members).unwrap_or_default(),
    };
    let live = sections
        .get("psql 0")
        .and(sections.get("sql"))
        .and_then(live);
    let found = live.or_else(|| sections.get("control").and_then(control));
    seen.pg = found.map(|pg| told(pg, sections.get("copy").unwrap_or_default()));
    let alive = sections.get("alive").unwrap_or_default().lines();
    let alive = alive.filter_map(|line| line.strip_prefix("back ")?.split_once(' '));
    seen.alive = alive
        .map(|(address, how)| (address.to_owned(), how.trim_matches(['(', ')']).to_owned()))
        .collect();
    Some(seen)
}

fn live(text: &str) -> Option<PgSeen> {
    let fields: Vec<&str> = text.trim().split('|').collect();
    let [
        recovery,
        lsn,
        timeline,
        system,
        upstream,
        commit,
        synchronous,
    ] = fields.as_slice()
    else {
        return None;
    };
    let there = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(PgSeen {
        up: true,
        recovery: *recovery == "t",
        lsn: lsn.parse().ok()?,
        exact: true,
        timeline: timeline.parse().ok()?,
        system: (*system).to_owned(),
        upstream: there(upstream),
        last_commit: there(commit),
        synchronous: (*synchronous).to_owned(),
        ..PgSeen::default()
    })
}

/// What the copy's own history and log say, which is more than its control file does.
fn told(mut pg: PgSeen, text: &str) -> PgSeen {
    let Ok(answer) = serde_json::from_str::<Value>(text.trim()) else {
        return pg;
    };
    let word = |key: &str| answer.get(key).and_then(Value::as_str);
    if word("state") == Some("mute") {
        pg.mute = Some(word("why").unwrap_or("no answer").to_owned());
    }
    pg.copy = serde_json::from_value::<DataCopy>(answer.clone()).ok();
    if let Some(copy) = &pg.copy {
        pg.timeline = copy.timeline;
        pg.lsn = pg.lsn.max(copy.end);
        pg.exact |= copy.exact;
    }
    pg
}

fn control(text: &str) -> Option<PgSeen> {
    let field = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    };
    let position = |name: &str| field(name).and_then(|text| lsn(&text)).unwrap_or(0);
    let state = field("Database cluster state")?;
    Some(PgSeen {
        up: false,
        // Crash recovery is a primary's.
        recovery: state.ends_with("in recovery") || state.contains("archive recovery"),
        lsn: position("Latest checkpoint location")
            .max(position("Minimum recovery ending location")),
        exact: state == "shut down",
        timeline: field("Latest checkpoint's TimeLineID")?.parse().ok()?,
        system: field("Database system identifier")?,
        ..PgSeen::default()
    })
}

/// `0/6000000` as bytes.
pub fn lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |text: &str| u64::from_str_radix(text, 16).ok();
    Some((part(high)? << 32) + part(low)?)
}

fn members(text: &str) -> Vec<EtcdMemberSeen> {
    let member = |line: &str| {
        let fields: Vec<&str> = line.split(", ").collect();
        let [id, state, name, peer, _, learner] = fields.as_slice() else {
            return None;
        };
        Some(EtcdMemberSeen {
            id: (*id).to_owned(),
            started: *state == "started",
            name: (*name).to_owned(),
            peer: (*peer).to_owned(),
            learner: learner.trim() == "true",
        })
    };
    text.lines().filter_map(member).collect()
}

impl PgSeen {
    /// Orders members of a group by what they have: of those on the last timeline the one that was no standby comes last,
    /// since what others have of its log they got from it, and a server that crashed knows no better position than its
    /// last checkpoint's.
    pub fn reach(&self) -> (bool, u32, bool, u64) {
        (
            self.up && !self.recovery,
            self.timeline,
            !self.recovery,
            self.lsn,
        )
    }
}

impl HostSeen {
    /// Whether a unit runs.
    pub fn runs(&self, unit: &str) -> bool {
        self.units.get(unit).is_some_and(|state| state == "active")
    }

    /// A PostgreSQL that takes writes.
    pub fn writable(&self) -> bool {
        self.pg.as_ref().is_some_and(|pg| pg.up && !pg.recovery)
    }
}

impl Surveyed {
    /// A host that answered.
    pub fn get(&self, host: &HostName) -> Option<&HostSeen> {
        self.hosts.get(host)
    }

    /// The notes of open recovers, one for each survivor: of a survivor that answers its own, else a copy.
    pub fn markers(&self) -> Vec<&Marker> {
        let mut found = BTreeMap::<&HostName, &Marker>::new();
        for (host, seen) in &self.hosts {
            if let Some(marker) = &seen.marker {
                let own = marker.survivor == *host;
                let known = found.contains_key(&marker.survivor);
                if own || !known {
                    found.insert(&marker.survivor, marker);
                }
            }
        }
        found.into_values().collect()
    }

    /// A host whose etcd takes part in a majority.
    pub fn majority(&self) -> Option<&HostName> {
        let found = self.hosts.iter().find(|(_, host)| host.etcd.majority);
        found.map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_standby_without_etcd() {
        let output = "@@n unit patroni\nactive\nenabled\nloaded\n@@n unit etcd\ninactive\nmasked-runtime\nmasked\n@@n etcd data\n\
            @@n index\n42\n@@n cluster\n7\n@@n sql\nt|100663296|3|771|10.0.0.1|2026-01-01 00:00:00|\n@@n psql 0\n@@n end\n";
        let seen = read_survey(&Frame::new("n"), output).unwrap();
        let pg = seen.pg.unwrap();
        assert_eq!(
            (pg.up, pg.recovery, pg.lsn, pg.timeline),
            (true, true, 100_663_296, 3)
        );
        assert_eq!(pg.upstream.as_deref(), Some("10.0.0.1"));
        assert!(seen.etcd.data && !seen.etcd.majority);
        assert_eq!((seen.etcd.index, seen.etcd.cluster), (Some(42), Some(7)));
        assert!(seen.masked.contains("etcd") && !seen.masked.contains("patroni"));
    }

    #[test]
    fn a_dead_server_is_known_by_its_control_file() {
        let output = "@@n sql\npsql: error\n@@n psql 2\n@@n control\nDatabase system identifier:           771\n\
            Database cluster state:               shut down in recovery\nLatest checkpoint location:           0/3000060\n\
            Latest checkpoint's TimeLineID:       2\nMinimum recovery ending location:     0/4000000\n@@n end\n";
        let pg = read_survey(&Frame::new("n"), output).unwrap().pg.unwrap();
        assert_eq!(
            (pg.up, pg.recovery, pg.lsn, pg.timeline),
            (false, true, 0x400_0000, 2)
        );
        assert_eq!(pg.system, "771");
        assert!(!pg.exact);
        // What its log says wins: received, not replayed, and of a later timeline.
        let copy = r#"{"state":"stopped","system":"771","timeline":3,"branches":[[1,0],[3,67109200]],"end":67109248,"exact":true}"#;
        let output = output.replace("@@n end", &format!("@@n copy\n{copy}\n@@n end"));
        let pg = read_survey(&Frame::new("n"), &output).unwrap().pg.unwrap();
        assert_eq!((pg.timeline, pg.lsn, pg.exact), (3, 67_109_248, true));
        assert_eq!(pg.copy.unwrap().branches, [(1, 0), (3, 67_109_200)]);
    }

    #[test]
    fn one_that_runs_and_does_not_answer_is_not_taken_for_stopped() {
        let output = "@@n sql\npsql: error\n@@n psql 2\n@@n control\nDatabase system identifier: 771\n\
            Database cluster state: in production\nLatest checkpoint location: 0/3000060\nLatest checkpoint's TimeLineID: 2\n\
            @@n copy\n{\"state\":\"mute\",\"pid\":7,\"why\":\"too many clients\"}\n\
            @@n alive\nback 10.0.0.1 (it refuses a connection to SSH)\nend\n@@n end\n";
        let seen = read_survey(&Frame::new("n"), output).unwrap();
        assert_eq!(seen.pg.unwrap().mute.as_deref(), Some("too many clients"));
        let how = seen.alive.get("10.0.0.1").map(String::as_str);
        assert_eq!(how, Some("it refuses a connection to SSH"));
    }

    #[test]
    fn a_primary_that_crashed_is_no_standby_and_knows_its_last_checkpoint_only() {
        let told = |state: &str| {
            let output = format!(
                "@@n control\nDatabase system identifier: 771\nDatabase cluster state:   {state}\n\
                 Latest checkpoint location: 0/3000060\nLatest checkpoint's TimeLineID: 2\n@@n end\n"
            );
            let pg = read_survey(&Frame::new("n"), &output).unwrap().pg.unwrap();
            (pg.recovery, pg.exact)
        };
        assert_eq!(told("in production"), (false, false));
        assert_eq!(told("in crash recovery"), (false, false));
        assert_eq!(told("shut down"), (false, true));
        assert_eq!(told("shut down in recovery"), (true, false));
        assert_eq!(told("in archive recovery"), (true, false));
    }

    #[test]
    fn reads_members_and_misses_nothing_that_is_cut_off() {
        let line = "d41e, started, etcd-3, https://10.0.0.3:2380, https://10.0.0.3:2379, false\nbad line\n";
        assert_eq!(members(line)[0].name, "etcd-3");
        assert_eq!(members(line).len(), 1);
        assert_eq!(read_survey(&Frame::new("n"), "@@n marker\n"), None);
        assert_eq!(lsn("1/10"), Some((1 << 32) + 16));
    }
}
