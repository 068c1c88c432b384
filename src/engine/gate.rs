//! Conditions between stages. A gate says what it waits for, and when it fails, what the services themselves say.

mod addresses;
mod etcd;
mod haproxy;
mod pgbouncer;

pub(super) use etcd::{Health, health};

use super::fleet::{chain, collect};
use super::look::futures_join;
use super::patroni::stranger;
use super::{EngineError, Patroni, Run, copies, registered};
use crate::catalog::Gate;
use crate::command::{quote, whole_program};
use crate::event::Kind;
use crate::fact::{GroupSeen, Homes, LOG_SAYS};
use crate::model::{Formation, Group};
use crate::names::words::count;
use crate::names::{HostName, StageName};
use crate::transport::Program;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(500);

/// What a gate saw in one look.
enum GateView {
    Open(String),
    Closed(String),
}

/// Waits until a gate opens for the hosts of a stage. Standbys on hosts that failed before are not waited for.
pub(super) async fn pass(
    run: &Run<'_>,
    stage: &StageName,
    gate: Gate,
    hosts: &BTreeSet<HostName>,
    failed: &BTreeSet<HostName>,
) -> Result<(), EngineError> {
    let started = Instant::now();
    let deadline = limit(gate);
    let mut told = BTreeSet::new();
    let mut last_change = Instant::now();
    let mut reminded = false;
    loop {
        let view = view(run, gate, hosts, failed).await;
        let detail = match view {
            GateView::Open(detail) => {
                passed(run, gate, detail, started);
                return Ok(());
            }
            GateView::Closed(detail) => detail,
        };
        if is_progress(&mut told, &detail) {
            last_change = Instant::now();
            run.emitter.emit(Kind::GateWaiting {
                gate: gate.word().to_owned(),
                detail: detail.clone(),
                seconds: started.elapsed().as_secs(),
                deadline: deadline.as_secs(),
            });
        }
        if gate == Gate::Registered && !reminded && last_change.elapsed() > registered::PATIENCE {
            registered::remind(run).await;
            reminded = true;
        }
        if run.cancel.stops() {
            return Err(EngineError::Interrupted(format!(
                "it was waiting for {}: {detail}",
                gate.word()
            )));
        }
        // Progress counts: a clone of a large database may take hours and is no failure.
        if last_change.elapsed() > deadline {
            return Err(ran_out(run, stage, gate, hosts, detail).await);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn passed(run: &Run<'_>, gate: Gate, detail: String, started: Instant) {
    run.emitter.emit(Kind::GatePassed {
        gate: gate.word().to_owned(),
        detail,
        millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
}

/// A gate that did not open in its time, with the last words of the services.
async fn ran_out(
    run: &Run<'_>,
    stage: &StageName,
    gate: Gate,
    hosts: &BTreeSet<HostName>,
    detail: String,
) -> EngineError {
    let log = logs(run, gate, hosts).await;
    let detail = match gate {
        Gate::Leader | Gate::Streaming => with_why(run, hosts, detail).await,
        Gate::EtcdHealthy
        | Gate::Registered
        | Gate::Haproxy
        | Gate::Pgbouncer
        | Gate::Addresses => detail,
    };
    run.emitter.emit(Kind::GateFailed {
        gate: gate.word().to_owned(),
        detail: detail.clone(),
        log,
    });
    EngineError::Gate {
        stage: stage.clone(),
        detail,
    }
}

/// Whether this was not said before. A service that dies and starts again says by turns what it said already.
fn is_progress(told: &mut BTreeSet<String>, detail: &str) -> bool {
    told.insert(progress(detail))
}

/// What of a gate's words has to change for progress: not the times and numbers of a log that says the same again.
fn progress(detail: &str) -> String {
    match detail.split_once(LOG_SAYS) {
        None => detail.to_owned(),
        Some((said, log)) => {
            let words = log.chars().filter(|letter| !letter.is_ascii_hexdigit());
            said.chars().chain(words).collect()
        }
    }
}

/// What PostgreSQL says of its not starting, beside what a gate lacks.
async fn with_why(run: &Run<'_>, hosts: &BTreeSet<HostName>, detail: String) -> String {
    let members = run.model.instances();
    let members: Vec<_> = members
        .filter(|member| hosts.contains(&member.host))
        .collect();
    let others = futures_join(members.iter().map(|member| stranger(run, member))).await;
    let why = super::why_down(run, members.iter().copied()).await;
    let restart = leaders_that_wait(run, hosts).await;
    let words = others.into_iter().flatten().chain(restart);
    let words = std::iter::once(detail).chain(words).chain([why]);
    let words: Vec<String> = words.filter(|text| !text.is_empty()).collect();
    words.join("; ")
}

/// Leaders that have to restart, which may be what keeps standbys from following.
async fn leaders_that_wait(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> Vec<String> {
    let groups = run.model.groups().map(|(_, group)| group);
    let concerned = groups.filter(|group| {
        let mut members = group.members.iter();
        members.any(|member| hosts.contains(&member.host))
    });
    let looks = futures_join(concerned.map(|group| cluster(run, group))).await;
    let leaders = looks.iter().flatten().filter_map(GroupSeen::leader);
    leaders
        .filter(|leader| leader.pending_restart)
        .map(|leader| {
            let name = &leader.name;
            format!("{name} leads and waits for a restart: `citusctl restart {name}`, then the same command again")
        })
        .collect()
}

/// How long nothing may change before the gate has failed.
fn limit(gate: Gate) -> Duration {
    Duration::from_secs(match gate {
        Gate::EtcdHealthy => 60,
        Gate::Leader => 120,
        Gate::Streaming => 180,
        // Citus may wait twice for a dead host before Patroni may change its row.
        Gate::Registered => 120,
        Gate::Haproxy | Gate::Pgbouncer | Gate::Addresses => 30,
    })
}

async fn view(
    run: &Run<'_>,
    gate: Gate,
    hosts: &BTreeSet<HostName>,
    failed: &BTreeSet<HostName>,
) -> GateView {
    match gate {
        Gate::EtcdHealthy => etcd::view(run).await,
        Gate::Leader => groups(run, hosts, failed, leads).await,
        Gate::Streaming => groups(run, hosts, failed, streams).await,
        Gate::Registered => registered(run, hosts).await,
        Gate::Haproxy => haproxy::view(run, hosts).await,
        Gate::Pgbouncer => pgbouncer::view(run, hosts).await,
        Gate::Addresses => addresses::view(run, hosts).await,
    }
}

/// What a group still lacks, or nothing.
type GateJudge = fn(&Group, &GroupSeen, &BTreeSet<HostName>) -> Option<String>;

fn leads(group: &Group, seen: &GroupSeen, _: &BTreeSet<HostName>) -> Option<String> {
    match seen.leader() {
        None => Some(format!(
            "{} has no leader yet{}",
            group.cluster,
            states(seen)
        )),
        Some(leader) if leader.is_up() => None,
        Some(leader) => Some(format!("{} {}", leader.name, leader.plight())),
    }
}

fn streams(group: &Group, seen: &GroupSeen, connected: &BTreeSet<HostName>) -> Option<String> {
    if let Some(reason) = leads(group, seen, connected) {
        return Some(reason);
    }
    let behind: Vec<String> = group
        .members
        .iter()
        .filter(|member| connected.contains(&member.host))
        .filter_map(
            |member| match seen.members.iter().find(|found| found.name == member.name) {
                None => Some(format!("{} is not a member yet", member.name)),
                Some(found) if found.is_leader() || found.is_streaming() => None,
                Some(found) => Some(format!("{} {}", member.name, found.plight())),
            },
        )
        .collect();
    (!behind.is_empty()).then(|| behind.join(", "))
}

fn states(seen: &GroupSeen) -> String {
    let states: Vec<String> = seen
        .members
        .iter()
        .map(|member| format!("{} is {} ({})", member.name, member.state, member.role))
        .collect();
    if states.is_empty() {
        String::new()
    } else {
        format!(": {}", states.join(", "))
    }
}

/// Looks at all groups that have a member on the hosts.
async fn groups(
    run: &Run<'_>,
    hosts: &BTreeSet<HostName>,
    failed: &BTreeSet<HostName>,
    judge: GateJudge,
) -> GateView {
    let concerned: Vec<(&Formation, &Group)> = run
        .model
        .groups()
        .filter(|(_, group)| {
            group
                .members
                .iter()
                .any(|member| hosts.contains(&member.host))
        })
        .collect();
    let connected: BTreeSet<HostName> = run.fleet.hosts().difference(failed).cloned().collect();
    let lacks = futures_join(concerned.iter().map(|(_, group)| async {
        let seen = match cluster(run, group).await {
            Ok(seen) => seen,
            Err(reason) => return Some(format!("{}: {reason}", group.cluster)),
        };
        // The servers are asked once Patroni's words alone would open the gate.
        match judge(group, &seen, &connected) {
            None => judge(group, &copies::confirm(run, group, seen).await, &connected),
            lack => lack,
        }
    }));
    let lacks: Vec<String> = lacks.await.into_iter().flatten().collect();
    if lacks.is_empty() {
        GateView::Open(count(concerned.len(), "group"))
    } else {
        GateView::Closed(lacks.join("; "))
    }
}

/// One look at a group through any member that answers.
pub(super) async fn cluster(run: &Run<'_>, group: &Group) -> Result<GroupSeen, String> {
    let homes = Homes::of(group);
    let mut why = "no member is connected".to_owned();
    for member in group
        .members
        .iter()
        .filter(|member| run.fleet.get(&member.host).is_some())
    {
        let Some(patroni) = Patroni::of(run, member) else {
            continue;
        };
        match patroni.get("/cluster").await {
            Ok(answer) => {
                let seen = GroupSeen::from_cluster(&answer, &homes);
                if !seen.members.is_empty() {
                    return Ok(seen);
                }
                why = format!("Patroni on {} does not know the cluster yet", member.name);
            }
            Err(error) if error.is_refused() => why = "Patroni does not answer yet".to_owned(),
            Err(error) => why = chain(&error),
        }
    }
    Err(why)
}

/// The coordinator's metadata name every group, and who leads those with a member on the hosts.
async fn registered(run: &Run<'_>, hosts: &BTreeSet<HostName>) -> GateView {
    if !run.model.formations.iter().any(Formation::is_citus) {
        return GateView::Open("nothing to register: no formation has Citus".to_owned());
    }
    let lacks = registered::lacks(run, hosts).await;
    match (lacks.is_empty(), registered::not_compared(run)) {
        (true, apart) if apart.is_empty() => {
            GateView::Open("pg_dist_node names all groups and who leads them".to_owned())
        }
        (true, apart) => GateView::Open(apart.join("; ")),
        (false, _) => GateView::Closed(lacks.join("; ")),
    }
}

/// Runs a short fragment; an error says why its host gave no answer.
pub(super) async fn exec(run: &Run<'_>, host: &HostName, body: &str) -> Result<String, String> {
    let transport = run.fleet.get(host);
    let transport = transport.ok_or_else(|| format!("{host} is not connected"))?;
    let program = Program::of(whole_program(body)).within(Duration::from_secs(20));
    let answer = collect(transport.as_ref(), &program).await;
    let (_, output) = answer.map_err(|error| chain(&error))?;
    Ok(output.out)
}

/// The last words of the services that a gate waited for.
async fn logs(run: &Run<'_>, gate: Gate, hosts: &BTreeSet<HostName>) -> Vec<String> {
    let unit = match gate {
        Gate::EtcdHealthy => "etcd",
        Gate::Leader | Gate::Streaming | Gate::Registered => "patroni",
        Gate::Haproxy => "haproxy",
        Gate::Pgbouncer => "pgbouncer",
        Gate::Addresses => "'vip-manager*' -u 'keepalived*'",
    };
    let mut lines = Vec::new();
    for host in hosts {
        let log = run
            .model
            .formations
            .iter()
            .find(|formation| formation.members().any(|member| member.host == *host));
        let log = log.map_or("", |formation| formation.local.patroni_log_dir.as_str());
        let body = format!(
            "journalctl --no-pager -o cat -n 8 -u {unit}; tail -qn 12 {}/patroni.log 2>/dev/null",
            quote(log)
        );
        let output = exec(run, host, &body).await;
        let output = output.unwrap_or_else(|why| format!("its log cannot be read: {why}"));
        lines.extend(
            output
                .lines()
                .filter(|line| !line.is_empty())
                .map(|line| format!("{host}: {line}")),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_says_two_things_by_turns_makes_no_progress() {
        let mut told = BTreeSet::new();
        let said = ["pg-1 is stopped", "Patroni does not answer yet"];
        let firsts = said.map(|words| is_progress(&mut told, words));
        let agains = said.map(|words| is_progress(&mut told, words));
        assert_eq!((firsts, agains), ([true, true], [false, false]));
        assert!(is_progress(&mut told, "pg-1 is running"));
    }

    #[test]
    fn a_log_that_says_the_same_again_is_no_progress() {
        let said = |time: &str, pid: &str, member: &str| {
            progress(&format!(
                "{member} does not follow: it has no WAL receiver{LOG_SAYS}2026-11-30 {time} UTC,,,{pid},,6b0d4c{pid},FATAL"
            ))
        };
        assert_eq!(
            said("10:15:44.032", "51895", "pg-2"),
            said("10:15:49.031", "5215a", "pg-2")
        );
        assert_ne!(
            said("10:15:44.032", "51895", "pg-2"),
            said("10:15:44.032", "51895", "pg-3")
        );
        assert_ne!(progress("lag 10 MiB"), progress("lag 9 MiB"));
    }
}
