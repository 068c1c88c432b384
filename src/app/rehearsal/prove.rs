//! The restore itself, and what it has to show.

use super::Rehearsing;
use crate::app::connect::own_database;
use crate::app::failure::Failure;
use crate::command::Frame;
use crate::event::rehearsal::{RehearsedProof, RehearsedStep};
use crate::names::HostName;
use crate::runbook::backup::proof::{
    Said, judge_pages, judge_rows, judge_ways_out, pages_program, position_program, query_program,
    rows_program, ways_out_program,
};
use crate::runbook::backup::{Finding, Proof};
use crate::secret::Secret;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The steps of a restore after which each group takes writes.
const OPEN: &str = "open";

impl Rehearsing<'_> {
    pub(super) fn found(&mut self, findings: Vec<Finding>) {
        let proof = |it: Finding| RehearsedProof {
            of: it.cluster,
            what: it.what.to_owned(),
            proof: match it.proof {
                Proof::Holds => "holds",
                Proof::Fails => "fails",
                Proof::Unknown => "unknown",
                Proof::Skipped => "skipped",
            }
            .to_owned(),
            words: it.words,
        };
        self.report.proofs.extend(findings.into_iter().map(proof));
    }

    /// Whether no host of the lab reaches anything outside of it.
    pub(super) async fn isolated(&self) -> Finding {
        let hosts = self.project.model.hosts();
        let programs = hosts.map(|host| (host.name.clone(), ways_out_program()));
        let said = self.asked(programs.collect()).await;
        judge_ways_out(&self.report.formation, &said)
    }

    async fn asked(&self, programs: BTreeMap<HostName, Secret>) -> Said {
        let mut said = Said::new();
        for (host, program) in programs {
            let answer = self.children.ask(host.as_str(), &program).await;
            said.insert(host, answer.map(|(_, text)| text));
        }
        said
    }

    /// Runs `restore` in the lab; `empty`: when there were empty machines.
    pub(super) async fn restore(&mut self, at: f64, empty: f64) -> Result<(), Failure> {
        let (point, formation) = (
            self.rehearsal.point.name.clone(),
            self.rehearsal.formation.clone(),
        );
        let words = ["restore", "--point", &point, "--confirm", &formation];
        let (begun, mut steps, mut opened) = (self.begun, Vec::new(), None);
        let ended = self.children.steps(&words, |step| {
            let now = begun.elapsed().as_secs_f64();
            let took = std::time::Duration::from_millis(step.millis).as_secs_f64();
            if step.id.rsplit(['/', '.']).next() == Some(OPEN) {
                opened = Some(now);
            }
            steps.push(RehearsedStep {
                title: step.title,
                at: now - took,
                took,
            });
        });
        let ended = ended.await;
        self.took("restore", at);
        self.report.steps.extend(steps);
        self.report.rto_seconds = opened.map(|opened| opened - empty);
        ended
    }

    /// Rows, the query, passwords, doors, pages: in this order, because `apply` may change what was restored, and the last one
    /// stops leaders.
    pub(super) async fn prove(&mut self) -> Result<(), Failure> {
        let frame = Frame::new(self.report.run.clone());
        let at = self.now();
        let rows = self.rows(&frame).await;
        self.found(rows);
        let at = self.took("count rows on all members", at);
        let query = self.query().await;
        self.found(query);
        let at = match self.applied().await {
            None => self.took(
                "what a restore asks for: today's roles and passwords (`apply`)",
                at,
            ),
            Some(failed) => {
                self.found(vec![failed]);
                self.now()
            }
        };
        let doors = self.doors().await;
        self.found(vec![doors]);
        let at = self.took("read and write through every door (`verify --write`)", at);
        let pages = self.pages(&frame).await;
        self.found(pages);
        self.took("look into every page", at);
        Ok(())
    }

    async fn rows(&self, frame: &Frame) -> Vec<Finding> {
        let model = &self.project.model;
        let Some(formation) = model.formations.first() else {
            return Vec::new();
        };
        let restored = |host: &HostName| {
            self.rehearsal
                .groups
                .iter()
                .any(|group| group.member == *host)
        };
        let mut said = Said::new();
        for group in &formation.groups {
            let leader = self
                .rehearsal
                .groups
                .iter()
                .find(|it| it.cluster == group.cluster.as_str());
            let Some(leader) = leader.and_then(|it| model.hosts.get(&it.member)) else {
                continue;
            };
            let position = self
                .asked([(leader.name.clone(), position_program(model, leader))].into())
                .await;
            let position = position
                .into_values()
                .next()
                .and_then(Result::ok)
                .unwrap_or_default();
            let hosts = group
                .members
                .iter()
                .filter_map(|member| model.hosts.get(&member.host));
            let programs = hosts.map(|host| {
                let until = (!restored(&host.name)).then(|| position.trim());
                (host.name.clone(), rows_program(frame, model, host, until))
            });
            said.extend(self.asked(programs.collect()).await);
        }
        judge_rows(frame, formation, &self.rehearsal, &said)
    }

    /// The operator's own query.
    async fn query(&self) -> Vec<Finding> {
        let (Some(query), Some(formation)) =
            (&self.request.query, self.project.model.formations.first())
        else {
            return Vec::new();
        };
        let host = self
            .rehearsal
            .groups
            .first()
            .and_then(|group| self.project.model.hosts.get(&group.member));
        let finding = |proof, words: String| {
            vec![Finding::new(formation.name.as_str(), "query", proof, words)]
        };
        let Some(host) = host else {
            return finding(Proof::Unknown, "no member was restored".to_owned());
        };
        let own = || own_database(host, OffsetDateTime::now_utc());
        let database = self.request.database.clone().unwrap_or_else(own);
        let program = query_program(&self.project.model, host, &database, query);
        let said = format!("the query of `--check-sql`, asked in database `{database}`");
        match self.children.ask(host.name.as_str(), &program).await {
            Ok((true, text)) if text.trim() == "t" => {
                finding(Proof::Holds, format!("{said}, answers `t`"))
            }
            Ok((true, text)) => finding(Proof::Fails, format!("{said}, answers `{}`", text.trim())),
            Ok((false, text)) => finding(
                Proof::Unknown,
                format!(
                    "{said}, failed: {} (`--check-db` names another database)",
                    text.trim()
                ),
            ),
            Err(why) => finding(Proof::Unknown, format!("{}: {why}", host.name)),
        }
    }

    /// What a restore asks the operator to do: at the point roles had the passwords of then.
    async fn applied(&self) -> Option<Finding> {
        let ended = self.children.verb(&["apply", "-y"]).await;
        let name = self.report.formation.as_str();
        ended
            .err()
            .map(|failure| Finding::new(name, "apply", Proof::Fails, failure.text))
    }

    async fn doors(&self) -> Finding {
        let name = self.report.formation.as_str();
        match self.children.verb(&["verify", "--write"]).await {
            Ok(()) => Finding::new(
                name,
                "doors",
                Proof::Holds,
                "`verify --write` passes through every service port",
            ),
            Err(failure) => Finding::new(name, "doors", Proof::Fails, failure.text),
        }
    }

    async fn pages(&self, frame: &Frame) -> Vec<Finding> {
        let mut findings = Vec::new();
        for group in &self.rehearsal.groups {
            let Some(host) = self.project.model.hosts.get(&group.member) else {
                continue;
            };
            let program = pages_program(frame, &self.project.model, host, self.request.keep);
            let answer = self
                .children
                .ask(host.name.as_str(), &program)
                .await
                .map(|(_, text)| text);
            findings.extend(judge_pages(frame, &group.cluster, &host.name, &answer));
        }
        findings
    }
}
