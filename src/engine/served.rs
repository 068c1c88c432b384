//! The certificates that listeners show: PostgreSQL, PgBouncer, Patroni, etcd, as a client meets them.

use super::Run;
use super::fleet::chain;
use super::look::futures_join;
use crate::model::{Host, Model};
use crate::names::HostName;
use crate::transport::http::{TlsSettings, client_config};
use crate::transport::{Stream, Target};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// For the connection and the handshake together.
const LIMIT: Duration = Duration::from_secs(10);

/// What asks PostgreSQL and PgBouncer for TLS, and their yes.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const SSL_YES: u8 = b'S';

/// A port that shows a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub host: HostName,
    /// The program behind it.
    pub program: &'static str,
    pub address: String,
    pub port: u16,
    /// Whose certificate it should be: the name of an instance or of a member of etcd.
    pub certificate: String,
    /// It speaks PostgreSQL's protocol first.
    pub postgres: bool,
}

/// All listeners of a host that have a certificate.
pub fn listeners(model: &Model, host: &Host) -> Vec<Listener> {
    let listener = |program, port, certificate: &str, postgres| Listener {
        host: host.name.clone(),
        program,
        address: host.address.to_string(),
        port,
        certificate: certificate.to_owned(),
        postgres,
    };
    let mut found = Vec::new();
    if let Some(pg) = &host.pg {
        let name = pg.name.as_str();
        found.push(listener("PostgreSQL", pg.port, name, true));
        found.extend(
            pg.pgbouncer_port
                .map(|port| listener("PgBouncer", port, name, true)),
        );
        if pg.patroni_ssl {
            found.push(listener("Patroni", pg.patroni_port, name, false));
        }
    }
    if let (Some(etcd), Some(member)) = (&model.etcd, &host.etcd) {
        found.push(listener("etcd", etcd.client_port, &member.name, false));
    }
    found
}

/// The certificate (DER) that each listener shows, or why none was seen. All of them must come from `ca_pem`.
pub async fn served(
    run: &Run<'_>,
    listeners: &[Listener],
    ca_pem: &str,
) -> Vec<Result<Vec<u8>, String>> {
    let asked = listeners.iter().map(|listener| async move {
        let shown = timeout(LIMIT, shown(run, listener, ca_pem)).await;
        shown.unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
    });
    futures_join(asked).await
}

async fn shown(run: &Run<'_>, listener: &Listener, ca_pem: &str) -> Result<Vec<u8>, String> {
    let via = run.fleet.get(&listener.host).ok_or("not connected")?;
    let target = Target::Tcp(listener.address.clone(), listener.port);
    let mut stream = via.open(&target).await.map_err(|error| chain(&error))?;
    if listener.postgres {
        ask_for_tls(&mut stream).await?;
    }
    let settings = TlsSettings {
        ca_pem: ca_pem.to_owned(),
        client_cert_pem: None,
        client_key_pem: None,
        server_name: listener.address.clone(),
    };
    let config = client_config(&settings)?;
    let name = ServerName::try_from(listener.address.clone()).map_err(|error| chain(&error))?;
    let secured = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| chain(&error))?;
    let certificates = secured.get_ref().1.peer_certificates();
    let leaf = certificates.and_then(<[_]>::first);
    leaf.map(|leaf| leaf.as_ref().to_vec())
        .ok_or_else(|| "it shows no certificate".to_owned())
}

async fn ask_for_tls(stream: &mut Box<dyn Stream>) -> Result<(), String> {
    let broken = |error: std::io::Error| chain(&error);
    stream.write_all(&SSL_REQUEST).await.map_err(broken)?;
    match stream.read_u8().await.map_err(broken)? {
        SSL_YES => Ok(()),
        _ => Err("it speaks no TLS".to_owned()),
    }
}
