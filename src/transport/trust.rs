//! Decides whether the key that a host shows is the host's.

use super::endpoint::HostKeyPolicy;
use super::error::{FileLine, HostKeyProblem, TransportError};
use super::known_hosts::{self, KeyMarker, KnownKey, Names};
use super::notices::Notices;
use crate::names::HostName;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// All that is known about one host's key.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    host: String,
    names: Names,
    policy: HostKeyPolicy,
    pinned: Option<String>,
    entries: Vec<KnownKey>,
    /// Where a new key is written.
    learn: Option<PathBuf>,
    notices: Notices,
}

/// Where to look and what to do.
pub(crate) struct TrustSource<'a> {
    /// Host as it is recorded: the address, or `HostKeyAlias`.
    pub(crate) recorded_as: &'a str,
    pub(crate) port: u16,
    pub(crate) policy: HostKeyPolicy,
    pub(crate) pinned: Option<String>,
    /// Files in order.
    pub(crate) files: &'a [PathBuf],
    /// Where new keys go.
    pub(crate) learn: Option<PathBuf>,
    /// Where is told what was accepted without being known.
    pub(crate) notices: Notices,
}

impl Trust {
    /// Reads the files. One that does not exist is empty; one that cannot be read is an error, because it
    /// might revoke a key.
    pub(crate) fn load(host: &HostName, source: TrustSource<'_>) -> Result<Self, TransportError> {
        let names = Names::new(source.recorded_as, source.port);
        let mut entries = Vec::new();
        for file in source.files {
            let text = read(file).map_err(|error| TransportError::Config {
                host: host.clone(),
                what: format!("{} cannot be read: {error}", file.display()),
            })?;
            entries.extend(known_hosts::entries(&text, file, &names));
        }
        Ok(Self {
            host: source.recorded_as.to_owned(),
            names,
            policy: source.policy,
            pinned: source.pinned,
            entries,
            learn: source.learn,
            notices: source.notices,
        })
    }

    /// Key algorithms to ask for, those of recorded keys first, so that a host shows the key that is known.
    pub(crate) fn preferred(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        let known = self.kinds();
        let (mut first, rest): (Vec<_>, Vec<_>) = all
            .iter()
            .cloned()
            .partition(|algorithm| known.iter().any(|kind| is_kind(algorithm, kind)));
        first.extend(rest);
        first
    }

    fn kinds(&self) -> Vec<&str> {
        let pinned = self.pinned.as_deref().and_then(|key| key.split(' ').next());
        let plain = |entry: &&KnownKey| entry.marker == KeyMarker::Plain;
        let recorded = self.entries.iter().filter(plain);
        match pinned {
            Some(kind) => vec![kind],
            None => recorded.map(|entry| entry.kind.as_str()).collect(),
        }
    }

    /// Whether an authority is known for this host, so that certificates are worth asking for.
    pub(crate) fn has_authority(&self) -> bool {
        self.pinned.is_none()
            && self
                .entries
                .iter()
                .any(|e| e.marker == KeyMarker::Authority)
    }

    /// Decides. A new key is recorded if the policy says so.
    pub(crate) fn check(&self, shown: &PublicKeyOrCertificate) -> Result<(), HostKeyProblem> {
        let key = shown.public_key();
        self.check_revoked(&key)?;
        match (&self.pinned, shown.certificate()) {
            (Some(pinned), _) => check_pinned(pinned, &key),
            (None, Some(certificate)) => self.check_certificate(certificate),
            (None, None) => self.check_key(&key),
        }
    }

    fn check_revoked(&self, key: &PublicKey) -> Result<(), HostKeyProblem> {
        match self.find(KeyMarker::Revoked, &blob(key)) {
            Some(entry) => Err(HostKeyProblem::Revoked {
                key: describe(key),
                place: entry.place.clone(),
            }),
            None => Ok(()),
        }
    }

    fn find(&self, marker: KeyMarker, blob: &[u8]) -> Option<&KnownKey> {
        self.entries
            .iter()
            .find(|entry| entry.marker == marker && entry.blob == blob)
    }

    fn check_key(&self, key: &PublicKey) -> Result<(), HostKeyProblem> {
        if self.find(KeyMarker::Plain, &blob(key)).is_some() {
            return Ok(());
        }
        let other = self
            .entries
            .iter()
            .find(|entry| entry.marker == KeyMarker::Plain && entry.exact);
        match (self.policy, other) {
            (_, Some(other)) => Err(self.changed(key, &other.place)),
            (HostKeyPolicy::AcceptNew, None) => self.record(key),
            (HostKeyPolicy::Off, None) => {
                if let Err(problem) = self.record(key) {
                    self.notices
                        .add(format!("{}: {problem}; accepted all the same", self.host));
                }
                Ok(())
            }
            (HostKeyPolicy::Strict, None) => Err(self.unknown(key)),
        }
    }

    fn unknown(&self, key: &PublicKey) -> HostKeyProblem {
        HostKeyProblem::Unknown {
            key: describe(key),
            name: self.names.name.clone(),
        }
    }

    fn changed(&self, key: &PublicKey, place: &FileLine) -> HostKeyProblem {
        HostKeyProblem::Changed {
            key: describe(key),
            place: place.clone(),
            name: self.names.name.clone(),
        }
    }

    fn check_certificate(&self, certificate: &Certificate) -> Result<(), HostKeyProblem> {
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        self.check_revoked(&authority)?;
        let problem = |why: &str| HostKeyProblem::Certificate {
            id: certificate.key_id().to_owned(),
            why: why.to_owned(),
        };
        if self.find(KeyMarker::Authority, &blob(&authority)).is_none() {
            return Err(problem("no `@cert-authority` line names its authority"));
        }
        if certificate.cert_type() != CertType::Host {
            return Err(problem("it is a user certificate"));
        }
        if !certificate.critical_options().is_empty() {
            return Err(problem(
                "it has critical options, and none are known for hosts",
            ));
        }
        let principals = certificate.valid_principals();
        if !principals
            .iter()
            .any(|name| known_hosts::glob(name, &self.host))
        {
            return Err(problem("it is not for this host's name"));
        }
        certificate
            .validate_at(now(), &[authority.fingerprint(HashAlg::Sha256)])
            .map_err(|_| problem("its signature is wrong, or it is not valid at this time"))
    }

    fn record(&self, key: &PublicKey) -> Result<(), HostKeyProblem> {
        let Some(file) = &self.learn else {
            return Err(self.unknown(key));
        };
        let result =
            openssh(key).and_then(|key| append(file, &format!("{} {key}", self.names.name)));
        if result.is_ok() {
            self.notices.add(format!(
                "{}: its {} was not known; it is now recorded in {}",
                self.names.name,
                describe(key),
                file.display()
            ));
        }
        result.map_err(|error| HostKeyProblem::NotRecorded {
            key: describe(key),
            file: file.clone(),
            why: error.to_string(),
        })
    }
}

fn check_pinned(pinned: &str, key: &PublicKey) -> Result<(), HostKeyProblem> {
    let fits = match PublicKey::from_openssh(pinned) {
        Ok(expected) => expected.key_data() == key.key_data(),
        Err(_) => pinned == key.fingerprint(HashAlg::Sha256).to_string(),
    };
    if fits {
        return Ok(());
    }
    Err(HostKeyProblem::NotPinned {
        key: describe(key),
        pinned: pinned.to_owned(),
    })
}

/// Kind and fingerprint, as `ssh-keygen -l` names them.
fn describe(key: &PublicKey) -> String {
    format!(
        "{} key {}",
        key.algorithm().as_str(),
        key.fingerprint(HashAlg::Sha256)
    )
}

/// The key in wire format; empty, and so equal to nothing recorded, if it cannot be encoded.
fn blob(key: &PublicKey) -> Vec<u8> {
    key.to_bytes().unwrap_or_default()
}

fn openssh(key: &PublicKey) -> std::io::Result<String> {
    key.to_openssh().map_err(std::io::Error::other)
}

/// Whether a key recorded as `kind` can be shown with an algorithm: `ssh-rsa` keys sign as `rsa-sha2-*`.
fn is_kind(algorithm: &Algorithm, kind: &str) -> bool {
    match algorithm {
        Algorithm::Rsa { .. } => kind == "ssh-rsa",
        other => other.as_str() == kind,
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn read(file: &Path) -> std::io::Result<String> {
    match fs_err::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Adds a line, on a line of its own even if the file does not end with a newline.
fn append(file: &Path, line: &str) -> std::io::Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(parent) = file.parent().filter(|parent| !parent.exists()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let text = read(file)?;
    if text.lines().any(|known| known == line) {
        return Ok(());
    }
    let newline = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)?
        .write_all(format!("{newline}{line}\n").as_bytes())
}
