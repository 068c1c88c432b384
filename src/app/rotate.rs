//! `cert rotate-ca`: another authority, in three steps between which nobody is without one that he trusts.

use super::apply;
use super::cert::{self, CERT_TAGS, JsonForm, PATIENCE, POLL};
use super::failure::{Failure, chain, code, say};
use super::options::Options;
use super::project::Project;
use super::rotate_lost as lost;
use super::runbook::ask;
use super::session::Session;
use super::session::run_id::run_id;
use crate::engine::{PatroniTls, TlsListener, admits, listeners};
use crate::event::Outcome;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::names::HostName;
use crate::names::words::count;
use crate::pki::rotation::{self, Phase};
use crate::pki::{Ca, LeafRequest, PkiError, Usage, retire};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use time::OffsetDateTime;

/// Goes on from where it is, up to the end of the step `until`, or of the last one.
///
/// # Errors
/// Whatever stood in the way; the next run goes on from there.
pub async fn run(options: &Options, until: Option<Phase>, key_lost: bool) -> Result<u8, Failure> {
    everybody(options)?;
    let project = Project::open(options)?;
    let dir = cert::dir(&project);
    let begun = rotation::phase(&dir).map_err(bad)?;
    let is_lost = key_lost || rotation::is_without_key(&dir).map_err(bad)?;
    match begun {
        None | Some(Phase::Trust) if is_lost => lost::begin(options, &project).await?,
        None => {
            lost::trusted_is_ours(options, &project).await?;
            begin(options, &project)?;
        }
        Some(phase) => say(&format!("going on with step {}", number(phase))),
    }
    let first = begun.unwrap_or(Phase::Trust);
    for phase in Phase::ALL.into_iter().filter(|phase| *phase >= first) {
        let ended = step(options, &project, phase).await?;
        if ended != code::DONE {
            return Ok(ended);
        }
        if until == Some(phase) {
            say("the next `citusctl cert rotate-ca` goes on from here");
            return Ok(code::DONE);
        }
    }
    let aside = format!("retired/{}", run_id());
    rotation::finish(&dir, &aside).map_err(bad)?;
    say(&format!(
        "the authority of before is kept in {}",
        dir.join(aside).join("ca").display()
    ));
    Ok(code::DONE)
}

pub(super) fn bad(error: PkiError) -> Failure {
    let failure = Failure::new(code::INPUT, chain(&error));
    let hints = error.hints().into_iter();
    hints.fold(failure, |failure, hint| failure.hint(hint))
}

fn number(phase: Phase) -> &'static str {
    match phase {
        Phase::Trust => "1 of 3: both authorities are trusted everywhere",
        Phase::Renew => "2 of 3: all certificates are the new one's",
        Phase::End => "3 of 3: the old one is trusted no more",
    }
}

/// A host that is left out would soon trust nobody.
fn everybody(options: &Options) -> Result<(), Failure> {
    let why = "an authority is everybody's: there is no part of it to choose";
    let hint = "leave out `-l`, `-t` and `--skip-tags`";
    options.undivided(why, hint)
}

/// Says what is going to happen, and asks.
fn begin(options: &Options, project: &Project) -> Result<(), Failure> {
    may_be_made(project)?;
    may_begin(options, project, ["", " by each listener", " again"])
}

/// Where none may be made, the next pair is put there by hand.
pub(super) fn may_be_made(project: &Project) -> Result<(), Failure> {
    let next = cert::dir(project).join("rotation");
    let typed = project.inventory.hosts.values().next();
    let typed = typed.map(|host| Typed::new(&host.vars));
    if next.join("ca.key").exists() || typed.is_none_or(|typed| typed.get(param::CA_CREATE)) {
        return Ok(());
    }
    let failure = Failure::new(code::REFUSED, "`ca_create: false`: none is made here");
    Err(failure.hint(format!(
        "put `ca.key` and `ca.crt` of the next one into {}",
        next.display()
    )))
}

/// Says what the three steps are, with what is particular to this way: why, how it is proved, which file clients need.
pub(super) fn may_begin(
    options: &Options,
    project: &Project,
    [why, by, again]: [&str; 3],
) -> Result<(), Failure> {
    say(&format!(
        "A new authority for {}{why}, in three steps, each an ordinary apply with a proof{by}:\n  \
         1  both are trusted everywhere        reloads; members of etcd restart one by one\n  \
         2  all certificates are the new one's reloads\n  \
         3  the old one is trusted no more     reloads; members of etcd restart one by one\n\
         Clients that check certificates need {}{again} after step 1 and before step 2: `--until trust` stops there.",
        count(project.model.hosts.len(), "host"),
        cert::dir(project).join("ca.crt").display(),
    ));
    match options.yes {
        true => Ok(()),
        false => ask("Begin? [y/N] ", "`--yes` answers", |said| {
            matches!(said, "y" | "yes" | "Y" | "Yes")
        }),
    }
}

pub(super) fn common_name(project: &Project) -> String {
    let first = project.inventory.hosts.values().next();
    first.map_or_else(String::new, |host| Typed::new(&host.vars).get(param::CA_CN))
}

/// One step: its files here, on all hosts, and the proof. Every step brings new certificates, because Patroni reads the
/// authority again only together with a certificate.
async fn step(options: &Options, project: &Project, phase: Phase) -> Result<u8, Failure> {
    let dir = cert::dir(project);
    let cn = common_name(project);
    say(&format!("step {}", number(phase)));
    rotation::enter(&dir, phase, &cn, OffsetDateTime::now_utc()).map_err(bad)?;
    let tags: Vec<&str> = match rotation::is_without_key(&dir).map_err(bad)? {
        // What the old one signed stays until all trust the new one.
        true => vec!["ca_trust"],
        false => {
            let aside = format!("retired/{}", run_id());
            for kept in cert::all(project)? {
                retire(&dir, &kept.name, &aside).map_err(bad)?;
            }
            [&CERT_TAGS[..], &["ca_trust", "etcd_auth"]].concat()
        }
    };
    let all = Options {
        yes: true,
        ..options.tagged(&tags)
    };
    let ended = apply::site(&all, project).await.result;
    if !matches!(ended, Ok(code::DONE)) {
        say("this step is not finished; `citusctl cert rotate-ca` goes on with it");
        return ended;
    }
    match proved(options, project, phase).await? {
        true => Ok(code::DONE),
        false => Err(Failure::new(
            code::FAILED,
            "not every listener is as far as this step; nothing more was begun",
        )
        .hint("`citusctl cert rotate-ca` goes on with it")),
    }
}

/// Whether every listener shows what is kept, and lets in whom it should now, and nobody else. Where the old key is lost,
/// Patroni trusts the new authority together with its new certificate only.
async fn proved(options: &Options, project: &Project, phase: Phase) -> Result<bool, Failure> {
    let dir = cert::dir(project);
    let trusting = rotation::is_without_key(&dir).map_err(bad)?;
    let ca_pem = project.authority(false)?.cert_pem().to_owned();
    let hosts: BTreeSet<HostName> = project.model.hosts.keys().cloned().collect();
    let mut good = trusting || shown(options, project, &ca_pem, &hosts).await?;
    let mut clients = vec![(
        rotation::next(&dir).map_err(bad)?,
        "the new authority",
        true,
    )];
    match old(&dir, phase)? {
        Some(old) => clients.push((old, "the old authority", phase != Phase::End)),
        None => say("without its key nobody can show what becomes of clients of the old authority"),
    }
    let silent = options.without_events();
    let session = Session::reach(&silent, project, "cert", hosts).await?;
    let all = project.model.hosts();
    let all = all.flat_map(|host| listeners(&project.model, host));
    let asked: Vec<TlsListener> = all
        .filter(|at| at.verifies && !(trusting && at.program == "Patroni"))
        .collect();
    for (authority, whose, wanted) in clients {
        let client = client(&authority, &ca_pem)?;
        good &= let_in(&session, &asked, &client, (whose, wanted)).await?;
    }
    session.finish(Outcome::Done).await;
    Ok(good)
}

async fn shown(
    options: &Options,
    project: &Project,
    ca_pem: &str,
    hosts: &BTreeSet<HostName>,
) -> Result<bool, Failure> {
    let proofs = cert::prove(options, project, ca_pem, hosts, PATIENCE).await?;
    cert::show(options, &proofs, JsonForm::Lines)?;
    Ok(proofs.iter().all(|proof| proof.found.is_ok()))
}

/// The authority that leaves, if its key is there.
fn old(dir: &Path, phase: Phase) -> Result<Option<Ca>, Failure> {
    if phase == Phase::Trust && !rotation::is_without_key(dir).map_err(bad)? {
        return Ca::open(dir).map(Some).map_err(bad);
    }
    match rotation::before(dir) {
        Err(PkiError::KeyMissing { .. }) => Ok(None),
        found => found.map(Some).map_err(bad),
    }
}

/// Somebody whom an authority vouches for.
fn client(authority: &Ca, ca_pem: &str) -> Result<PatroniTls, Failure> {
    let request = LeafRequest {
        name: "proof".to_owned(),
        common_name: String::new(),
        sans: Vec::new(),
        usage: Usage::Client,
        lifetime: time::Duration::days(1),
    };
    let leaf = authority
        .passing(&request, OffsetDateTime::now_utc())
        .map_err(bad)?;
    Ok(PatroniTls {
        ca_pem: ca_pem.to_owned(),
        cert_pem: leaf.cert_pem,
        key_pem: leaf.key_pem,
    })
}

/// Asks all listeners that judge clients, again until they do as wanted or patience ends; says who does not.
async fn let_in(
    session: &Session<'_>,
    asked: &[TlsListener],
    client: &PatroniTls,
    (whose, wanted): (&str, bool),
) -> Result<bool, Failure> {
    let run = session.run()?;
    let started = Instant::now();
    loop {
        let found = admits(&run, asked, client).await;
        let wrong: Vec<String> = asked
            .iter()
            .zip(&found)
            .filter(|(_, found)| **found != Ok(wanted))
            .map(|(listener, found)| words(listener, found))
            .collect();
        if wrong.is_empty() {
            let does = if wanted { "let in" } else { "refuse" };
            say(&format!(
                "{} {does} clients of {whose}",
                count(asked.len(), "listener")
            ));
            return Ok(true);
        }
        if started.elapsed() >= PATIENCE {
            wrong
                .iter()
                .for_each(|words| say(&format!("clients of {whose}: {words}")));
            return Ok(false);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn words(listener: &TlsListener, found: &Result<bool, String>) -> String {
    let at = format!(
        "{}: {} on port {}",
        listener.host, listener.program, listener.port
    );
    match found {
        Ok(true) => format!("{at} lets them in"),
        Ok(false) => format!("{at} refuses them"),
        Err(why) => format!("{at}: {why}"),
    }
}
