//! Certificates of instances: kept while they are fit.

use super::PkiError;
use super::authority::{Ca, SKEW, new_key, parse_key, public_key, subject};
use super::inspect::{Inspected, inspect};
use super::store::{self, PRIVATE, PUBLIC};
use crate::secret::Secret;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// A certificate is replaced this long before it ends, or in the last tenth of a short life.
const RENEW_BEFORE: Duration = Duration::days(60);

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// PostgreSQL, Patroni's REST API, etcd: servers that also call each other.
    Both,
    /// People and programs that only connect.
    Client,
}

/// The certificate that somebody needs.
#[derive(Clone, Debug)]
pub struct LeafRequest {
    /// Names the directory below `hosts/`: `pg-citus0-1`, `etcd-1`.
    pub name: String,
    /// The subject's CN. Leave it empty for etcd and for whoever talks to it: with authentication
    /// and `client-cert-auth` on, etcd's gateway refuses every client whose certificate has a CN
    /// (seen with 3.4.23: "CommonName of client sending a request against gateway will be ignored
    /// and not used as expected"). Names count by the SAN alone.
    pub common_name: String,
    /// Addresses and DNS names that clients use; order and repeats do not matter.
    pub sans: Vec<String>,
    pub usage: Usage,
    /// How long a new one lasts, at most as long as the authority.
    pub lifetime: Duration,
}

/// Why there is a new certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reissue {
    /// There was none.
    #[error("there was none yet")]
    First,
    /// The pair cannot be read.
    #[error("the one kept cannot be read: {0}")]
    Unreadable(String),
    /// Key and certificate are not a pair.
    #[error("the key kept is not the key of the certificate")]
    KeyDiffers,
    /// The authority is another one now.
    #[error("it was signed by another authority")]
    IssuerDiffers,
    /// Names came or went.
    #[error("its names differ: {}", .0)]
    NamesDiffer(String),
    /// CN or usage differ.
    #[error("its subject or its usage differs")]
    SubjectDiffers,
    /// It ends soon, or has ended.
    #[error("it ends on {}", .0.date())]
    Ending(OffsetDateTime),
}

/// A key and its certificate.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub key_pem: Secret,
    pub cert_pem: String,
    pub not_after: OffsetDateTime,
    /// `None`: it is the one that was kept.
    pub reissued: Option<Reissue>,
}

pub(super) fn get(ca: &Ca, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, PkiError> {
    if ca.is_outlined() {
        sans(request)?;
        return Ok(outline(request, now));
    }
    let Some(root) = ca.dir() else {
        return issue(ca, request, now, Reissue::First);
    };
    let dir = root.join("hosts").join(&request.name);
    let reason = match kept(&dir)? {
        None => Reissue::First,
        Some((key, cert)) => match fit(ca, request, &key, &cert, now) {
            Ok(facts) => {
                let not_after = facts.not_after;
                return Ok(Leaf {
                    key_pem: Secret::new(key),
                    cert_pem: cert,
                    not_after,
                    reissued: None,
                });
            }
            Err(reason) => reason,
        },
    };
    let leaf = issue(ca, request, now, reason)?;
    if !ca.keeps() {
        return Ok(leaf);
    }
    store::make_dir(&dir)?;
    // A crash in between leaves a pair that does not match, and the next run makes a new one.
    store::write(&dir.join("key"), leaf.key_pem.expose(), PRIVATE)?;
    store::write(&dir.join("crt"), &leaf.cert_pem, PUBLIC)?;
    Ok(leaf)
}

/// What was asked for, in place of a certificate.
fn outline(request: &LeafRequest, now: OffsetDateTime) -> Leaf {
    let mut sans = request.sans.clone();
    sans.sort();
    sans.dedup();
    Leaf {
        key_pem: Secret::new(format!("key of {}\n", request.name)),
        cert_pem: format!(
            "certificate of {} (CN={})\n{}\nfor {} s, {:?}\n",
            request.name,
            request.common_name,
            sans.join("\n"),
            request.lifetime.whole_seconds(),
            request.usage
        ),
        not_after: now + request.lifetime,
        reissued: None,
    }
}

pub(super) fn passing(
    ca: &Ca,
    request: &LeafRequest,
    now: OffsetDateTime,
) -> Result<Leaf, PkiError> {
    issue(ca, request, now, Reissue::First)
}

pub(super) fn ended(ca: &Ca, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, PkiError> {
    let request = LeafRequest {
        lifetime: Duration::days(1),
        ..request.clone()
    };
    issue(ca, &request, now - Duration::days(2), Reissue::First)
}

fn kept(dir: &Path) -> Result<Option<(String, String)>, PkiError> {
    let key = store::read(&dir.join("key"))?;
    Ok(key.zip(store::read(&dir.join("crt"))?))
}

/// Whether a kept pair will do, else why not.
fn fit(
    ca: &Ca,
    request: &LeafRequest,
    key: &str,
    cert: &str,
    now: OffsetDateTime,
) -> Result<Inspected, Reissue> {
    let unreadable = |e: PkiError| Reissue::Unreadable(e.to_string());
    let key = parse_key("key", key).map_err(unreadable)?;
    let facts = inspect("crt", cert).map_err(unreadable)?;
    if facts.public_key != public_key(&key) {
        return Err(Reissue::KeyDiffers);
    }
    let authority = ca.facts();
    let other_key = facts.signer.is_some() && facts.signer != authority.key_id;
    if facts.issuer != authority.subject || other_key {
        return Err(Reissue::IssuerDiffers);
    }
    let wanted: BTreeSet<String> = request.sans.iter().map(|san| canonical(san)).collect();
    if facts.names != wanted {
        return Err(Reissue::NamesDiffer(differences(&facts.names, &wanted)));
    }
    let common_name = facts.common_name.as_deref().unwrap_or_default();
    if common_name != request.common_name || facts.server_auth != (request.usage == Usage::Both) {
        return Err(Reissue::SubjectDiffers);
    }
    if facts.not_after - now < renew_before(&facts) {
        return Err(Reissue::Ending(facts.not_after));
    }
    Ok(facts)
}

fn renew_before(facts: &Inspected) -> Duration {
    RENEW_BEFORE.min((facts.not_after - facts.not_before) / 10)
}

fn differences(have: &BTreeSet<String>, want: &BTreeSet<String>) -> String {
    let gone = have.difference(want).map(|name| format!("-{name}"));
    let new = want.difference(have).map(|name| format!("+{name}"));
    new.chain(gone).collect::<Vec<_>>().join(" ")
}

/// Addresses in their one usual form, names in lower case.
fn canonical(san: &str) -> String {
    match san.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => san.to_ascii_lowercase(),
    }
}

fn issue(
    ca: &Ca,
    request: &LeafRequest,
    now: OffsetDateTime,
    reason: Reissue,
) -> Result<Leaf, PkiError> {
    let key = new_key(&request.name)?;
    let params = params(ca, request, now)?;
    let sign = |e: rcgen::Error| PkiError::Sign {
        name: request.name.clone(),
        why: e.to_string(),
    };
    let cert = params.signed_by(&key, ca.issuer()).map_err(sign)?;
    Ok(Leaf {
        key_pem: Secret::new(key.serialize_pem()),
        cert_pem: cert.pem(),
        not_after: params.not_after,
        reissued: Some(reason),
    })
}

fn params(
    ca: &Ca,
    request: &LeafRequest,
    now: OffsetDateTime,
) -> Result<CertificateParams, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(&request.common_name);
    params.subject_alt_names = sans(request)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match request.usage {
        Usage::Both => vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ],
        Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
    };
    params.not_before = now - SKEW;
    let end = (now + request.lifetime).min(ca.not_after());
    // Certificates know whole seconds only.
    params.not_after = end.replace_nanosecond(0).unwrap_or(end);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn sans(request: &LeafRequest) -> Result<Vec<SanType>, PkiError> {
    let names: BTreeSet<String> = request.sans.iter().map(|san| canonical(san)).collect();
    let bad = |san: &str| PkiError::BadName {
        name: request.name.clone(),
        san: san.to_owned(),
    };
    let one = |san: &String| match san.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) if !is_host_name(san) => Err(bad(san)),
        Err(_) => Ok(SanType::DnsName(
            san.clone().try_into().map_err(|_| bad(san))?,
        )),
    };
    names.iter().map(one).collect()
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let name = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= 253 && name.split('.').all(label)
}
