//! The certificates that listeners show: PostgreSQL, PgBouncer, Patroni, etcd, as a client meets them; and the clients whom they let in.

use super::fleet::chain;
use super::look::futures_join;
use super::{PatroniTls, Run};
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
use tokio_rustls::client::TlsStream;

/// For the connection and the handshake together.
const LIMIT: Duration = Duration::from_secs(10);

/// What asks PostgreSQL and PgBouncer for TLS, and their yes.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const SSL_YES: u8 = b'S';

/// A port that shows a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsListener {
    pub host: HostName,
    /// The program behind it.
    pub program: &'static str,
    pub address: String,
    pub port: u16,
    /// Whose certificate it should be: the name of an instance or of a member of etcd.
    pub certificate: String,
    /// It speaks PostgreSQL's protocol first.
    pub postgres: bool,
    /// It refuses a client's certificate of an authority that it does not know.
    pub verifies: bool,
}

/// What a client that has nothing to say begins with, so that the answer tells whether it was let in.
const STARTUP: [u8; 23] = *b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00citusctl\x00\x00";
const REQUEST: &[u8] = b"GET /version HTTP/1.0\r\n\r\n";

/// All listeners of a host that have a certificate.
pub fn listeners(model: &Model, host: &Host) -> Vec<TlsListener> {
    let listener = |program, port, certificate: &str, postgres| TlsListener {
        host: host.name.clone(),
        program,
        address: host.address.to_string(),
        port,
        certificate: certificate.to_owned(),
        postgres,
        // PgBouncer asks for no certificate.
        verifies: program != "PgBouncer",
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
        found.push(listener("etcd's peer", etcd.peer_port, &member.name, false));
    }
    found
}

/// The certificate (DER) that each listener shows, or why none was seen. All of them must come from `ca_pem`.
pub async fn served(
    run: &Run<'_>,
    listeners: &[TlsListener],
    ca_pem: &str,
) -> Vec<Result<Vec<u8>, String>> {
    let asked = listeners.iter().map(|listener| async move {
        let shown = timeout(LIMIT, shown(run, listener, ca_pem)).await;
        shown.unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
    });
    futures_join(asked).await
}

/// Whether each listener lets a client with this certificate in; an error says why that could not be told.
pub async fn admits(
    run: &Run<'_>,
    listeners: &[TlsListener],
    client: &PatroniTls,
) -> Vec<Result<bool, String>> {
    let asked = listeners.iter().map(|listener| async move {
        let admitted = timeout(LIMIT, admitted(run, listener, client)).await;
        admitted.unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
    });
    futures_join(asked).await
}

async fn shown(run: &Run<'_>, listener: &TlsListener, ca_pem: &str) -> Result<Vec<u8>, String> {
    let settings = TlsSettings {
        ca_pem: ca_pem.to_owned(),
        client_cert_pem: None,
        client_key_pem: None,
        server_name: listener.address.clone(),
    };
    let stream = reach(run, listener).await?;
    let secured = secure(stream, &settings).await.map_err(|e| chain(&e))?;
    let certificates = secured.get_ref().1.peer_certificates();
    let leaf = certificates.and_then(<[_]>::first);
    leaf.map(|leaf| leaf.as_ref().to_vec())
        .ok_or_else(|| "it shows no certificate".to_owned())
}

/// With TLS 1.3 a client's certificate is judged after the handshake: who is not let in gets no answer to what it says.
async fn admitted(
    run: &Run<'_>,
    listener: &TlsListener,
    client: &PatroniTls,
) -> Result<bool, String> {
    let settings = TlsSettings {
        ca_pem: client.ca_pem.clone(),
        client_cert_pem: Some(client.cert_pem.clone()),
        client_key_pem: Some(client.key_pem.clone()),
        server_name: listener.address.clone(),
    };
    let stream = reach(run, listener).await?;
    let mut secured = match secure(stream, &settings).await {
        Ok(secured) => secured,
        Err(error) if is_alert(&error) => return Ok(false),
        Err(error) => return Err(chain(&error)),
    };
    let words: &[u8] = match listener.postgres {
        true => &STARTUP,
        false => REQUEST,
    };
    let said = async {
        secured.write_all(words).await?;
        secured.flush().await?;
        secured.read_u8().await
    };
    Ok(said.await.is_ok())
}

fn is_alert(error: &std::io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

/// A connection that is ready for TLS.
async fn reach(run: &Run<'_>, listener: &TlsListener) -> Result<Box<dyn Stream>, String> {
    let via = run.fleet.get(&listener.host).ok_or("not connected")?;
    let target = Target::Tcp(listener.address.clone(), listener.port);
    let mut stream = via.open(&target).await.map_err(|error| chain(&error))?;
    if listener.postgres {
        ask_for_tls(&mut stream).await?;
    }
    Ok(stream)
}

async fn secure(
    stream: Box<dyn Stream>,
    settings: &TlsSettings,
) -> std::io::Result<TlsStream<Box<dyn Stream>>> {
    let config = client_config(settings).map_err(std::io::Error::other)?;
    let name = ServerName::try_from(settings.server_name.clone()).map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn ask_for_tls(stream: &mut Box<dyn Stream>) -> Result<(), String> {
    let broken = |error: std::io::Error| chain(&error);
    stream.write_all(&SSL_REQUEST).await.map_err(broken)?;
    match stream.read_u8().await.map_err(broken)? {
        SSL_YES => Ok(()),
        _ => Err("it speaks no TLS".to_owned()),
    }
}
