use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;
use time::{Duration, OffsetDateTime};

/// 1 January 2026.
static NOW: LazyLock<OffsetDateTime> =
    LazyLock::new(|| OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap());

fn request(sans: &[&str]) -> LeafRequest {
    LeafRequest {
        name: "pg-citus0-1".into(),
        common_name: "pg-citus0-1".into(),
        sans: sans.iter().map(|san| (*san).to_owned()).collect(),
        usage: Usage::Both,
        lifetime: Duration::days(7300),
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_authority_is_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let pki = dir.path().join("state/pki");
    let first = Ca::open_or_create(&pki, "test-ca", *NOW).unwrap();
    let again = Ca::open_or_create(&pki, "other", *NOW + Duration::days(1)).unwrap();
    assert!(first.created() && !again.created());
    assert_eq!(first.cert_pem(), again.cert_pem());
    assert_eq!((mode(&pki), mode(&pki.join("ca.key"))), (0o700, 0o600));
    let facts = inspect("ca", first.cert_pem()).unwrap();
    assert!(facts.is_ca);
    assert_eq!(facts.common_name.as_deref(), Some("test-ca"));
}

#[test]
fn who_only_looks_keeps_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW)
        .unwrap()
        .looking();
    assert!(ca.leaf(&request(&["10.0.0.1"]), *NOW).is_ok());
    assert!(!dir.path().join("hosts").exists());
}

#[test]
fn half_an_authority_is_completed_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    let key = std::fs::read_to_string(dir.path().join("ca.key")).unwrap();
    std::fs::remove_file(dir.path().join("ca.crt")).unwrap();
    Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    assert_eq!(
        std::fs::read_to_string(dir.path().join("ca.key")).unwrap(),
        key
    );
    std::fs::remove_file(dir.path().join("ca.key")).unwrap();
    let error = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap_err();
    assert!(matches!(error, PkiError::KeyMissing { .. }) && !error.hints().is_empty());
    assert!(!dir.path().join("ca.key").exists());
}

#[test]
fn a_foreign_key_is_refused() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Ca::open_or_create(a.path(), "a", *NOW).unwrap();
    Ca::open_or_create(b.path(), "b", *NOW).unwrap();
    std::fs::copy(b.path().join("ca.key"), a.path().join("ca.key")).unwrap();
    assert!(matches!(Ca::open(a.path()), Err(PkiError::Unfit { .. })));
    std::fs::write(a.path().join("ca.key"), "-----BEGIN ENCRYPTED").unwrap();
    assert!(matches!(Ca::open(a.path()), Err(PkiError::Key { .. })));
}

#[test]
fn a_leaf_is_kept_while_it_is_fit() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    let names = ["10.0.0.1", "FD00:0::1", "localhost", "Pg-Citus0-1"];
    let first = ca.leaf(&request(&names), *NOW).unwrap();
    assert_eq!(first.reissued, Some(Reissue::First));
    let kept = ca
        .leaf(
            &request(&["localhost", "fd00::1", "10.0.0.1", "pg-citus0-1"]),
            *NOW,
        )
        .unwrap();
    assert_eq!((kept.reissued, &kept.cert_pem), (None, &first.cert_pem));
    assert_eq!(mode(&dir.path().join("hosts/pg-citus0-1/key")), 0o600);

    let more = ca
        .leaf(&request(&["localhost", "10.0.0.1", "10.0.0.9"]), *NOW)
        .unwrap();
    assert_eq!(
        more.reissued,
        Some(Reissue::NamesDiffer(
            "+10.0.0.9 -fd00::1 -pg-citus0-1".into()
        ))
    );
    assert_ne!(more.key_pem, first.key_pem);
    let end = more.not_after;
    let late = ca
        .leaf(
            &request(&["localhost", "10.0.0.1", "10.0.0.9"]),
            end - Duration::days(29),
        )
        .unwrap();
    assert_eq!(late.reissued, Some(Reissue::Ending(end)));
}

/// With the default life of 825 days: kept while more than 60 are left, then made anew by whatever apply comes next.
#[test]
fn one_is_made_anew_sixty_days_before_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    let wanted = LeafRequest {
        lifetime: Duration::days(825),
        ..request(&["localhost"])
    };
    let end = ca.leaf(&wanted, *NOW).unwrap().not_after;
    let kept = ca.leaf(&wanted, end - Duration::days(61)).unwrap();
    assert_eq!(kept.reissued, None);
    let next = ca.leaf(&wanted, end - Duration::days(59)).unwrap();
    assert_eq!(next.reissued, Some(Reissue::Ending(end)));
    assert!(next.not_after > end + Duration::days(700));
}

#[test]
fn one_that_has_ended_is_signed_and_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    let ended = ca.ended(&request(&["localhost"]), *NOW).unwrap();
    assert!(ended.not_after < *NOW);
    let facts = inspect("ended", &ended.cert_pem).unwrap();
    assert_eq!(facts.not_after, ended.not_after);
    assert!(!dir.path().join("hosts").exists());
}

#[test]
fn a_leaf_of_another_authority_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    ca.leaf(&request(&["localhost"]), *NOW).unwrap();
    for file in ["ca.key", "ca.crt"] {
        std::fs::remove_file(dir.path().join(file)).unwrap();
    }
    let ca = Ca::open_or_create(dir.path(), "ca", *NOW).unwrap();
    let leaf = ca.leaf(&request(&["localhost"]), *NOW).unwrap();
    assert_eq!(leaf.reissued, Some(Reissue::IssuerDiffers));
}

#[test]
fn names_must_be_names() {
    let ca = Ca::in_memory("ca", *NOW).unwrap();
    for bad in ["a b", "", "x/y", "ümlaut"] {
        assert!(
            matches!(
                ca.leaf(&request(&[bad]), *NOW),
                Err(PkiError::BadName { .. })
            ),
            "{bad}"
        );
    }
}

#[test]
fn a_leaf_never_outlives_its_authority() {
    let ca = Ca::in_memory("ca", *NOW).unwrap();
    let mut long = request(&["localhost"]);
    long.lifetime = Duration::days(99_999);
    let leaf = ca.leaf(&long, *NOW).unwrap();
    assert_eq!(leaf.not_after, ca.not_after());
    let facts = inspect("leaf", &leaf.cert_pem).unwrap();
    assert!(facts.server_auth && facts.client_auth && !facts.is_ca);
}

#[test]
fn rfc_dates_beyond_2049_are_read_back() {
    let ca = Ca::in_memory("ca", *NOW).unwrap();
    let leaf = ca.leaf(&request(&["localhost"]), *NOW).unwrap();
    assert_eq!(
        inspect("leaf", &leaf.cert_pem).unwrap().not_after,
        *NOW + Duration::days(7300)
    );
}

#[test]
fn a_stranger_is_an_authority_that_shares_nothing_with_ours() {
    let now = OffsetDateTime::now_utc();
    let (ours, other) = (
        Ca::in_memory("ours", now).unwrap(),
        Ca::in_memory("other", now).unwrap(),
    );
    let both = format!("{}{}", other.cert_pem(), ours.cert_pem());
    let name = |found| super::stranger(ours.cert_pem(), found).and_then(|facts| facts.common_name);
    assert_eq!(name(other.cert_pem()).as_deref(), Some("other"));
    for fine in [ours.cert_pem(), &both, "", "no certificate"] {
        assert_eq!(name(fine), None);
    }
}
