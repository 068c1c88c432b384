//! From the repository at home into the lab's: one stream for each group, over the connection that every verb has.

use super::Rehearsing;
use crate::app::failure::{Failure, chain, code};
use crate::app::session::Session;
use crate::names::HostName;
use crate::runbook::backup::RehearsedGroup;
use crate::secret::Secret;
use crate::transport::{OutputLimit, OutputSink, Program, StreamKind};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::ChildStdin;

/// Hands lines on to the lab.
struct Pour {
    to: Option<ChildStdin>,
    said: String,
    broken: Option<std::io::Error>,
}

impl OutputSink for Pour {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        match (stream, &mut self.to) {
            (StreamKind::Err, _) => self.said.push_str(&String::from_utf8_lossy(line)),
            (StreamKind::Out, Some(to)) => {
                if let Err(error) = to.write_all(line).and_then(|()| to.write_all(b"\n")) {
                    self.broken = Some(error);
                    self.to = None;
                }
            }
            (StreamKind::Out, None) => {}
        }
    }

    fn room(&self) -> OutputLimit {
        OutputLimit {
            bytes: u64::MAX,
            lines: u64::MAX,
        }
    }
}

impl Rehearsing<'_> {
    /// Stops Patroni on all members in the lab: what it made there gives way.
    pub(super) async fn stop(&self) -> Result<(), Failure> {
        let stop = Secret::new(
            "systemctl stop patroni.service && ! systemctl is-active -q patroni.service",
        );
        let members = self
            .project
            .model
            .instances()
            .map(|member| (member.host.clone(), stop.clone()));
        self.on_all(members.collect(), "Patroni could not be stopped")
            .await
    }

    /// Copies what is needed of each group, puts it into the lab's repositories, and lets `restore` begin.
    pub(super) async fn copy(&self, session: &Session<'_>) -> Result<(), Failure> {
        for group in &self.rehearsal.groups {
            self.poured(session, group).await?;
        }
        self.on_all(self.rehearsal.swap(), "the copy could not take its place")
            .await?;
        let seeds = self.rehearsal.seed(&self.project.model);
        self.on_all(seeds, "the empty database could not be put aside")
            .await
    }

    async fn on_all(
        &self,
        programs: BTreeMap<HostName, Secret>,
        what: &str,
    ) -> Result<(), Failure> {
        for (host, program) in programs {
            let answer = self.children.ask(host.as_str(), &program).await;
            let why = match answer {
                Ok((true, _)) => continue,
                Ok((false, said)) => said.trim().to_owned(),
                Err(why) => why,
            };
            return Err(Failure::new(
                code::FAILED,
                format!("{host} in the lab: {what}: {why}"),
            ));
        }
        Ok(())
    }

    async fn poured(&self, session: &Session<'_>, group: &RehearsedGroup) -> Result<(), Failure> {
        let host = &group.keeper;
        let bad = |why: String| {
            Failure::new(
                code::FAILED,
                format!(
                    "{host}: the repository of {} could not be copied: {why}",
                    group.cluster
                ),
            )
        };
        let from = session
            .fleet
            .get(host)
            .ok_or_else(|| bad("it is not connected".to_owned()))?;
        let mut child = self.children.feed(host.as_str(), &group.take())?;
        let mut pour = Pour {
            to: child.stdin.take(),
            said: String::new(),
            broken: None,
        };
        let exit = from
            .run(&Program::new(group.copy().expose()), &mut pour)
            .await;
        // Its end is the end of what the lab reads.
        drop(pour.to.take());
        let exit = exit.map_err(|error| bad(chain(&error)))?;
        if let Some(error) = pour.broken {
            return Err(bad(format!("the lab took no more: {error}")));
        }
        if !exit.ok() || !pour.said.is_empty() {
            return Err(bad(format!("{exit}: {}", pour.said)));
        }
        let mut said = String::new();
        if let Some(mut err) = child.stderr.take() {
            err.read_to_string(&mut said)
                .map_err(|error| bad(error.to_string()))?;
        }
        let taken = child.wait().map_err(|error| bad(error.to_string()))?;
        match taken.success() {
            true => Ok(()),
            false => Err(bad(format!(
                "the lab could not take it ({taken}): {}",
                said.trim()
            ))),
        }
    }
}
