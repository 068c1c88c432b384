//! Who gets in and who becomes root.

use super::sshd::{PASSWORD, Sshd, free_port, keygen, user};
use super::{refused, sh};
use citusctl::secret::Secret;
use citusctl::transport::{Collected, Program, Sudo, SudoProblem, TransportError, connect};
use std::process::{Command, Stdio};

#[tokio::test]
async fn a_wrong_key_is_named() {
    let Some(sshd) = Sshd::with("PasswordAuthentication no") else {
        return;
    };
    sshd.know_right();
    keygen(&sshd.path("wrong"), &["-t", "ed25519"]);
    let mut endpoint = sshd.endpoint();
    endpoint.keys = vec![sshd.path("wrong"), sshd.path("missing")];
    let error = refused(&endpoint, &sshd.resolver()).await;
    let TransportError::Auth { tried, .. } = &error else {
        panic!("{error}")
    };
    assert!(tried[0].contains("wrong: refused"), "{tried:?}");
    assert!(tried[1].contains("missing: no such file"), "{tried:?}");
    assert!(!error.hints().is_empty());
}

#[tokio::test]
async fn more_keys_than_the_host_takes() {
    let Some(sshd) = Sshd::with("MaxAuthTries 2") else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint();
    endpoint.keys.clear();
    for index in 0..4 {
        let path = sshd.path(&format!("wrong{index}"));
        keygen(&path, &["-t", "ed25519"]);
        endpoint.keys.push(path);
    }
    let error = refused(&endpoint, &sshd.resolver()).await;
    assert!(matches!(error, TransportError::Auth { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("Too many authentication failures"),
        "{error}"
    );
}

#[tokio::test]
async fn nobody_listens() {
    let Some(sshd) = Sshd::start() else { return };
    let mut endpoint = sshd.endpoint();
    endpoint.port = Some(free_port());
    let error = refused(&endpoint, &sshd.resolver()).await;
    assert!(
        matches!(error, TransportError::Unreachable { .. }),
        "{error}"
    );
    assert!(error.is_retryable());
    assert_eq!(error.chain().len(), 2, "{:?}", error.chain());
    assert!(error.hints()[0].contains("sshd runs"));
}

#[tokio::test]
async fn a_silent_host_times_out() {
    let Some(sshd) = Sshd::start() else { return };
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoint = sshd.endpoint();
    endpoint.port = Some(silent.local_addr().unwrap().port());
    endpoint.connect_timeout = std::time::Duration::from_millis(300);
    let error = refused(&endpoint, &sshd.resolver()).await;
    assert!(matches!(error, TransportError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn an_rsa_key_and_a_key_from_the_agent() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let rsa = sshd.path("user_rsa");
    keygen(&rsa, &["-t", "rsa", "-b", "2048"]);
    let public = rsa.with_extension("pub");
    std::fs::copy(&public, sshd.path("authorized_keys")).unwrap();
    let mut endpoint = sshd.endpoint();
    endpoint.keys = vec![rsa.clone()];
    connect(&endpoint, &sshd.resolver()).await.unwrap();

    let socket = sshd.path("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !socket.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let added = Command::new("ssh-add")
        .arg("-q")
        .arg(&rsa)
        .env("SSH_AUTH_SOCK", &socket)
        .status();
    assert!(added.unwrap().success());
    let locked = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", "secret", "-f"])
        .arg(&rsa)
        .status();
    assert!(locked.unwrap().success());
    let with_agent = sshd.resolver().with_agent(Some(socket));
    for keys in [vec![], vec![rsa.clone()], vec![public]] {
        endpoint.keys = keys;
        connect(&endpoint, &with_agent).await.unwrap();
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    endpoint.keys = vec![rsa];
    let error = refused(&endpoint, &sshd.resolver()).await;
    assert!(error.to_string().contains("has a passphrase"), "{error}");
}

#[tokio::test]
async fn a_password_gets_in() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint_as("none");
    endpoint.keys.clear();
    endpoint.sudo = None;
    endpoint.password = Some(Secret::new(PASSWORD));
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    assert_eq!(sh(&*via, "id -un").await.1.out, "none\n");
    endpoint.password = Some(Secret::new("wrong"));
    let error = refused(&endpoint, &sshd.resolver()).await;
    assert!(error.to_string().contains("password: refused"), "{error}");
}

#[tokio::test]
async fn sudo_without_a_password() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    for password in [None, Some(Secret::new("not asked for"))] {
        let mut endpoint = sshd.endpoint_as("free");
        endpoint.sudo = Some(Sudo {
            password,
            ..Sudo::default()
        });
        let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
        let (exit, output) = sh(&*via, "id -un; echo \"$HOME\"; cat").await;
        assert!(exit.ok());
        assert_eq!(
            (output.out.as_str(), output.err.as_str()),
            ("root\n/root\n", "")
        );
    }
}

async fn sudo_problem(sshd: &Sshd, user: &str, password: Option<&str>) -> (SudoProblem, String) {
    let mut endpoint = sshd.endpoint_as(user);
    endpoint.sudo = Some(Sudo {
        password: password.map(Secret::new),
        ..Sudo::default()
    });
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    let mut collected = Collected::default();
    let error = via
        .run(&Program::new("echo ran\nid\n"), &mut collected)
        .await
        .unwrap_err();
    assert_eq!(collected, Collected::default(), "nothing ran");
    assert!(!error.hints().is_empty());
    match error {
        TransportError::Sudo { problem, said, .. } => (problem, said),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn sudo_with_a_password() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint_as("asks");
    endpoint.sudo = Some(Sudo {
        password: Some(Secret::new(PASSWORD)),
        ..Sudo::default()
    });
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    for _ in 0..2 {
        let (exit, output) = sh(&*via, "id -un\ncat\nexit 3").await;
        assert_eq!(exit, citusctl::transport::Exit::Code(3));
        assert_eq!((output.out.as_str(), output.err.as_str()), ("root\n", ""));
    }
}

#[tokio::test]
async fn sudo_refused() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let problems = [
        ("asks", None, SudoProblem::PasswordNeeded),
        ("asks", Some("wrong"), SudoProblem::PasswordRefused),
        ("none", Some(PASSWORD), SudoProblem::NotAllowed),
        ("none", None, SudoProblem::PasswordNeeded),
    ];
    for (user, password, expected) in problems {
        let (problem, said) = sudo_problem(&sshd, user, password).await;
        assert_eq!(problem, expected, "{user} {password:?}: {said}");
    }
}

#[tokio::test]
async fn a_user_without_a_shell() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint_as("nosh");
    endpoint.sudo = None;
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    let error = via
        .run(&Program::new("id"), &mut Collected::default())
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Shell { .. }), "{error}");
    assert!(error.to_string().contains("not available"), "{error}");
}

#[tokio::test]
async fn the_ssh_configuration_is_followed() {
    let Some(sshd) = Sshd::start() else { return };
    let own = sshd.dir.path().display();
    let config = format!(
        "Host db-*\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {own}/user_ed25519\n  HostKeyAlias alias\n",
        sshd.port,
        user()
    );
    std::fs::write(sshd.path("config"), config).unwrap();
    sshd.know(&format!("alias {}\n", sshd.host_key()));
    let mut endpoint = sshd.endpoint();
    endpoint.address = "db-1".into();
    (endpoint.port, endpoint.user) = (None, None);
    endpoint.keys.clear();
    let resolver = sshd.resolver().with_config(sshd.path("config"));
    connect(&endpoint, &resolver).await.unwrap();
}

#[tokio::test]
async fn a_host_that_drops_connections_is_asked_again() {
    let Some(sshd) = Sshd::with("MaxStartups 2") else {
        return;
    };
    sshd.know_right();
    let resolver = std::sync::Arc::new(sshd.resolver());
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..6 {
        let resolver = std::sync::Arc::clone(&resolver);
        let mut endpoint = sshd.endpoint();
        endpoint.host = citusctl::names::HostName::new(format!("db-{index}"));
        tasks.spawn(async move { connect(&endpoint, &resolver).await.map(|_| ()) });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
    let log = std::fs::read_to_string(sshd.path("log")).unwrap();
    assert!(log.contains("drop connection"), "{log}");
}

#[tokio::test]
async fn the_usual_key_files_are_tried() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    std::fs::create_dir(sshd.path(".ssh")).unwrap();
    std::fs::rename(sshd.path("user_ed25519"), sshd.path(".ssh/id_ed25519")).unwrap();
    let mut endpoint = sshd.endpoint();
    endpoint.keys.clear();
    connect(&endpoint, &sshd.resolver()).await.unwrap();
}
