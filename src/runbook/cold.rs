//! `start --cold`: all machines were off and are up again. Most heals by itself where units are enabled: each step waits
//! with a deadline, says what it waits for, and starts what does not run.

use super::recover::{Input, nothing_put_aside, preludes};
use super::{Consent, Refusal, Runbook, Script, Step};
use crate::command::quote;
use crate::model::{Group, Instance};
use crate::names::HostName;
use crate::runbook::etcd::EtcdView;
use std::collections::BTreeMap;

/// etcd up to a majority, the last leaders, the standbys, routing.
///
/// # Errors
/// Too few hosts of etcd answer, or none of a group; a promotion by hand is open.
pub fn start_cold(input: Input<'_>) -> Result<Runbook, Refusal> {
    nothing_put_aside(input.seen)?;
    let etcd = etcd_hosts(input)?;
    let groups: Vec<&Group> = input.model.groups().map(|(_, group)| group).collect();
    let mut steps = Vec::new();
    if !etcd.is_empty() {
        let scripts = etcd
            .iter()
            .map(|host| (host.clone(), etcd_script()))
            .collect();
        steps.push(Step::on_all(scripts, "etcd", "etcd has a majority").within(120));
    }
    steps.extend(leaders(input, &groups, etcd.first())?);
    steps.extend(standbys(input, &groups));
    steps.extend(routing(input));
    let away = input.seen.unreachable.keys();
    let seen = away.map(|host| format!("{host} does not answer: it is left out"));
    let formations: Vec<&str> = input
        .model
        .formations
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    Ok(Runbook {
        name: "start",
        aim: "everything runs again after all machines were off".to_owned(),
        subject: formations.join(","),
        seen: seen.chain(sentences(input, &groups)).collect(),
        risks: Vec::new(),
        consent: Consent::Yes,
        steps,
        afterwards: vec![
            "`citusctl status` shows the formation, `citusctl verify` proves it".to_owned(),
        ],
        prelude: preludes(input),
    })
}

fn etcd_hosts(input: Input<'_>) -> Result<Vec<HostName>, Refusal> {
    let Some(view) = EtcdView::of(input) else {
        return Ok(Vec::new());
    };
    let members = view.etcd.members.iter().map(|member| member.host.clone());
    let hosts: Vec<HostName> = members
        .filter(|host| input.seen.get(host).is_some())
        .collect();
    if hosts.len() < view.etcd.quorum() {
        let missing = view
            .etcd
            .members
            .iter()
            .filter(|member| input.seen.get(&member.host).is_none());
        let missing: Vec<&str> = missing.map(|member| member.host.as_str()).collect();
        return Err(Refusal::new(
            format!(
                "etcd: {} of {} hosts answer, {} are needed: {} do not",
                hosts.len(),
                view.etcd.members.len(),
                view.etcd.quorum(),
                missing.join(", ")
            ),
            "start them; if they are gone for good: `citusctl recover --survivor HOST`",
        ));
    }
    Ok(hosts)
}

/// The member whose log goes furthest: the last leader, or as good as it.
fn first<'a>(input: Input<'_>, group: &'a Group) -> Option<&'a Instance> {
    let rank = |host: &HostName| Some(input.seen.get(host)?.pg.as_ref()?.reach());
    let answering = group
        .members
        .iter()
        .filter(|member| input.seen.get(&member.host).is_some());
    answering
        .filter(|member| !member.tags.nofailover)
        .max_by_key(|member| rank(&member.host))
}

fn sentences(input: Input<'_>, groups: &[&Group]) -> Vec<String> {
    let of = |group: &&Group| {
        let first = first(input, group)?;
        let pg = input.seen.get(&first.host)?.pg.as_ref()?;
        Some(format!(
            "{}: {} has the log furthest (timeline {}, {} bytes)",
            group.cluster, first.name, pg.timeline, pg.lsn
        ))
    };
    groups.iter().filter_map(of).collect()
}

fn etcd_script() -> Script {
    Script::new(
        start("etcd"),
        "etcd_majority || { echo 'no majority yet'; false; }",
    )
}

/// Starts a unit if it does not run, and has given up if it does not come.
fn start(unit: &str) -> String {
    format!(
        "systemctl is-active -q {unit}.service || {{ systemctl reset-failed {unit}.service 2>/dev/null || :; systemctl start --no-block {unit}.service; }}"
    )
}

fn leaders(
    input: Input<'_>,
    groups: &[&Group],
    etcd: Option<&HostName>,
) -> Result<Vec<Step>, Refusal> {
    let mut scripts = BTreeMap::new();
    let mut waits = Vec::new();
    for group in groups {
        let first = first(input, group).ok_or_else(|| {
            Refusal::new(
                format!("{}: none of its hosts answers", group.cluster),
                "start one of them: without it there is no leader",
            )
        })?;
        let script = Script::new(
            start("patroni"),
            "systemctl is-active -q patroni.service || { echo \"Patroni is $(systemctl is-active patroni.service)\"; false; }",
        );
        scripts.insert(first.host.clone(), script);
        waits.extend(etcd.map(|host| elected(host, group)));
    }
    let begun = Step::on_all(
        scripts,
        "leaders",
        "Patroni runs where the log goes furthest",
    )
    .within(60);
    Ok(std::iter::once(begun).chain(waits).collect())
}

/// A group has a leader when its key is in etcd.
fn elected(etcd: &HostName, group: &Group) -> Step {
    let holds = format!(
        "leader=$(etcd_ctl get --print-value-only {} 2>/dev/null) || {{ echo 'etcd does not answer'; false; }}\n\
         [ -n \"$leader\" ] || {{ echo 'nobody has taken the lead yet'; false; }}",
        quote(&format!("{}leader", group.dcs_prefix))
    );
    let title = format!("{} has a leader", group.cluster);
    // An old key may have to run out first.
    let within = 60 + u64::from(group.rto.ttl);
    Step::on(etcd, "leader", title, Script::wait(holds)).within(within)
}

fn standbys(input: Input<'_>, groups: &[&Group]) -> Option<Step> {
    let members = groups.iter().flat_map(|group| &group.members);
    let hosts = members
        .map(|member| &member.host)
        .filter(|host| input.seen.get(host).is_some());
    let holds = "said=$(sql postgres \"SELECT CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT status FROM pg_stat_wal_receiver), 'does not receive') ELSE 'leads' END\" 2>&1) || { echo 'PostgreSQL does not answer yet'; false; }\n\
        case $said in leads | streaming) ;; *) echo \"$said\"; false ;; esac";
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| (host.clone(), Script::new(start("patroni"), holds)))
        .collect();
    let title = "every member leads or follows";
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "members", title).within(300))
}

fn routing(input: Input<'_>) -> Option<Step> {
    let hosts = input.model.hosts().filter(|host| host.haproxy);
    let holds = "systemctl is-active -q haproxy.service || { echo \"HAProxy is $(systemctl is-active haproxy.service)\"; false; }";
    let act = format!(
        "{}\nif systemctl is-enabled -q vip-manager.service 2>/dev/null; then systemctl start --no-block vip-manager.service; fi",
        start("haproxy")
    );
    let scripts: BTreeMap<HostName, Script> = hosts
        .filter(|host| input.seen.get(&host.name).is_some())
        .map(|host| (host.name.clone(), Script::new(act.clone(), holds)))
        .collect();
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "routing", "HAProxy runs").within(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RunId;
    use crate::runbook::recover::{HostSeen, PgSeen, Surveyed};

    fn seen(hosts: &[(&str, u64)]) -> Surveyed {
        let host = |(name, lsn): &(&str, u64)| {
            let pg = PgSeen {
                recovery: true,
                timeline: 2,
                lsn: *lsn,
                ..PgSeen::default()
            };
            let seen = HostSeen {
                pg: Some(pg),
                ..HostSeen::default()
            };
            (HostName::new(*name), seen)
        };
        Surveyed {
            hosts: hosts.iter().map(host).collect(),
            unreachable: BTreeMap::new(),
        }
    }

    fn planned(seen: &Surveyed) -> Result<Runbook, Refusal> {
        let path = format!("{}/inventory/ha-trio.yml", env!("CARGO_MANIFEST_DIR"));
        let inventory = crate::inventory::load(path.as_ref(), &[])
            .expect("an inventory")
            .inventory;
        let model = crate::model::build(&inventory).0.expect("a model");
        start_cold(Input {
            sources: &inventory.sources,
            model: &model,
            seen,
            run: &RunId::new("r"),
        })
    }

    #[test]
    fn whose_log_goes_furthest_comes_first() {
        let book = planned(&seen(&[
            ("10.10.10.11", 5),
            ("10.10.10.12", 9),
            ("10.10.10.13", 7),
        ]));
        let book = book.expect("a plan");
        let ids: Vec<&str> = book.steps.iter().map(|step| step.id).collect();
        assert_eq!(ids, ["etcd", "leaders", "leader", "members", "routing"]);
        assert_eq!(
            book.steps[1].hosts().into_iter().collect::<Vec<_>>(),
            [HostName::new("10.10.10.12")]
        );
    }

    #[test]
    fn a_primary_that_crashed_has_what_its_standbys_have() {
        let mut seen = seen(&[("10.10.10.11", 5), ("10.10.10.12", 9), ("10.10.10.13", 7)]);
        let primary = seen.hosts.get_mut(&HostName::new("10.10.10.11"));
        primary.unwrap().pg.as_mut().unwrap().recovery = false;
        let book = planned(&seen).expect("a plan");
        assert_eq!(
            book.steps[1].hosts().into_iter().collect::<Vec<_>>(),
            [HostName::new("10.10.10.11")]
        );
    }

    #[test]
    fn without_a_majority_of_hosts_nothing_is_begun() {
        let refused = planned(&seen(&[("10.10.10.11", 5)])).expect_err("refused");
        assert_eq!(
            refused.reason,
            "etcd: 1 of 3 hosts answer, 2 are needed: 10.10.10.12, 10.10.10.13 do not"
        );
    }
}
