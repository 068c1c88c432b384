//! One look at all hosts: one program each, and one request to Patroni per group.

use super::fleet::{chain, collect};
use super::patroni::PatroniError;
use super::{EngineError, Patroni, Run};
use crate::event::Kind;
use crate::fact::{self, GroupSeen, Homes, Observed, Probe};
use crate::model::Group;
use crate::names::{ClusterName, HostName, InstanceName};
use crate::plan::{Desired, Seen};
use crate::transport::{Program, TransportError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Looks at hosts on behalf of a run.
#[derive(Debug)]
pub struct Looker<'a> {
    run: &'a Run<'a>,
}

/// What Patroni answered beside the look at the hosts.
type Early = BTreeMap<InstanceName, Value>;

/// How long the look at hosts may wait for Patroni before it is known to run.
const EARLY: Duration = Duration::from_secs(2);

const DEADLINE: Duration = Duration::from_secs(120);

/// Looks at everything that `desired` asks about on the given hosts and groups.
pub async fn look(
    run: &Run<'_>,
    desired: &Desired,
    hosts: &BTreeSet<HostName>,
    groups: &BTreeSet<ClusterName>,
) -> Result<Seen, EngineError> {
    let looker = Looker { run };
    let answers = futures_join(
        hosts
            .iter()
            .filter(|host| run.fleet.get(host).is_some())
            .map(|host| async { (host.clone(), looker.host(host, &desired.probes(host)).await) }),
    );
    let (answers, early) = futures_util::future::join(answers, looker.early(groups)).await;
    let mut seen = Seen::default();
    for (host, answer) in answers {
        seen.hosts.insert(host, answer?);
    }
    looker.groups(groups, &early, &mut seen).await;
    Ok(seen)
}

/// Awaits all of them at once, results in the given order.
pub(super) async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    futures_util::future::join_all(futures).await
}

impl Looker<'_> {
    async fn host(&self, host: &HostName, probes: &[Probe]) -> Result<Observed, EngineError> {
        let started = Instant::now();
        let data = self.run.model.hosts.get(host).map(|host| &host.data_root);
        let data = data.map_or("/", String::as_str);
        let text = fact::observe_program(&self.run.frame, probes, data);
        let output = self.exec(host, text.expose()).await?;
        let observed = fact::parse(&self.run.frame, probes, &output).map_err(|source| {
            EngineError::Answer {
                host: host.clone(),
                source,
            }
        })?;
        self.run.emitter.emit(Kind::Observed {
            host: host.clone(),
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            resources: u32::try_from(probes.len()).unwrap_or(u32::MAX),
        });
        Ok(observed)
    }

    async fn exec(&self, host: &HostName, text: &str) -> Result<String, TransportError> {
        let Some(transport) = self.run.fleet.get(host) else {
            return Ok(String::new());
        };
        let program = Program::new(text).within(DEADLINE);
        let (_, output) = collect(transport.as_ref(), &program).await?;
        Ok(output.out)
    }

    /// Asks the first member of each group while the hosts are looked at. What does not answer is asked again when it is
    /// known whether Patroni runs there.
    async fn early(&self, wanted: &BTreeSet<ClusterName>) -> Early {
        let groups = self.wanted(wanted);
        let answers = futures_join(groups.map(|group| async {
            let mut members = group.members.iter();
            let member = members.find(|member| self.run.fleet.get(&member.host).is_some())?;
            let patroni = Patroni::of(self.run, member)?;
            let answer = tokio::time::timeout(EARLY, patroni.get("/cluster")).await;
            Some((member.name.clone(), answer.ok()?.ok()?))
        }));
        answers.await.into_iter().flatten().collect()
    }

    fn wanted<'w>(&'w self, wanted: &'w BTreeSet<ClusterName>) -> impl Iterator<Item = &'w Group> {
        let groups = wanted
            .iter()
            .filter_map(|cluster| self.run.model.group(cluster));
        groups.map(|(_, group)| group)
    }

    /// Asks one member of each group about the group. A group whose members do not run Patroni is not asked.
    async fn groups(&self, wanted: &BTreeSet<ClusterName>, early: &Early, seen: &mut Seen) {
        let groups = self.wanted(wanted);
        let answers = futures_join(groups.map(|group| async {
            let found = self.group(group, early, seen).await;
            (group.cluster.clone(), found)
        }));
        let answers = answers.await;
        seen.groups = answers.into_iter().collect();
    }

    async fn group(&self, group: &Group, early: &Early, seen: &Seen) -> GroupSeen {
        let running = group.members.iter().filter(|member| {
            let observed = seen.hosts.get(&member.host);
            let unit = observed.map(|observed| observed.units.get("patroni.service"));
            // A host that was not asked about its units may well run Patroni.
            unit.is_some_and(|unit| unit.is_none_or(|unit| unit.active))
        });
        let homes = Homes::of(group);
        let mut strangers = BTreeMap::new();
        for member in running {
            let Some(patroni) = Patroni::of(self.run, member) else {
                continue;
            };
            let answer = match early.get(&member.name) {
                Some(answer) => Ok(answer.clone()),
                None => patroni.get("/cluster").await,
            };
            match answer {
                Ok(answer) => {
                    let members = GroupSeen::members_from(&answer, &homes);
                    let mut found = GroupSeen {
                        members,
                        unnamed: homes.unnamed(&answer),
                        strangers,
                        ..GroupSeen::default()
                    };
                    // Nobody's host can tell then; the store can.
                    if found.leader().is_none() {
                        let config = patroni.get("/config").await.ok();
                        found.dynamic = config.filter(|config| config.get("ttl").is_some());
                    }
                    return with_answers(found, seen);
                }
                Err(error @ PatroniError::Stranger { .. }) => {
                    strangers.insert(member.host.clone(), chain(&error));
                }
                Err(error) => self.run.emitter.emit(Kind::Note {
                    text: chain(&error),
                }),
            }
        }
        GroupSeen {
            strangers,
            ..GroupSeen::default()
        }
    }

    /// Fetches contents of files that differ, for the diff that people read.
    pub async fn contents(
        &self,
        wanted: BTreeMap<HostName, Vec<String>>,
        seen: &mut Seen,
    ) -> Result<(), EngineError> {
        let wanted: Vec<_> = wanted
            .into_iter()
            .filter(|(_, paths)| !paths.is_empty())
            .collect();
        let answers = futures_join(wanted.iter().map(|(host, paths)| async {
            let text = fact::fetch_program(&self.run.frame, paths);
            self.exec(host, text.expose())
                .await
                .map(|output| fact::parse_contents(&self.run.frame, paths, &output))
        }))
        .await;
        for ((host, _), contents) in wanted.iter().zip(answers) {
            if let Some(observed) = seen.hosts.get_mut(host) {
                observed.contents = contents?;
            }
        }
        Ok(())
    }
}

impl<'a> Looker<'a> {
    /// A looker of a run.
    pub fn new(run: &'a Run<'a>) -> Self {
        Self { run }
    }
}

/// Adds what the live leader's host answered.
fn with_answers(mut group: GroupSeen, seen: &Seen) -> GroupSeen {
    let leader = group
        .leader()
        .and_then(|leader| seen.hosts.get(&leader.host));
    let Some(scripts) = leader.map(|observed| observed.scripts.clone()) else {
        return group;
    };
    group.dynamic = scripts
        .get("patroni_dynamic")
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let names = scripts
        .get("restart_parameters")
        .map(|text| text.split_whitespace().map(str::to_owned).collect());
    group.restart_parameters = names.unwrap_or_default();
    group.answers = scripts;
    group
}
