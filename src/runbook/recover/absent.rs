//! Patroni waits for hosts that are gone: 1.7 s for each member of etcd, again and again while etcd starts anew, and 2 s for
//! the other members of its group before it promotes. For the time of a recover the kernel of every host that is
//! left refuses at once what Patroni would wait for.
//!
//! Citus waits for them as well, half a minute for each when it tells its nodes of a new one.
//!
//! Only connections of Patroni's and PostgreSQL's own user are refused, only those to etcd's client port, to Patroni and to
//! PostgreSQL of hosts that do not answer, and only for a minute: etcd's members still hear each other, so one that comes
//! back is told that it is no member any more. What Patroni would have asked the lost members is asked beside etcd's
//! restart, and judged before the leader key is taken. Who answers a ping, or refuses a connection, is not off.

use super::{Case, lead};
use crate::command::quote;
use crate::model::{Host, Model};
use crate::names::HostName;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// How long connections are refused at most (s): the whole recover, when all goes well, takes a fraction of it.
const SECONDS: u32 = 60;

/// A place that somebody would wait for: an address, and its ports.
struct AwaitedAddress {
    address: String,
    ssh: u16,
    peers: Option<u16>,
    etcd: Option<u16>,
    patroni: Option<u16>,
    /// Citus connects to it; for other groups nobody does who would wait.
    postgres: Option<u16>,
}

/// The lost hosts that do not answer.
fn places(case: &Case<'_>) -> Vec<AwaitedAddress> {
    let silent = |host: &Host| {
        case.lost.contains(&host.name) && !case.input.seen.hosts.contains_key(&host.name)
    };
    all(case.input.model, silent)
}

/// `lost_hosts` prints which of these hosts show themselves: asked at once, read in the end.
pub(super) fn lost_hosts(model: &Model, silent: impl Fn(&Host) -> bool) -> String {
    let places = all(model, silent);
    if places.is_empty() {
        return "lost_hosts() { :; }\n".to_owned();
    }
    let asked: Vec<String> = places.iter().flat_map(AwaitedAddress::ways).collect();
    format!(
        "LOST=$(mktemp)\npython3 - {} >\"$LOST\" 2>&1 <<'CITUSCTL_ALIVE' &\n{}CITUSCTL_ALIVE\nASKING=$!\n\
         lost_hosts() {{ wait $ASKING; cat \"$LOST\"; rm -f \"$LOST\"; }}\n",
        asked.join(" "),
        include_str!("scripts/alive.py")
    )
}

fn all(model: &Model, silent: impl Fn(&Host) -> bool) -> Vec<AwaitedAddress> {
    let place = |host: &Host| AwaitedAddress {
        address: host.address.to_string(),
        ssh: host.connection.port.unwrap_or(22),
        peers: host
            .etcd
            .as_ref()
            .and_then(|_| Some(model.etcd.as_ref()?.peer_port)),
        etcd: host
            .etcd
            .as_ref()
            .and_then(|_| Some(model.etcd.as_ref()?.client_port)),
        patroni: host.pg.as_ref().map(|member| member.patroni_port),
        postgres: host.pg.as_ref().map(|member| member.port),
    };
    let hosts = model.hosts().filter(|host| silent(host));
    hosts.map(place).collect()
}

/// Refuses what Patroni would wait for, on every host that is left.
pub(super) fn refuse(case: &Case<'_>) -> Option<Step> {
    let places = places(case);
    let hosts = case.input.model.hosts();
    let left = hosts.filter(|host| host.pg.is_some() && case.host_seen(&host.name).is_some());
    let asking = lead::hosts(case);
    let script = |host: &Host| script(&places, asking.contains(&host.name));
    let scripts: BTreeMap<HostName, Script> =
        left.map(|host| (host.name.clone(), script(host))).collect();
    let step = |scripts| {
        let title = format!(
            "refuse at once, for {SECONDS} s at most, what Patroni and Citus would wait for on the lost hosts"
        );
        Step::on_all(scripts, "absent", title).optional()
    };
    (!scripts.is_empty() && !places.is_empty()).then(|| step(scripts))
}

/// Lifts it on these hosts: the recover has come through, or what comes next needs the lost hosts.
pub(super) fn lift(hosts: impl IntoIterator<Item = HostName>) -> Step {
    let act = "systemctl stop citusctl-absent.timer 2>/dev/null || :\n\
        for family in -4 -6; do while ip $family rule del priority 7654 2>/dev/null; do :; done; done";
    let holds = "if ip -4 rule 2>/dev/null | grep -q '^7654:' || ip -6 rule 2>/dev/null | grep -q '^7654:'; then echo 'connections are still refused'; false; fi";
    let scripts = hosts.into_iter();
    let scripts = scripts.map(|host| (host, Script::new(act, holds)));
    let title = "lift the refusal of connections to the lost hosts";
    Step::on_all(scripts.collect(), "lift", title).optional()
}

fn script(places: &[AwaitedAddress], asks: bool) -> Script {
    let ports = |place: &AwaitedAddress| -> Vec<String> {
        let ports = [place.etcd, place.patroni, place.postgres].into_iter();
        ports
            .flatten()
            .map(|port| format!("{} {port}", place.address))
            .collect()
    };
    let refused: Vec<String> = places.iter().flat_map(ports).collect();
    // The answer is wanted when etcd is back. A function in the background would keep the connection's end.
    let ask = match asks {
        true => question(places, "", " &"),
        false => String::new(),
    };
    let act = format!(
        "{ask}PLACES={} SECONDS_AT_MOST={SECONDS}\n{}",
        quote(&refused.join("\n")),
        include_str!("scripts/absent.sh")
    );
    Script::new(act, "[ -e \"/run/citusctl/absent-$RUN\" ]")
}

/// Asks the lost hosts in every way in which one that is on answers, which takes a second and a bit, and notes
/// the answer in `$ALIVE`.
fn question(places: &[AwaitedAddress], begin: &str, end: &str) -> String {
    let asked: Vec<String> = places.iter().flat_map(AwaitedAddress::ways).collect();
    format!(
        "ALIVE=\"/run/citusctl/alive-$RUN\"\nmkdir -p /run/citusctl\n\
         {begin}python3 - {} >\"$ALIVE\" 2>&1 <<'CITUSCTL_ALIVE'{end}\n{}CITUSCTL_ALIVE\n",
        asked.join(" "),
        include_str!("scripts/alive.py")
    )
}

impl AwaitedAddress {
    fn ways(&self) -> Vec<String> {
        let ports = [
            ("SSH", Some(self.ssh)),
            ("Patroni", self.patroni),
            ("PostgreSQL", self.postgres),
            ("etcd", self.etcd),
            ("etcd", self.peers),
        ];
        let way = |(what, port): (&str, Option<u16>)| {
            Some(quote(&format!("{} {} {what}", self.address, port?)))
        };
        let ping = quote(&format!("{} 0 ping", self.address));
        [ping]
            .into_iter()
            .chain(ports.into_iter().filter_map(way))
            .collect()
    }
}

/// The question, asked beside what comes next.
pub(super) fn ask_beside(case: &Case<'_>) -> String {
    let places = places(case);
    match places.is_empty() {
        true => String::new(),
        false => question(&places, "", " &"),
    }
}

/// Whoever answers is not off, and may be ahead: the leader key stays where it is.
pub(super) fn nobody_is_back(case: &Case<'_>) -> String {
    let places = places(case);
    match !places.is_empty() {
        true => format!(
            "{}{}",
            question(&places, "[ -e \"$ALIVE\" ] || ", ""),
            include_str!("scripts/nobody-back.sh")
        ),
        false => String::new(),
    }
}
