//! `cert rotate-ca --key-lost`: nobody can sign for the authority any more that the hosts trust. The next one is trusted
//! beside it first, while the certificates that are out there stay as they are; then it goes on as always.

use super::cert;
use super::failure::{Failure, chain, code};
use super::options::Options;
use super::project::Project;
use super::rotate::{bad, common_name, may_be_made, may_begin};
use super::session::Session;
use super::session::run_id::run_id;
use crate::engine::{Answer, Unanswered, on_all};
use crate::event::Outcome;
use crate::names::HostName;
use crate::pki::rotation::{self, Borrowed};
use crate::pki::{Ca, PkiError, stranger};
use crate::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use time::OffsetDateTime;

/// Whom a host trusts. It may have etcd, PostgreSQL, HAProxy, or none of them.
const TRUSTED: &str = "for file in /etc/etcd/ca.crt /pg/cert/ca.crt /etc/haproxy/ca.crt; do [ ! -e $file ] || cat $file || exit 1; done";

/// Says what is going to happen, asks, and makes the files of the first step. Once begun it goes on without a question.
pub(super) async fn begin(options: &Options, project: &Project) -> Result<(), Failure> {
    let dir = cert::dir(project);
    let trusted: String = trusted(options, project).await?.into_values().collect();
    if !rotation::is_without_key(&dir).map_err(bad)? {
        is_needed(project, &trusted)?;
        may_be_made(project)?;
        let why = ", because the old one's key is lost";
        may_begin(options, project, [why, "", ""])?;
    }
    let aside = format!("retired/{}", run_id());
    let now = OffsetDateTime::now_utc();
    rotation::begin_without_key(&dir, &trusted, &aside, &common_name(project), now).map_err(bad)?;
    match borrow(options, project).await? {
        Some(pair) => rotation::lend(&dir, &pair).map_err(bad),
        None => Ok(()),
    }
}

/// A pair that the old authority signed, of a host with Patroni.
async fn borrow(options: &Options, project: &Project) -> Result<Option<Borrowed>, Failure> {
    let mut members = project.model.instances();
    let Some(host) = members.next().map(|member| member.host.clone()) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for path in ["/pg/cert/server.crt", "/pg/cert/server.key"] {
        let hosts = BTreeSet::from([host.clone()]);
        files.extend(
            read(options, project, hosts, &format!("cat {path}"))
                .await?
                .into_values(),
        );
    }
    let key = files.pop().map(Secret::new);
    Ok(files
        .pop()
        .zip(key)
        .map(|(cert_pem, key_pem)| Borrowed { cert_pem, key_pem }))
}

/// Without a key there is nothing to go by but what the hosts have.
fn is_needed(project: &Project, trusted: &str) -> Result<(), Failure> {
    let dir = cert::dir(project);
    if trusted.is_empty() {
        let failure = Failure::new(code::REFUSED, "no host trusts an authority yet");
        return Err(failure.hint("`citusctl apply` makes one"));
    }
    match Ca::open(&dir) {
        Ok(own) if stranger(own.cert_pem(), trusted).is_none() => {
            let why = format!(
                "the key of the authority that the hosts trust is in {}",
                dir.display()
            );
            Err(Failure::new(code::REFUSED, why).hint("leave out `--key-lost`"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses an authority that the hosts do not know: nothing that it signs would be worth anything there.
pub(super) async fn trusted_is_ours(options: &Options, project: &Project) -> Result<(), Failure> {
    let dir = cert::dir(project);
    let own = Ca::open(&dir).map_err(|error| match error {
        PkiError::Absent { .. } => Failure::new(code::INPUT, chain(&error))
            .hint("put the `ca.key` and `ca.crt` there that the hosts trust, from a backup")
            .hint("that key is lost for good: `--key-lost`"),
        error => bad(error),
    })?;
    let trusted = trusted(options, project).await?;
    let other = |text: &String| stranger(own.cert_pem(), text).is_some();
    let others: Vec<&str> = trusted
        .iter()
        .filter(|(_, text)| other(text))
        .map(|(host, _)| host.as_str())
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let why = format!(
        "another authority than the one in {} is trusted by {}",
        dir.display(),
        others.join(", ")
    );
    Err(Failure::new(code::REFUSED, why)
        .hint("put that one's `ca.key` and `ca.crt` there")
        .hint("its key is lost for good: `--key-lost`"))
}

/// Certificates of whom each host trusts. All hosts must answer.
async fn trusted(
    options: &Options,
    project: &Project,
) -> Result<BTreeMap<HostName, String>, Failure> {
    let hosts = project.model.hosts.keys().cloned().collect();
    read(options, project, hosts, TRUSTED).await
}

/// What reading a few files may take on a host.
const READING: Duration = Duration::from_secs(120);

async fn read(
    options: &Options,
    project: &Project,
    hosts: BTreeSet<HostName>,
    command: &str,
) -> Result<BTreeMap<HostName, String>, Failure> {
    let silent = options.without_events();
    let session = Session::reach(&silent, project, "cert", hosts.clone()).await?;
    let run = session.run()?;
    let answers = on_all(&run, &hosts, command, Some(READING)).await;
    drop(run);
    session.finish(Outcome::Done).await;
    let text = |(host, answer): (HostName, Result<Answer, Unanswered>)| match answer {
        Ok(answer) if answer.ok() => Ok((host, answer.out)),
        Ok(answer) => Err(Failure::new(
            code::FAILED,
            format!("{host}: {}", answer.err.trim()),
        )),
        Err(why) => Err(
            Failure::new(code::UNREACHABLE, format!("{host}: {}", why.words))
                .hint("a host that is left out would trust nobody: mend the way to it first"),
        ),
    };
    answers.into_iter().map(text).collect()
}
