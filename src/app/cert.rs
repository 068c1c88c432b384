//! `cert`: certificates that are kept, those that listeners show, and new ones.

use super::apply::{self, ApplyEnd};
use super::failure::{Failure, chain, code, pretty, result, say};
use super::options::Options;
use super::project::Project;
use super::session::Session;
use super::session::run_id::run_id;
use crate::engine::{TlsListener, listeners, served};
use crate::event::Outcome;
use crate::model::Host;
use crate::names::HostName;
use crate::pki::{KeptCertificate, bring_back, kept, retire};
use crate::ui::status_view::{cell, table};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// Tags of all resources that hold certificates of hosts.
pub(super) const CERT_TAGS: [&str; 2] = ["pg_cert", "etcd_cert"];

/// Patroni reads its files again at the next turn of its loop, which may be half a minute away.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const POLL: Duration = Duration::from_millis(500);

/// The certificates that are kept, with their expiry; with `served` also whether every listener shows its own.
///
/// # Errors
/// No authority, or hosts that cannot be asked.
pub async fn list(options: &Options, served: bool) -> Result<u8, Failure> {
    let (project, ca_pem) = open(options)?;
    listed(options, &project, &ca_pem, served).await
}

/// New keys and certificates, and the proof that every listener shows them.
///
/// # Errors
/// Whatever stood in the way.
pub async fn renew(options: &Options) -> Result<u8, Failure> {
    let (project, ca_pem) = open(options)?;
    renewed(options, &project, &ca_pem).await
}

/// Without an authority there is nothing to list; `apply` makes one.
fn open(options: &Options) -> Result<(Project, String), Failure> {
    let project = Project::open(options)?;
    let ca_pem = project.authority(false)?.cert_pem().to_owned();
    Ok((project, ca_pem))
}

pub(super) fn dir(project: &Project) -> PathBuf {
    project.state_dir.join("pki")
}

pub(super) fn all(project: &Project) -> Result<Vec<KeptCertificate>, Failure> {
    kept(&dir(project)).map_err(|error| Failure::new(code::INPUT, chain(&error)))
}

async fn listed(
    options: &Options,
    project: &Project,
    ca_pem: &str,
    ask: bool,
) -> Result<u8, Failure> {
    let kept = all(project)?;
    if !ask {
        result(&match options.json {
            true => pretty(&kept.iter().map(row).collect::<Vec<_>>())?,
            false => text(&kept),
        })?;
        return Ok(code::DONE);
    }
    let proofs = prove(
        options,
        project,
        ca_pem,
        &project.chosen(options)?,
        Duration::ZERO,
    )
    .await?;
    show(options, &proofs, JsonForm::Whole)?;
    Ok(match proofs.iter().all(|proof| proof.found.is_ok()) {
        true => code::DONE,
        false => code::INTERNAL,
    })
}

fn days(kept: &KeptCertificate) -> i64 {
    (kept.facts.not_after - OffsetDateTime::now_utc()).whole_days()
}

fn row(kept: &KeptCertificate) -> serde_json::Value {
    json!({
        "name": kept.name, "not_after": kept.facts.not_after.unix_timestamp(), "days": days(kept),
        "names": kept.facts.names,
    })
}

fn text(kept: &[KeptCertificate]) -> String {
    let names = |kept: &KeptCertificate| kept.facts.names.iter().cloned().collect::<Vec<_>>();
    let row = |kept: &KeptCertificate| {
        vec![
            cell(&kept.name),
            cell(&kept.facts.not_after.date().to_string()),
            cell(&format!("{} days", days(kept))),
            cell(&names(kept).join(" ")),
        ]
    };
    table("Certificates", kept.iter().map(row).collect())
}

/// One listener, and whether it shows what is kept.
pub(super) struct Proof {
    listener: TlsListener,
    pub(super) found: Result<(), String>,
}

/// Asks all listeners of these hosts, again until all show what is kept or patience ends.
pub(super) async fn prove(
    options: &Options,
    project: &Project,
    ca_pem: &str,
    hosts: &BTreeSet<HostName>,
    patience: Duration,
) -> Result<Vec<Proof>, Failure> {
    let kept = all(project)?;
    let of = |host: &&Host| hosts.contains(&host.name);
    let asked = project.model.hosts().filter(of);
    let asked: Vec<TlsListener> = asked.flat_map(|h| listeners(&project.model, h)).collect();
    let silent = options.without_events();
    let session = Session::reach(&silent, project, "cert", hosts.clone()).await?;
    let run = session.run()?;
    let started = Instant::now();
    loop {
        let shown = served(&run, &asked, ca_pem).await;
        let judged = asked.iter().zip(shown).map(|(listener, shown)| Proof {
            found: shown.and_then(|der| judge(&kept, listener, &der)),
            listener: listener.clone(),
        });
        let proofs: Vec<Proof> = judged.collect();
        let good = proofs.iter().all(|proof| proof.found.is_ok());
        if good || started.elapsed() >= patience {
            drop(run);
            session.finish(Outcome::Done).await;
            return Ok(proofs);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn judge(kept: &[KeptCertificate], listener: &TlsListener, der: &[u8]) -> Result<(), String> {
    let own = kept.iter().find(|kept| kept.name == listener.certificate);
    let own = own.ok_or_else(|| format!("no certificate of {} is kept", listener.certificate))?;
    match own.facts.der == der {
        true => Ok(()),
        false => Err("it shows another certificate than the one that is kept".to_owned()),
    }
}

/// What JSON is like: all of stdout, or more of the lines that an apply has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonForm {
    Whole,
    Lines,
}

pub(super) fn show(options: &Options, proofs: &[Proof], form: JsonForm) -> Result<(), Failure> {
    let words = |proof: &Proof| match &proof.found {
        Ok(()) => "shows it".to_owned(),
        Err(why) => why.clone(),
    };
    let as_json = |proof: &Proof| {
        let at = &proof.listener;
        json!({
            "host": at.host, "program": at.program, "port": at.port, "certificate": at.certificate,
            "ok": proof.found.is_ok(), "detail": words(proof),
        })
    };
    let as_cells = |proof: &Proof| {
        let at = &proof.listener;
        let port = at.port.to_string();
        [
            at.host.as_str(),
            at.program,
            &port,
            &at.certificate,
            &words(proof),
        ]
        .map(cell)
        .to_vec()
    };
    let rows = || proofs.iter().map(as_json);
    result(&match (options.json, form) {
        (true, JsonForm::Whole) => pretty(&rows().collect::<Vec<_>>())?,
        (true, JsonForm::Lines) => rows().map(|row| format!("{row}\n")).collect(),
        (false, _) => table("Listeners", proofs.iter().map(as_cells).collect()),
    })
}

/// The pairs are moved aside, so that an ordinary apply makes new ones; declined, they come back.
async fn renewed(options: &Options, project: &Project, ca_pem: &str) -> Result<u8, Failure> {
    let hosts = project.chosen(options)?;
    let of = |host: &&Host| hosts.contains(&host.name);
    let own = project.model.hosts().filter(of);
    let wanted: BTreeSet<String> = own
        .flat_map(|host| listeners(&project.model, host))
        .map(|listener| listener.certificate)
        .collect();
    let there = all(project)?.into_iter().map(|kept| kept.name);
    let names: Vec<String> = there.filter(|name| wanted.contains(name)).collect();
    if names.is_empty() {
        let failure = Failure::new(code::INPUT, "no certificate of these hosts is kept here");
        return Err(failure.hint("`citusctl apply` makes those that are missing"));
    }
    let failed = |error| Failure::new(code::INPUT, chain(&error));
    let aside = format!("retired/{}", run_id());
    for name in &names {
        retire(&dir(project), name, &aside).map_err(failed)?;
    }
    let ended = apply::site(&options.tagged(&CERT_TAGS), project).await;
    if !matches!(ended.result, Ok(code::DONE)) {
        return undone(project, &names, &aside, ended);
    }
    let proofs = prove(options, project, ca_pem, &hosts, PATIENCE).await?;
    show(options, &proofs, JsonForm::Lines)?;
    let good = proofs.iter().all(|proof| proof.found.is_ok());
    Ok(if good { code::DONE } else { code::INTERNAL })
}

/// Hosts that have new certificates keep them; where none was begun, those of before stay.
fn undone(
    project: &Project,
    names: &[String],
    aside: &str,
    ended: ApplyEnd,
) -> Result<u8, Failure> {
    if ended.begun {
        say("not all hosts have their new certificates: mend what failed, then `citusctl apply`");
        return ended.result;
    }
    for name in names {
        bring_back(&dir(project), name, aside)
            .map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    }
    say("nothing was begun: the certificates are those of before");
    ended.result
}
