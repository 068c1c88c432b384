//! What one program per host tells: units, certificates, etcd's own words, Citus's list of nodes, addresses.

use super::StatusAccess;
use super::backup::{self, BackupSaid};
use super::force::{self, Force};
use super::runtime::{self, Runtime};
use super::units::{self, UnitFiles};
use crate::command::{Frame, as_user, quote, whole_program};
use crate::engine::Run;
use crate::engine::fleet::{chain, collect};
use crate::fact::{self, InDoubt, Listener, PostgresSeen, Powers};
use crate::model::etcd::FUNCTIONS;
use crate::model::{Etcd, EtcdMember, Formation, Group, Instance};
use crate::names::HostName;
use crate::runbook::recover::Marker;
use crate::transport::Program;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;
use time::OffsetDateTime;

/// Seconds after which a prepared transaction is nobody's work any more.
const IN_DOUBT: u32 = 60;
/// The program's limit: longer than every timeout inside of it.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a host said.
#[derive(Clone, Debug, Default)]
pub(super) struct HostAnswers {
    /// `active`, `inactive`, `failed`, by unit.
    pub units: BTreeMap<String, String>,
    /// `enabled`, `disabled`, `masked`, by unit.
    pub enabled: BTreeMap<String, String>,
    /// Why etcd does not take the user and password that Patroni's file has.
    pub etcd_refuses: Option<String>,
    /// Files of others that its units are read from.
    pub unit_files: UnitFiles,
    /// What HAProxy and PgBouncer run with.
    pub runtime: Runtime,
    /// The authorities that it trusts, as PEM.
    pub authority: String,
    /// PEM texts by what they are for.
    pub certificates: BTreeMap<String, String>,
    /// `etcdctl endpoint status -w json` of this member.
    pub etcd_status: Option<Value>,
    /// `etcdctl member list -w json`.
    pub etcd_members: Option<Value>,
    /// etcdctl's words where it did not answer with JSON.
    pub etcd_words: String,
    /// `pg_dist_node` as this member of a Citus formation has it.
    pub nodes: Option<Vec<NodeStatusRow>>,
    /// psql's words where it did not answer.
    pub nodes_words: String,
    pub addresses: BTreeSet<IpAddr>,
    /// Who listens.
    pub listeners: Vec<Listener>,
    /// How far its clock is ahead (seconds; negative: behind), beyond what the way there and back may explain; `None` where
    /// it did not say.
    pub clock_off: Option<f64>,
    /// Whether it was asked about file systems: the inventory has data on it.
    pub has_data: bool,
    /// How full the file systems of its data are (percent), by where they are mounted.
    pub disks: BTreeMap<String, u8>,
    /// What its server runs with besides what Patroni was told.
    pub force: Force,
    /// Who may do what in its group, as a leader tells it.
    pub powers: Option<Powers>,
    /// The member of a group on it, in PostgreSQL's own words; `None` where the inventory has none there.
    pub postgres: Option<Result<PostgresSeen, String>>,
    /// A restore that is not done.
    pub restore: Option<fact::OpenRestore>,
    /// Transactions that were prepared long ago, where it takes writes.
    pub in_doubt: Vec<InDoubt>,
    /// Points of restores that have prepared something here and stopped nothing.
    pub prepared: Vec<String>,
    /// What its member says of archiving and of the repository.
    pub backup: BackupSaid,
    /// The note of a recover that is not closed.
    pub emergency: Option<Marker>,
}

impl HostAnswers {
    /// The procedure that has stopped PostgreSQL on this host, and that alone starts it again: no other way out is named.
    pub(super) fn procedure(&self) -> Option<&'static str> {
        match (&self.restore, &self.emergency) {
            (Some(_), _) => Some("the open restore"),
            (None, Some(_)) => Some("the open recovery"),
            (None, None) => None,
        }
    }
}

/// One row of `pg_dist_node`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeStatusRow {
    pub group: u32,
    /// `host:port`.
    pub place: String,
    pub role: String,
    pub active: bool,
    /// Citus keeps a copy of its lists there.
    pub copied: bool,
}

/// Asks one host, in one go.
pub(super) async fn ask(
    run: &Run<'_>,
    access: &StatusAccess,
    host: &HostName,
) -> Result<HostAnswers, String> {
    let transport = run
        .fleet
        .get(host)
        .ok_or_else(|| format!("{host} is not connected"))?;
    let program = Program::of(whole_program(&program(run, access, host))).within(DEADLINE);
    let sent = now();
    let (_, output) = collect(transport.as_ref(), &program)
        .await
        .map_err(|error| chain(&error))?;
    let mut seen = read(&run.frame, &output.out);
    let received = now();
    let clock = clock(&run.frame, &output.out);
    seen.clock_off = clock.map(|clock| clock_off(sent, clock, received));
    let data = access.data.get(host);
    seen.has_data = data.is_some_and(|directories| !directories.is_empty());
    Ok(seen)
}

fn now() -> f64 {
    OffsetDateTime::now_utc().unix_timestamp_nanos() as f64 / 1e9
}

/// A clock that is right says something between the question and the answer.
fn clock_off(sent: f64, clock: f64, received: f64) -> f64 {
    match clock {
        clock if clock < sent => clock - sent,
        clock if clock > received => clock - received,
        _ => 0.0,
    }
}

fn clock(frame: &Frame, output: &str) -> Option<f64> {
    frame.sections(output).get("clock")?.trim().parse().ok()
}

fn program(run: &Run<'_>, access: &StatusAccess, host: &HostName) -> String {
    let mut text = run.frame.define_mark();
    text.push_str(include_str!("scripts/look.sh"));
    text.push_str(fact::LISTENERS);
    let local = run.model.group_on(host);
    let port = |group: &Group| {
        let mut members = group.members.iter();
        members
            .find(|member| member.host == *host)
            .map(|it| it.port)
    };
    let local = local.and_then(|(formation, group)| Some((&formation.local, port(group)?)));
    text.push_str(&force::text(local));
    if let Some((local, _)) = local {
        text.push_str(&format!(
            "mark etcd-login; [ ! -x /pg/bin/promotion-guard ] || {} /pg/bin/promotion-guard login /pg/conf/promotion-guard.json 2>/dev/null\n",
            as_user(&quote(&local.dbsu))
        ));
    }
    if run.model.hosts.get(host).is_some_and(|host| host.haproxy) {
        text.push_str(runtime::HAPROXY);
    }
    if let Some(directories) = access.data.get(host).filter(|all| !all.is_empty()) {
        let words: Vec<String> = directories.iter().map(|path| quote(path)).collect();
        text.push_str(&format!(
            "mark disk; df -Pk -- {} 2>/dev/null\n",
            words.join(" ")
        ));
    }
    let member = run.model.hosts.get(host).and_then(|h| h.etcd.as_ref());
    if let (Some(etcd), Some(member)) = (&run.model.etcd, member) {
        text.push_str(&etcd_text(etcd, member, access));
    }
    if let Some((formation, member)) = citus_member_on(run, host) {
        text.push_str(&nodes_text(formation, member));
    }
    let members = run.model.formations.iter().flat_map(|formation| {
        let own = formation.members().filter(|member| member.host == *host);
        own.map(move |member| (formation, member))
    });
    for (formation, member) in members {
        text.push_str(&fact::postgres_question(formation, member));
        text.push_str(&fact::powers_question(formation, member));
        text.push_str(&in_doubt(formation, member));
        text.push_str(&runtime::pgbouncer(formation, member));
        let data = access.pg_data.get(host).map_or("/pg/data", String::as_str);
        let backups = access.backups.get(&member.cluster);
        text.push_str(&backup::text(formation, member, data, backups));
    }
    text
}

/// Old ones alone: those of now are somebody's work.
fn in_doubt(formation: &Formation, member: &Instance) -> String {
    let query = quote(&fact::in_doubt_query(IN_DOUBT));
    format!(
        "mark in-doubt; {} {query} 2>/dev/null\n",
        formation.psql(member.port)
    )
}

fn citus_member_on<'a>(run: &'a Run<'_>, host: &HostName) -> Option<(&'a Formation, &'a Instance)> {
    let mut citus = run.model.formations.iter().filter(|f| f.is_citus());
    citus.find_map(|formation| {
        let mut members = formation.members();
        Some((formation, members.find(|member| member.host == *host)?))
    })
}

/// The password travels in the environment of etcdctl, never in its arguments.
fn etcd_text(etcd: &Etcd, member: &EtcdMember, access: &StatusAccess) -> String {
    // A learner knows no passwords: of itself it tells without one.
    let password = access
        .etcd_root
        .as_ref()
        .filter(|_| !member.learner)
        .map(|secret| {
            format!(
                "ETCDCTL_USER=root ETCDCTL_PASSWORD={} ",
                quote(secret.expose())
            )
        })
        .unwrap_or_default();
    let endpoint = quote(&member.client_url(etcd.client_port));
    let call = format!("{password}etcd_plain {endpoint}");
    let list = match member.learner {
        true => String::new(),
        false => format!("mark etcd members; {call} member list -w json 2>&1\n"),
    };
    format!("{FUNCTIONS}mark etcd status; {call} endpoint status -w json 2>&1\n{list}")
}

fn nodes_text(formation: &Formation, member: &Instance) -> String {
    format!(
        "mark nodes; {} \
         'SELECT groupid, nodename, nodeport, noderole, isactive, hasmetadata FROM pg_dist_node ORDER BY 1, 4, 2' -F' ' 2>&1\n\
         mark psql $?\n",
        formation.psql(member.port)
    )
}

fn read(frame: &Frame, output: &str) -> HostAnswers {
    let sections = frame.sections(output);
    let mut seen = HostAnswers::default();
    for (unit, text) in sections.starting_with("unit") {
        seen.units.insert(unit.to_owned(), text.trim().to_owned());
    }
    for (unit, text) in sections.starting_with("enabled") {
        seen.enabled.insert(unit.to_owned(), text.trim().to_owned());
    }
    seen.unit_files = units::files(&sections);
    seen.etcd_refuses = sections
        .get("etcd-login")
        .and_then(|text| text.trim().strip_prefix("refused "))
        .map(str::to_owned);
    seen.runtime = runtime::read(&sections);
    for (name, text) in sections.starting_with("certificate") {
        if !text.trim().is_empty() {
            seen.certificates.insert(name.to_owned(), text.to_owned());
        }
    }
    seen.force = force::read(sections.get("force").unwrap_or_default());
    let asked = sections.starting_with("postgres").next().is_some();
    seen.postgres = asked.then(|| fact::read_postgres(&sections));
    seen.powers = sections.get("powers").and_then(fact::read_powers);
    seen.restore = sections.get("restore").and_then(fact::OpenRestore::read);
    seen.in_doubt = fact::read_in_doubt(sections.get("in-doubt").unwrap_or_default());
    let prepared = sections.get("restore-prepared").unwrap_or_default();
    seen.prepared = prepared.lines().map(str::to_owned).collect();
    let open = seen.restore.as_ref().map(|open| &open.point);
    seen.prepared
        .retain(|point| !point.is_empty() && Some(point) != open);
    seen.backup = backup::read(sections.get("archiver"), sections.get("repository"));
    seen.authority = sections.get("authority").unwrap_or_default().to_owned();
    seen.disks = disks(sections.get("disk").unwrap_or_default());
    seen.emergency = sections.get("emergency").and_then(Marker::read);
    seen.listeners = fact::read_listeners(
        sections.get("listeners").unwrap_or_default(),
        sections.get("processes").unwrap_or_default(),
    );
    seen.addresses = fact::addresses(sections.get("addresses").unwrap_or_default());
    for (what, text) in sections.starting_with("etcd") {
        let key = match what {
            "status" => "/0/Status",
            _ => "/members",
        };
        let answer = json_line(text, key);
        if answer.is_none() {
            seen.etcd_words = last_line(text);
        }
        match what {
            "status" => seen.etcd_status = answer,
            _ => seen.etcd_members = answer,
        }
    }
    if let Some(text) = sections.get("nodes") {
        let answered = sections.get("psql 0").is_some();
        seen.nodes = answered.then(|| text.lines().filter_map(node_row).collect());
        seen.nodes_words = if answered {
            String::new()
        } else {
            last_line(text)
        };
    }
    seen
}

/// etcdctl mixes its log into its output, as JSON of its own: the answer is the line that has what is wanted.
fn json_line(text: &str, wanted: &str) -> Option<Value> {
    text.lines()
        .filter(|line| line.starts_with(['{', '[']))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|value| value.pointer(wanted).is_some())
}

fn last_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next_back().unwrap_or_default().to_owned()
}

fn node_row(line: &str) -> Option<NodeStatusRow> {
    let mut words = line.split_whitespace();
    let group = words.next()?.parse().ok()?;
    let (host, port) = (words.next()?, words.next()?);
    Some(NodeStatusRow {
        group,
        place: format!("{host}:{port}"),
        role: words.next()?.to_owned(),
        active: words.next()? == "t",
        copied: words.next()? == "t",
    })
}

/// Reads `df -P`: `/dev/sda1 1000 900 100 90% /data`, below a heading.
fn disks(text: &str) -> BTreeMap<String, u8> {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let full = words.get(4)?.strip_suffix('%')?.parse().ok()?;
        Some((words.get(5..)?.join(" "), full))
    };
    text.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_whole_answer() {
        let output = "\n@@n unit etcd\nactive\n\n@@n addresses\n1: lo    inet 127.0.0.1/8 scope host lo\n\
            \n@@n certificate etcd\n\n@@n etcd status\n{\"level\":\"warn\"}\nwarning\n[{\"Status\":{}}]\n\
            \n@@n etcd members\nError: permission denied\n\
            \n@@n nodes\n0 10.0.0.1 5432 primary t t\n1 10.0.0.2 5432 secondary f f\n\n@@n psql 0\n";
        let seen = read(&Frame::new("n"), output);
        assert_eq!(seen.units["etcd"], "active");
        assert!(seen.certificates.is_empty());
        assert_eq!(seen.addresses.len(), 1);
        assert!(seen.etcd_status.is_some());
        assert!(seen.etcd_members.is_none());
        assert_eq!(seen.etcd_words, "Error: permission denied");
        let nodes = seen.nodes.unwrap();
        assert_eq!(
            (nodes.len(), nodes[0].active, nodes[1].active),
            (2, true, false)
        );
        assert_eq!(nodes[0].place, "10.0.0.1:5432");
    }

    #[test]
    fn a_clock_is_off_only_beyond_the_way_there_and_back() {
        assert_eq!(clock_off(10.0, 11.0, 12.0), 0.0);
        assert_eq!(clock_off(10.0, 72.5, 12.0), 60.5);
        assert_eq!(clock_off(10.0, 4.0, 12.0), -6.0);
        let output = "@@n clock\n1700000000.25\n@@n unit etcd\nactive\n";
        assert_eq!(clock(&Frame::new("n"), output), Some(1_700_000_000.25));
    }

    #[test]
    fn reads_how_full_disks_are() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 42 58 42% /\ntmpfs 100 100 0 100% /data/wal dir\n";
        let disks = disks(text);
        assert_eq!((disks["/"], disks["/data/wal dir"]), (42, 100));
        assert_eq!(disks.len(), 2);
    }

    #[test]
    fn keeps_the_words_of_a_refusal() {
        let output = "@@n nodes\npsql: error: no such database\n@@n psql 2\n";
        let seen = read(&Frame::new("n"), output);
        assert_eq!(seen.nodes, None);
        assert_eq!(seen.nodes_words, "psql: error: no such database");
    }
}
