//! `cert rotate-ca`: another authority, in three steps between which nobody is without one that he trusts.

use super::apply::{self, ApplyArgs};
use super::cert::{self, CERT_TAGS, Form, PATIENCE, POLL};
use super::exit::{Failure, chain, code, say};
use super::options::Common;
use super::project::Project;
use super::runbook::ask;
use super::session::Session;
use super::session::run_id::run_id;
use crate::engine::{Listener, PatroniTls, admits, listeners};
use crate::event::Outcome;
use crate::inventory::parameters::Typed;
use crate::names::words::count;
use crate::pki::rotation::{self, Phase};
use crate::pki::{Ca, LeafRequest, PkiError, Usage, retire};
use clap::{Args, ValueEnum};
use std::time::Instant;
use time::OffsetDateTime;

/// Options of `cert rotate-ca`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Stop after this step; the next `cert rotate-ca` goes on
    #[arg(long, value_name = "STEP")]
    until: Option<Step>,
}

/// A step, as it is called on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Both authorities are trusted everywhere
    Trust,
    /// All certificates are the new one's
    Renew,
}

impl Step {
    fn phase(self) -> Phase {
        match self {
            Self::Trust => Phase::Trust,
            Self::Renew => Phase::Renew,
        }
    }
}

/// Runs it.
pub async fn run(common: &Common, args: &RotateArgs) -> Result<u8, Failure> {
    everybody(common)?;
    let project = Project::open(common)?;
    let dir = cert::dir(&project);
    let begun = rotation::phase(&dir).map_err(bad)?;
    match begun {
        None => begin(common, &project)?,
        Some(phase) => say(&format!("going on with step {}", number(phase))),
    }
    let first = begun.unwrap_or(Phase::Trust);
    for phase in Phase::ALL.into_iter().filter(|phase| *phase >= first) {
        let ended = step(common, &project, phase).await?;
        if ended != code::DONE {
            return Ok(ended);
        }
        if args.until.is_some_and(|until| until.phase() == phase) {
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

fn bad(error: PkiError) -> Failure {
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
fn everybody(common: &Common) -> Result<(), Failure> {
    let why = "an authority is everybody's: there is no part of it to choose";
    let hint = "leave out `-l`, `-t` and `--skip-tags`";
    common.undivided(why, hint)
}

/// Says what is going to happen, and asks.
fn begin(common: &Common, project: &Project) -> Result<(), Failure> {
    let dir = cert::dir(project);
    Ca::open(&dir).map_err(bad)?;
    let typed = project.inventory.hosts.values().next();
    let typed = typed.map(|host| Typed::new(&host.vars));
    if !typed.is_none_or(|typed| typed.bool("ca_create")) {
        let failure = Failure::new(code::REFUSED, "`ca_create: false`: none is made here");
        return Err(failure.hint(format!(
            "put `ca.key` and `ca.crt` of the next one into {}",
            dir.join("rotation").display()
        )));
    }
    say(&format!(
        "A new authority for {}, in three steps, each an ordinary apply with a proof by each listener:\n  \
         1  both are trusted everywhere        reloads; members of etcd restart one by one\n  \
         2  all certificates are the new one's reloads\n  \
         3  the old one is trusted no more     reloads; members of etcd restart one by one\n\
         Clients that check certificates need {} again after step 1 and before step 2: `--until trust` stops there.",
        count(project.model.hosts.len(), "host"),
        dir.join("ca.crt").display(),
    ));
    match common.yes {
        true => Ok(()),
        false => ask("Begin? [y/N] ", "`--yes` answers", |said| {
            matches!(said, "y" | "yes" | "Y" | "Yes")
        }),
    }
}

/// One step: its files here, on all hosts, and the proof. Every step brings new certificates, because Patroni reads the
/// authority again only together with a certificate.
async fn step(common: &Common, project: &Project, phase: Phase) -> Result<u8, Failure> {
    let dir = cert::dir(project);
    let first = project.inventory.hosts.values().next();
    let cn = first.map_or_else(String::new, |host| Typed::new(&host.vars).str("ca_cn"));
    say(&format!("step {}", number(phase)));
    rotation::enter(&dir, phase, &cn, OffsetDateTime::now_utc()).map_err(bad)?;
    let aside = format!("retired/{}", run_id());
    for kept in cert::all(project)? {
        retire(&dir, &kept.name, &aside).map_err(bad)?;
    }
    let tags = CERT_TAGS.iter().chain(&["ca_trust", "etcd_auth"]);
    let all = Common {
        tags: tags.map(|tag| (*tag).to_owned()).collect(),
        yes: true,
        ..common.clone()
    };
    let ended = apply::run(&all, &ApplyArgs::site()).await;
    if !matches!(ended, Ok(code::DONE)) {
        say("this step is not finished; `citusctl cert rotate-ca` goes on with it");
        return ended;
    }
    match proved(common, project, phase).await? {
        true => Ok(code::DONE),
        false => Err(Failure::new(
            code::FAILED,
            "not every listener is as far as this step; nothing more was begun",
        )
        .hint("`citusctl cert rotate-ca` goes on with it")),
    }
}

/// Whether every listener shows what is kept, and lets in whom it should now, and nobody else.
async fn proved(common: &Common, project: &Project, phase: Phase) -> Result<bool, Failure> {
    let ca_pem = project.authority(false)?.cert_pem().to_owned();
    let hosts = project.model.hosts.keys().cloned().collect();
    let proofs = cert::prove(common, project, &ca_pem, &hosts, PATIENCE).await?;
    cert::show(common, &proofs, Form::Lines)?;
    let shown = proofs.iter().all(|proof| proof.found.is_ok());
    let dir = cert::dir(project);
    let mut clients = vec![(rotation::next(&dir), "the new authority", true)];
    match phase {
        Phase::Trust => clients.push((Ca::open(&dir), "the old authority", true)),
        Phase::Renew => clients.push((rotation::before(&dir), "the old authority", true)),
        Phase::End => clients.push((rotation::before(&dir), "the old authority", false)),
    }
    let mut good = shown;
    let silent = common.without_events();
    let session = Session::reach(&silent, project, "cert", hosts).await?;
    for (authority, whose, wanted) in clients {
        let authority = authority.map_err(bad)?;
        let client = client(&authority, &ca_pem)?;
        good &= let_in(&session, &client, whose, wanted).await?;
    }
    session.finish(Outcome::Done).await;
    Ok(good)
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
    client: &PatroniTls,
    whose: &str,
    wanted: bool,
) -> Result<bool, Failure> {
    let model = &session.project.model;
    let all = model.hosts().flat_map(|host| listeners(model, host));
    let asked: Vec<Listener> = all.filter(|listener| listener.verifies).collect();
    let run = session.run()?;
    let started = Instant::now();
    loop {
        let found = admits(&run, &asked, client).await;
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

fn words(listener: &Listener, found: &Result<bool, String>) -> String {
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
