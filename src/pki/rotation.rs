//! Another authority in the place of the one that is there, in steps between which everybody trusts both.
//!
//! How far it has come is read off the files, so it goes on from wherever it was interrupted: the directory `rotation` holds
//! the pair of the next authority from the first step to the last, `ca.key` says who signs, and `ca.crt` who is trusted.

use super::PkiError;
use super::authority::Ca;
use super::inspect::blocks;
use super::store::{self, PRIVATE, PUBLIC};
use crate::secret::Secret;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Where the next authority waits, below the authority's directory.
const NEXT: &str = "rotation";
/// Where the one before is kept meanwhile, below that.
const BEFORE: &str = "before";
/// Below that: the key of the one before is lost, and not everybody trusts the next one yet.
const UNTRUSTED: &str = "untrusted";
/// In the place of the one before: a pair that it signed.
const LENT_CERT: &str = "client.crt";
const LENT_KEY: &str = "client.key";

/// A step of it. Each ends when all hosts have what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Both are trusted, the old one signs.
    Trust,
    /// Both are trusted, the new one signs.
    Renew,
    /// The new one alone is trusted.
    End,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Trust, Self::Renew, Self::End];
}

/// The step that was begun last; `None`: there is no rotation.
///
/// # Errors
/// Files that cannot be read.
pub fn phase(dir: &Path) -> Result<Option<Phase>, PkiError> {
    let next = dir.join(NEXT);
    let Some(key) = store::read(&next.join("ca.key"))? else {
        return Ok(None);
    };
    if is_without_key(dir)? {
        return Ok(Some(Phase::Trust));
    }
    if store::read(&dir.join("ca.key"))?.as_deref() != Some(key.as_str()) {
        return Ok(Some(Phase::Trust));
    }
    let trusted = store::read(&dir.join("ca.crt"))?.unwrap_or_default();
    Ok(Some(match blocks(&trusted).len() {
        0 | 1 => Phase::End,
        _ => Phase::Renew,
    }))
}

/// Makes a step's files, however often.
///
/// # Errors
/// Files that cannot be read or written, a pair that is none.
pub fn enter(dir: &Path, phase: Phase, cn: &str, now: OffsetDateTime) -> Result<(), PkiError> {
    match phase {
        Phase::Trust if is_without_key(dir)? => Ok(()),
        Phase::Trust => trust(dir, cn, now),
        Phase::Renew => sign(dir),
        Phase::End => end(dir),
    }
}

/// The key of the authority that everybody trusts (`trusted`, its certificate) is lost: the next one signs from the
/// beginning, and certificates that are out there stay in use until all trust it. What `dir` had of another authority,
/// which nobody trusts, goes to `aside` below it.
///
/// # Errors
/// Files that cannot be read, written or moved.
pub fn begin_without_key(
    dir: &Path,
    trusted: &str,
    aside: &str,
    cn: &str,
    now: OffsetDateTime,
) -> Result<(), PkiError> {
    let next = dir.join(NEXT);
    store::make_dir(&next.join(BEFORE))?;
    store::write(&next.join(UNTRUSTED), "", PUBLIC)?;
    let made = Ca::open_or_create(&next, cn, now)?;
    let new = blocks(made.cert_pem());
    let mut old = blocks(trusted);
    old.retain(|block| !new.contains(block));
    store::write(&next.join(BEFORE).join("ca.crt"), &old.concat(), PUBLIC)?;
    let key = store::read(&next.join("ca.key"))?.unwrap_or_default();
    if store::read(&dir.join("ca.key"))?.is_some_and(|own| own != key) {
        store::make_dir(&dir.join(aside))?;
        for name in ["ca.key", "ca.crt"] {
            move_away(&dir.join(name), &dir.join(aside).join(name))?;
        }
    }
    store::write(&dir.join("ca.crt"), &[old, new].concat().concat(), PUBLIC)?;
    store::write(&dir.join("ca.key"), &key, PRIVATE)
}

/// Whether not everybody trusts the authority yet that signs already, the old one's key being lost.
///
/// # Errors
/// A file that cannot be read.
pub fn is_without_key(dir: &Path) -> Result<bool, PkiError> {
    Ok(store::read(&dir.join(NEXT).join(UNTRUSTED))?.is_some())
}

/// Meanwhile Patroni lets in only whom the old authority signed for: the pair of a host, borrowed for the operator.
#[derive(Clone, Debug)]
pub struct Borrowed {
    pub cert_pem: String,
    pub key_pem: Secret,
}

/// Keeps it until all trust the next authority.
///
/// # Errors
/// Files that cannot be written.
pub fn lend(dir: &Path, pair: &Borrowed) -> Result<(), PkiError> {
    let before = dir.join(NEXT).join(BEFORE);
    store::make_dir(&before)?;
    store::write(&before.join(LENT_CERT), &pair.cert_pem, PUBLIC)?;
    store::write(&before.join(LENT_KEY), pair.key_pem.expose(), PRIVATE)
}

/// The borrowed pair, while it is needed.
///
/// # Errors
/// Files that cannot be read.
pub fn borrowed(dir: &Path) -> Result<Option<Borrowed>, PkiError> {
    if !is_without_key(dir)? {
        return Ok(None);
    }
    let before = dir.join(NEXT).join(BEFORE);
    let pair = store::read(&before.join(LENT_CERT))?.zip(store::read(&before.join(LENT_KEY))?);
    Ok(pair.map(|(cert_pem, key)| Borrowed {
        cert_pem,
        key_pem: Secret::new(key),
    }))
}

fn remove(path: &Path) -> Result<(), PkiError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(PkiError::Io {
            path: path.to_owned(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn move_away(from: &Path, to: &Path) -> Result<(), PkiError> {
    match std::fs::rename(from, to) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(PkiError::Io {
            path: from.to_owned(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The next authority, made when there is none, and trusted beside the one that signs.
fn trust(dir: &Path, cn: &str, now: OffsetDateTime) -> Result<(), PkiError> {
    let next = Ca::open_or_create(&dir.join(NEXT), cn, now)?;
    let now = Ca::open(dir)?;
    let mut trusted = blocks(now.cert_pem());
    for block in blocks(next.cert_pem()) {
        if !trusted.contains(&block) {
            trusted.push(block);
        }
    }
    store::write(&dir.join("ca.crt"), &trusted.concat(), PUBLIC)
}

/// The key is what tells who signs: the certificates of both are in `ca.crt` already.
fn sign(dir: &Path) -> Result<(), PkiError> {
    let next = dir.join(NEXT);
    let mark = next.join(UNTRUSTED);
    let lent = next.join(BEFORE).join(LENT_KEY);
    remove(&lent)?;
    remove(&mark)?;
    let absent = |dir: PathBuf| move || PkiError::Absent { dir };
    let new = store::read(&next.join("ca.key"))?.ok_or_else(absent(next.clone()))?;
    let old = store::read(&dir.join("ca.key"))?.ok_or_else(absent(dir.to_owned()))?;
    if new == old {
        return Ok(());
    }
    let before = next.join(BEFORE);
    store::make_dir(&before)?;
    let trusted = Ca::open(dir)?.cert_pem().to_owned();
    store::write(&before.join("ca.crt"), &trusted, PUBLIC)?;
    store::write(&before.join("ca.key"), &old, PRIVATE)?;
    store::write(&dir.join("ca.key"), &new, PRIVATE)
}

fn end(dir: &Path) -> Result<(), PkiError> {
    let next = Ca::open(&dir.join(NEXT))?;
    store::write(&dir.join("ca.crt"), next.cert_pem(), PUBLIC)
}

/// The authority that takes the place, from the first step to the last.
///
/// # Errors
/// There is none, or its files cannot be read.
pub fn next(dir: &Path) -> Result<Ca, PkiError> {
    Ca::open(&dir.join(NEXT))
}

/// The authority that leaves, once the other one signs.
///
/// # Errors
/// There is none, or its files cannot be read.
pub fn before(dir: &Path) -> Result<Ca, PkiError> {
    Ca::open(&dir.join(NEXT).join(BEFORE))
}

/// The last step is done everywhere: the old pair is kept in `aside` (below the authority's directory).
///
/// # Errors
/// Files that cannot be moved.
pub fn finish(dir: &Path, aside: &str) -> Result<(), PkiError> {
    let next = dir.join(NEXT);
    let kept = dir.join(aside);
    store::make_dir(&kept)?;
    move_away(&next.join(BEFORE), &kept.join("ca"))?;
    std::fs::remove_dir_all(&next).map_err(|source| PkiError::Io { path: next, source })
}

#[cfg(test)]
mod tests {
    use super::super::{LeafRequest, Reissue, Usage, kept, retire};
    use super::*;
    use time::Duration;

    fn leaf() -> LeafRequest {
        LeafRequest {
            name: "a".into(),
            common_name: "a".into(),
            sans: vec!["localhost".into()],
            usage: Usage::Both,
            lifetime: Duration::days(100),
        }
    }

    #[test]
    fn each_step_is_read_off_the_files_and_may_be_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let now = OffsetDateTime::now_utc();
        let old = Ca::open_or_create(dir, "ca", now).unwrap();
        let first = old.leaf(&leaf(), now).unwrap();
        assert_eq!(phase(dir).unwrap(), None);
        for (step, certificates) in Phase::ALL.into_iter().zip([2, 2, 1]) {
            for _ in 0..2 {
                enter(dir, step, "ca", now).unwrap();
                assert_eq!(phase(dir).unwrap(), Some(step));
                assert_eq!(
                    blocks(Ca::open(dir).unwrap().cert_pem()).len(),
                    certificates
                );
            }
            let fresh = Ca::open(dir).unwrap().leaf(&leaf(), now).unwrap();
            let reissued = (step == Phase::Renew).then_some(Reissue::IssuerDiffers);
            assert_eq!(fresh.reissued, reissued);
            assert_eq!(fresh.cert_pem == first.cert_pem, step == Phase::Trust);
        }
        let new = next(dir).unwrap().cert_pem().to_owned();
        assert!(before(dir).unwrap().cert_pem().starts_with(old.cert_pem()));
        finish(dir, "retired/1").unwrap();
        assert_eq!(phase(dir).unwrap(), None);
        let now = Ca::open(dir).unwrap();
        assert_eq!(now.cert_pem(), new);
        let kept_key = std::fs::read_to_string(dir.join("retired/1/ca/ca.key")).unwrap();
        assert!(kept_key.contains("PRIVATE KEY"));
    }

    #[test]
    fn with_the_key_lost_the_next_one_signs_at_once_and_is_trusted_first() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let now = OffsetDateTime::now_utc();
        let lost = Ca::in_memory("lost", now).unwrap();
        let wrong = Ca::open_or_create(dir, "wrong", now).unwrap();
        let mut found = String::new();
        for _ in 0..2 {
            let trusted = format!("{}{}", lost.cert_pem(), found);
            begin_without_key(dir, &trusted, "retired/1", "ca", now).unwrap();
            // The first hosts trust it already when it goes on.
            next(dir).unwrap().cert_pem().clone_into(&mut found);
            assert_eq!(phase(dir).unwrap(), Some(Phase::Trust));
            assert!(is_without_key(dir).unwrap());
            enter(dir, Phase::Trust, "ca", now).unwrap();
            let both = Ca::open(dir).unwrap().cert_pem().to_owned();
            assert!(both.starts_with(lost.cert_pem()));
            assert_eq!(blocks(&both).len(), 2);
            assert!(!both.contains(wrong.cert_pem()));
        }
        enter(dir, Phase::Renew, "ca", now).unwrap();
        assert!(!is_without_key(dir).unwrap());
        assert_eq!(phase(dir).unwrap(), Some(Phase::Renew));
        assert!(matches!(before(dir), Err(PkiError::KeyMissing { .. })));
        enter(dir, Phase::End, "ca", now).unwrap();
        assert_eq!(phase(dir).unwrap(), Some(Phase::End));
        finish(dir, "retired/2").unwrap();
        assert_eq!(phase(dir).unwrap(), None);
        assert!(dir.join("retired/1/ca.key").exists() && dir.join("retired/2/ca/ca.crt").exists());
    }

    #[test]
    fn a_pair_of_ones_own_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        Ca::open_or_create(dir.path(), "ca", now).unwrap();
        let own = Ca::open_or_create(&dir.path().join(NEXT), "own", now).unwrap();
        assert_eq!(phase(dir.path()).unwrap(), Some(Phase::Trust));
        for step in Phase::ALL {
            enter(dir.path(), step, "ca", now).unwrap();
        }
        assert_eq!(Ca::open(dir.path()).unwrap().cert_pem(), own.cert_pem());
        assert_eq!(kept(dir.path()).unwrap().len(), 0);
        assert!(retire(dir.path(), "nobody", "retired/1").is_err());
    }
}
