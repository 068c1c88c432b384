//! The authority: made once, opened ever after.

use super::inspect::{Inspected, blocks, inspect};
use super::store::{self, PRIVATE, PUBLIC};
use super::{Leaf, LeafRequest, PkiError, leaf};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// How long an authority lasts: a hundred years, as Pigsty's. Nothing renews it by itself.
const LIFETIME: Duration = Duration::days(36_500);

/// Clocks of hosts differ: certificates are valid from a little before now.
pub(super) const SKEW: Duration = Duration::minutes(5);

/// A certificate authority with its key, on disk or in memory.
pub struct Ca {
    /// Where its files and the leaves are. `None`: in memory, nothing is kept.
    dir: Option<PathBuf>,
    pem: String,
    facts: Inspected,
    issuer: Issuer<'static, KeyPair>,
    /// Whether this call made it.
    created: bool,
    /// Whether it describes certificates instead of making them.
    outlined: bool,
    /// Whether new certificates are kept.
    keeps: bool,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ca")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl Ca {
    /// Opens the authority of a directory, or makes one there.
    ///
    /// A run that died between key and certificate is completed with the same key: nothing can have
    /// been signed yet.
    ///
    /// # Errors
    /// Files that cannot be read or written, a certificate whose key is lost, a pair that does not
    /// belong together.
    pub fn open_or_create(dir: &Path, cn: &str, now: OffsetDateTime) -> Result<Self, PkiError> {
        match Self::open(dir) {
            Err(PkiError::Absent { .. }) => Self::create(dir, cn, now),
            opened => opened,
        }
    }

    /// Opens the authority of a directory.
    ///
    /// # Errors
    /// [`PkiError::Absent`] if there is none (or only half of one), else as
    /// [`Ca::open_or_create`].
    pub fn open(dir: &Path) -> Result<Self, PkiError> {
        let (key_path, cert_path) = (dir.join("ca.key"), dir.join("ca.crt"));
        let (key, cert) = (store::read(&key_path)?, store::read(&cert_path)?);
        match (key, cert) {
            (Some(key), Some(cert)) => {
                let key = parse_key(&key_path.display().to_string(), &key)?;
                Self::from_parts(Some(dir), cert, key)
            }
            (None, Some(_)) => Err(PkiError::KeyMissing {
                dir: dir.to_owned(),
            }),
            (Some(_) | None, None) => Err(PkiError::Absent {
                dir: dir.to_owned(),
            }),
        }
    }

    /// An authority that is nowhere kept, for `check` and `render`.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn in_memory(cn: &str, now: OffsetDateTime) -> Result<Self, PkiError> {
        let key = new_key(cn)?;
        let pem = self_sign(cn, &key, now)?;
        Self::from_parts(None, pem, key)
    }

    /// An authority that signs nothing: its certificates are descriptions of themselves, equal whenever what was asked for is.
    ///
    /// # Errors
    /// A key that cannot be made.
    pub fn outlined(cn: &str, now: OffsetDateTime) -> Result<Self, PkiError> {
        Ok(Self {
            outlined: true,
            pem: format!("certificate of the authority {cn}\n"),
            ..Self::in_memory(cn, now)?
        })
    }

    fn create(dir: &Path, cn: &str, now: OffsetDateTime) -> Result<Self, PkiError> {
        store::make_dir(dir)?;
        let key_path = dir.join("ca.key");
        store::write_new(&key_path, &new_key(cn)?.serialize_pem(), PRIVATE)?;
        // Whoever came first wins: read back what is there.
        let text = store::read(&key_path)?.ok_or_else(|| PkiError::Absent {
            dir: dir.to_owned(),
        })?;
        let key = parse_key(&key_path.display().to_string(), &text)?;
        store::write_new(&dir.join("ca.crt"), &self_sign(cn, &key, now)?, PUBLIC)?;
        Ok(Self {
            created: true,
            ..Self::open(dir)?
        })
    }

    fn from_parts(dir: Option<&Path>, pem: String, key: KeyPair) -> Result<Self, PkiError> {
        let unfit = |why| PkiError::Unfit {
            dir: dir.unwrap_or(Path::new("<memory>")).to_owned(),
            why,
        };
        let Some((own, facts)) = signer(&pem, &public_key(&key))? else {
            return Err(unfit("`ca.key` is the key of no certificate in `ca.crt`"));
        };
        if !facts.is_ca {
            return Err(unfit(
                "`ca.crt` is not a certificate of an authority (`CA:TRUE` is missing)",
            ));
        }
        let issuer = Issuer::from_ca_cert_pem(&own, key).map_err(|e| PkiError::Certificate {
            name: "ca.crt".into(),
            why: e.to_string(),
        })?;
        Ok(Self {
            dir: dir.map(Path::to_owned),
            pem,
            facts,
            issuer,
            created: false,
            outlined: false,
            keeps: true,
        })
    }

    /// What everybody trusts: its certificate, and while another authority takes its place that one's, too.
    pub fn cert_pem(&self) -> &str {
        &self.pem
    }

    /// When the authority ends.
    pub fn not_after(&self) -> OffsetDateTime {
        self.facts.not_after
    }

    /// The same for who only looks: certificates that are there are used, and others are made without being kept.
    #[must_use]
    pub fn looking(self) -> Self {
        Self {
            keeps: false,
            ..self
        }
    }

    /// The same, describing certificates instead of making them, as [`Ca::outlined`] does: for who only wants to know whether
    /// they could be made.
    #[must_use]
    pub fn describing(self) -> Self {
        Self {
            outlined: true,
            ..self
        }
    }

    /// Whether new certificates are kept.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether this call made it: then say so, and say that its key wants a backup.
    pub fn created(&self) -> bool {
        self.created
    }

    /// Removes an authority that this run made, before anybody trusts it; one that was there stays.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub fn take_back(&self) -> Result<(), PkiError> {
        let own = self.dir.iter().filter(|_| self.created);
        let mut files = own.flat_map(|dir| [dir.join("ca.crt"), dir.join("ca.key")]);
        files.try_for_each(|path| {
            std::fs::remove_file(&path).map_err(|source| PkiError::Io { path, source })
        })
    }

    /// The certificate of an instance: the one that is kept while it is fit, else a new one.
    ///
    /// # Errors
    /// A name that no certificate can carry; files that cannot be read or written.
    pub fn leaf(&self, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, PkiError> {
        leaf::get(self, request, now)
    }

    /// A certificate of an instance that ended a day ago, and is kept nowhere: for rehearsals.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub fn ended(&self, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, PkiError> {
        leaf::ended(self, request, now)
    }

    /// A certificate that is kept nowhere: for proofs.
    ///
    /// # Errors
    /// A name that no certificate can carry.
    pub fn passing(&self, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, PkiError> {
        leaf::passing(self, request, now)
    }

    pub(super) fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    pub(super) fn is_outlined(&self) -> bool {
        self.outlined
    }

    pub(super) fn facts(&self) -> &Inspected {
        &self.facts
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }
}

/// The certificate of a key among those of a text.
fn signer(pem: &str, key: &[u8]) -> Result<Option<(String, Inspected)>, PkiError> {
    let blocks = blocks(pem);
    if blocks.is_empty() {
        // Says what it is instead.
        inspect("ca.crt", pem)?;
    }
    for block in blocks {
        let facts = inspect("ca.crt", &block)?;
        if facts.public_key == key {
            return Ok(Some((block, facts)));
        }
    }
    Ok(None)
}

/// A fresh P-256 key.
pub(super) fn new_key(name: &str) -> Result<KeyPair, PkiError> {
    KeyPair::generate().map_err(|e| PkiError::Sign {
        name: name.to_owned(),
        why: e.to_string(),
    })
}

/// A private key from PEM.
pub(super) fn parse_key(name: &str, pem: &str) -> Result<KeyPair, PkiError> {
    KeyPair::from_pem(pem).map_err(|e| PkiError::Key {
        name: name.to_owned(),
        why: e.to_string(),
    })
}

/// SubjectPublicKeyInfo, as certificates carry it.
pub(super) fn public_key(key: &KeyPair) -> Vec<u8> {
    use rcgen::PublicKeyData;
    key.subject_public_key_info()
}

/// The subject that our certificates have. An empty CN is left out.
pub(super) fn subject(cn: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "citusctl");
    if !cn.is_empty() {
        name.push(DnType::CommonName, cn);
    }
    name
}

fn self_sign(cn: &str, key: &KeyPair, now: OffsetDateTime) -> Result<String, PkiError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(cn);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - SKEW;
    params.not_after = now + LIFETIME;
    params.use_authority_key_identifier_extension = true;
    let cert = params.self_signed(key).map_err(|e| PkiError::Sign {
        name: cn.to_owned(),
        why: e.to_string(),
    })?;
    Ok(cert.pem())
}
