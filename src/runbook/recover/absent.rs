//! Patroni waits for hosts that are gone: 1.7 s for each member of etcd, again and again while etcd starts anew, and 2 s for
//! the other members of its group before it promotes. For the time of a recover the kernel of every host that is
//! left refuses at once what Patroni would wait for.
//!
//! Only Patroni's own connections are refused, only those to etcd's client port and to Patroni of hosts that do not
//! answer, and only for a minute: etcd's members still hear each other, so one that comes back is told that it is no
//! member any more. What Patroni would have asked the lost members is asked beside etcd's restart, and judged
//! before the leader key is taken.

use super::Case;
use crate::command::quote;
use crate::model::Host;
use crate::names::HostName;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// How long connections are refused at most (s): the whole recover, when all goes well, takes a fraction of it.
const SECONDS: u32 = 60;

/// A place that Patroni would wait for: an address, and its ports for etcd's clients and for Patroni.
struct Place {
    address: String,
    etcd: Option<u16>,
    patroni: Option<u16>,
}

/// The lost hosts that do not answer.
fn places(case: &Case<'_>) -> Vec<Place> {
    let model = case.input.model;
    let silent = |host: &&Host| {
        case.lost.contains(&host.name) && !case.input.seen.hosts.contains_key(&host.name)
    };
    let place = |host: &Host| Place {
        address: host.address.to_string(),
        etcd: host
            .etcd
            .as_ref()
            .and_then(|_| Some(model.etcd.as_ref()?.client_port)),
        patroni: host.pg.as_ref().map(|member| member.patroni_port),
    };
    model.hosts().filter(silent).map(place).collect()
}

/// Refuses what Patroni would wait for, on every host that is left.
pub(super) fn refuse(case: &Case<'_>) -> Option<Step> {
    let places = places(case);
    let hosts = case.input.model.hosts();
    let left = hosts.filter(|host| host.pg.is_some() && case.host_seen(&host.name).is_some());
    let scripts: BTreeMap<HostName, Script> = left
        .map(|host| (host.name.clone(), script(&places)))
        .collect();
    let step = |scripts| {
        let title = format!(
            "refuse at once, for {SECONDS} s at most, what Patroni would wait for on the lost hosts"
        );
        Step::on_all(scripts, "absent", title).optional()
    };
    (!scripts.is_empty() && !places.is_empty()).then(|| step(scripts))
}

/// Lifts it, where the recover has come through.
pub(super) fn lift(refused: &Step) -> Step {
    let act = "systemctl stop citusctl-absent.timer 2>/dev/null || :\n\
        for family in -4 -6; do while ip $family rule del priority 7654 2>/dev/null; do :; done; done";
    let holds = "if ip -4 rule 2>/dev/null | grep -q '^7654:' || ip -6 rule 2>/dev/null | grep -q '^7654:'; then echo 'connections are still refused'; false; fi";
    let scripts = refused.hosts().into_iter();
    let scripts = scripts.map(|host| (host, Script::new(act, holds)));
    let title = "lift the refusal";
    Step::on_all(scripts.collect(), "lift", title).optional()
}

fn script(places: &[Place]) -> Script {
    let ports = |place: &Place| -> Vec<String> {
        let ports = [place.etcd, place.patroni].into_iter().flatten();
        ports
            .map(|port| format!("{} {port}", place.address))
            .collect()
    };
    let places: Vec<String> = places.iter().flat_map(ports).collect();
    let act = format!(
        "PLACES={} SECONDS_AT_MOST={SECONDS}\n{}",
        quote(&places.join("\n")),
        include_str!("scripts/absent.sh")
    );
    Script::new(act, "[ -e \"/run/citusctl/absent-$RUN\" ]")
}

/// `ask_lost` asks Patroni of the lost hosts, which takes two seconds at most. Empty where there is none to ask.
fn question(case: &Case<'_>) -> String {
    let places = places(case);
    let patronis = places
        .iter()
        .filter_map(|place| Some(quote(&format!("{} {}", place.address, place.patroni?))));
    let patronis: Vec<String> = patronis.collect();
    match patronis.is_empty() {
        true => String::new(),
        false => format!(
            "ALIVE=\"/run/citusctl/alive-$RUN\"\nmkdir -p /run/citusctl\n\
             ask_lost() {{ python3 - {} >\"$ALIVE\" 2>&1 <<'CITUSCTL_ALIVE'\n{}CITUSCTL_ALIVE\n}}\n",
            patronis.join(" "),
            include_str!("scripts/alive.py")
        ),
    }
}

/// Asks in the background: the answer is wanted when etcd is back.
pub(super) fn ask(case: &Case<'_>) -> String {
    match question(case) {
        text if text.is_empty() => text,
        text => format!("{text}ask_lost &\n"),
    }
}

/// Whoever answers is not off, and may be ahead: the leader key stays where it is.
pub(super) fn nobody_is_back(case: &Case<'_>) -> String {
    match question(case) {
        text if text.is_empty() => text,
        text => format!("{text}{}", include_str!("scripts/nobody-back.sh")),
    }
}
