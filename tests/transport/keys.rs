//! Host keys.

use super::refused;
use super::sshd::{Sshd, keygen};
use citusctl::transport::{HostKeyPolicy, HostKeyProblem, TransportError, connect};
use std::process::Command;

fn problem(error: TransportError) -> HostKeyProblem {
    match error {
        TransportError::HostKey { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// Another key, as text.
fn other_key(sshd: &Sshd, kind: &str) -> String {
    let path = sshd.path("other");
    keygen(&path, &["-t", kind]);
    std::fs::read_to_string(path.with_extension("pub")).unwrap()
}

#[tokio::test]
async fn an_unknown_host_is_refused_and_told_by_its_fingerprint() {
    let Some(sshd) = Sshd::start() else { return };
    let error = refused(&sshd.endpoint(), &sshd.resolver()).await;
    assert!(
        error
            .hints()
            .iter()
            .any(|hint| hint.contains("citusctl_host_key"))
    );
    assert!(!error.is_retryable());
    assert!(
        matches!(problem(error), HostKeyProblem::Unknown { key, name }
        if key.contains("ssh-ed25519 key SHA256:") && name == format!("[127.0.0.1]:{}", sshd.port))
    );
}

#[tokio::test]
async fn a_known_host_is_accepted_by_port_by_pattern_and_by_hash() {
    let Some(sshd) = Sshd::start() else { return };
    let key = sshd.host_key();
    for names in [
        format!("[127.0.0.1]:{}", sshd.port),
        "127.0.0.*".into(),
        "127.0.0.1".into(),
    ] {
        sshd.know(&format!("# comment\n\n{names} {key}\n"));
        connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    }
    sshd.know_right();
    let hashed = Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(sshd.path("known_hosts"))
        .output();
    assert!(hashed.unwrap().status.success());
    let text = std::fs::read_to_string(sshd.path("known_hosts")).unwrap();
    assert!(text.starts_with("|1|"), "{text}");
    connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
}

#[tokio::test]
async fn a_changed_key_is_refused_even_when_new_ones_are_accepted() {
    let Some(sshd) = Sshd::start() else { return };
    for kind in ["ed25519", "ecdsa"] {
        sshd.know(&format!(
            "\n[127.0.0.1]:{} {}",
            sshd.port,
            other_key(&sshd, kind)
        ));
        std::fs::remove_file(sshd.path("other")).unwrap();
        for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::Off] {
            let resolver = sshd.resolver().with_host_keys(policy);
            let error = problem(refused(&sshd.endpoint(), &resolver).await);
            assert!(
                matches!(error, HostKeyProblem::Changed { place, .. } if place.line == 2),
                "{kind}"
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_whatever_else_is_known() {
    let Some(sshd) = Sshd::start() else { return };
    let key = sshd.host_key();
    sshd.know(&format!(
        "127.0.0.1 {key}\n[127.0.0.1]:{} {key}\n@revoked * {key}\n",
        sshd.port
    ));
    for policy in [
        HostKeyPolicy::Strict,
        HostKeyPolicy::AcceptNew,
        HostKeyPolicy::Off,
    ] {
        let resolver = sshd.resolver().with_host_keys(policy);
        let mut endpoint = sshd.endpoint();
        endpoint.pinned_key = Some(key.clone());
        let error = problem(refused(&endpoint, &resolver).await);
        assert!(matches!(error, HostKeyProblem::Revoked { place, .. } if place.line == 3));
    }
}

#[tokio::test]
async fn a_new_key_is_written_down_once() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know("other.example ssh-ed25519 AAAA");
    let resolver = sshd.resolver().with_host_keys(HostKeyPolicy::AcceptNew);
    for _ in 0..2 {
        connect(&sshd.endpoint(), &resolver).await.unwrap();
    }
    let text = std::fs::read_to_string(sshd.path("known_hosts")).unwrap();
    let expected = format!("[127.0.0.1]:{} {}", sshd.port, sshd.host_key());
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        ["other.example ssh-ed25519 AAAA", &expected]
    );
    connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
}

#[tokio::test]
async fn a_pinned_key_is_the_only_one() {
    let Some(sshd) = Sshd::start() else { return };
    let mut endpoint = sshd.endpoint();
    endpoint.pinned_key = Some(sshd.host_key());
    connect(&endpoint, &sshd.resolver()).await.unwrap();
    sshd.know_right();
    endpoint.pinned_key = Some(other_key(&sshd, "ed25519"));
    let off = sshd.resolver().with_host_keys(HostKeyPolicy::Off);
    let error = problem(refused(&endpoint, &off).await);
    assert!(matches!(error, HostKeyProblem::NotPinned { .. }));
    let listed = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(sshd.path("host_ed25519.pub"))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    endpoint.pinned_key = listed.split_whitespace().nth(1).map(str::to_owned);
    connect(&endpoint, &sshd.resolver()).await.unwrap();
}

#[tokio::test]
async fn the_key_that_is_recorded_is_the_one_asked_for() {
    let Some(sshd) = Sshd::start() else { return };
    keygen(&sshd.path("rsa"), &["-t", "rsa", "-b", "2048"]);
    drop(sshd);
    let dir = tempfile::tempdir().unwrap();
    let rsa = dir.path().join("host_rsa");
    keygen(&rsa, &["-t", "rsa", "-b", "2048"]);
    let Some(sshd) = Sshd::with(&format!("HostKey {}", rsa.display())) else {
        return;
    };
    let key = std::fs::read_to_string(rsa.with_extension("pub")).unwrap();
    sshd.know(&format!("[127.0.0.1]:{} {key}", sshd.port));
    connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
}

#[tokio::test]
async fn host_certificates_are_checked_for_authority_and_name() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, host) = (dir.path().join("ca"), dir.path().join("host"));
    keygen(&ca, &["-t", "ed25519"]);
    keygen(&host, &["-t", "ed25519"]);
    let authority = std::fs::read_to_string(ca.with_extension("pub")).unwrap();
    for (principal, more, good) in [
        ("127.0.0.1", ["-h", "-V", "-5m:+5m"], true),
        ("elsewhere", ["-h", "-V", "-5m:+5m"], false),
        ("127.0.0.1", ["-h", "-V", "-10m:-5m"], false),
    ] {
        let signed = Command::new("ssh-keygen")
            .arg("-q")
            .arg("-s")
            .arg(&ca)
            .args(["-I", "id", "-n", principal])
            .args(more)
            .arg(host.with_extension("pub"))
            .status();
        assert!(signed.unwrap().success());
        let path = host.display();
        let Some(sshd) = Sshd::with(&format!("HostKey {path}\nHostCertificate {path}-cert.pub"))
        else {
            return;
        };
        sshd.know(&format!("@cert-authority 127.0.0.* {authority}"));
        if good {
            connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
            sshd.know(&format!(
                "@cert-authority * {authority}@revoked * {authority}"
            ));
            let error = problem(refused(&sshd.endpoint(), &sshd.resolver()).await);
            assert!(matches!(error, HostKeyProblem::Revoked { .. }), "{error}");
        } else {
            let error = problem(refused(&sshd.endpoint(), &sshd.resolver()).await);
            assert!(
                matches!(error, HostKeyProblem::Certificate { .. }),
                "{error}"
            );
        }
    }
}
