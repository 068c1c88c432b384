//! Streams to something behind a host, and hosts behind hosts.

use super::sshd::{Sshd, user};
use super::{refused, sh};
use citusctl::transport::{JumpHost, Target, Transport, TransportError, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

async fn echoes(via: &dyn Transport, to: &Target) {
    let mut stream = via.open(to).await.unwrap();
    let sent: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut read, mut write) = tokio::io::split(&mut stream);
    let mut got = vec![0; sent.len()];
    let (sent_all, got_all) = tokio::join!(write.write_all(&sent), read.read_exact(&mut got));
    sent_all.unwrap();
    got_all.unwrap();
    assert!(got == sent);
}

#[tokio::test]
async fn to_a_port_and_to_a_socket() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let path = sshd.path("echo");
    let unix = UnixListener::bind(&path).unwrap();
    let servers = async {
        let (mut stream, _) = tcp.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
        let (mut stream, _) = unix.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    };
    let clients = async {
        echoes(&*via, &Target::Tcp("127.0.0.1".into(), port)).await;
        echoes(&*via, &Target::Unix(path)).await;
    };
    tokio::join!(servers, clients);
    assert_eq!(via.stats().tunnels, 2);
}

#[tokio::test]
async fn to_nothing() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    for target in [
        Target::Tcp("127.0.0.1".into(), super::sshd::free_port()),
        Target::Unix("/no/such".into()),
    ] {
        let error = via.open(&target).await.map(|_| ()).unwrap_err();
        assert!(
            matches!(error, TransportError::ChannelRefused { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&target.to_string()), "{error}");
    }
}

#[tokio::test]
async fn hosts_behind_a_jump_host_share_its_connection() {
    let Some(bastion) = Sshd::start() else { return };
    let Some(inner) = Sshd::start() else { return };
    let (outer_key, inner_key) = (bastion.host_key(), inner.host_key());
    let (outer_port, inner_port) = (bastion.port, inner.port);
    bastion.know(&format!(
        "[127.0.0.1]:{outer_port} {outer_key}\n[127.0.0.1]:{inner_port} {inner_key}\n"
    ));
    let mut endpoint = inner.endpoint();
    endpoint.keys.push(bastion.path("user_ed25519"));
    let jump = JumpHost::parse(&format!("{}@127.0.0.1:{outer_port}", user())).unwrap();
    endpoint.jump = Some(vec![jump]);
    let resolver = bastion.resolver();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let via = connect(&endpoint, &resolver).await.unwrap();
        assert_eq!(
            sh(&*via, "echo \"$SSH_CONNECTION\"")
                .await
                .1
                .out
                .split(' ')
                .nth(3),
            Some(&*format!("{inner_port}\n"))
        );
        clients.push(via);
    }
    let log = std::fs::read_to_string(bastion.path("log")).unwrap();
    assert_eq!(log.matches("Accepted publickey").count(), 1, "{log}");
    bastion.know(&format!("[127.0.0.1]:{inner_port} {inner_key}\n"));
    let error = refused(&endpoint, &bastion.resolver()).await;
    assert!(matches!(error, TransportError::Jump { .. }), "{error}");
    assert!(
        error.chain()[1].contains("is not known"),
        "{:?}",
        error.chain()
    );
}
