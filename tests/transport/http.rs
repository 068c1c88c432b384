//! HTTP and HTTPS through a host.

use super::sshd::Sshd;
use citusctl::secret::Secret;
use citusctl::transport::http::{HttpError, Method, Request, TlsSettings, request};
use citusctl::transport::{Target, connect};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// Reads a request and answers it with itself.
async fn mirror(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&text).contains("\r\n\r\n") || !complete(&text) {
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => text.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = format!(
        "HTTP/1.1 503 Standby\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&text).await.unwrap();
    stream.shutdown().await.ok();
}

fn complete(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

#[tokio::test]
async fn in_clear_with_body_and_password() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::Tcp("127.0.0.1".into(), listener.local_addr().unwrap().port());
    let asked = Request::new(Method::PATCH, target.clone(), "/config?x=1")
        .json(json!({"ttl": 30}))
        .basic_auth("user", Secret::new("pass"));
    assert!(!format!("{asked:?}").contains("pass\""));
    let server = async { mirror(listener.accept().await.unwrap().0).await };
    let (answer, ()) = tokio::join!(request(&*via, &asked), server);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.ok()), (503, false));
    let seen = String::from_utf8(answer.body).unwrap();
    assert!(seen.starts_with("PATCH /config?x=1 HTTP/1.1\r\n"), "{seen}");
    assert!(
        seen.contains("authorization: Basic dXNlcjpwYXNz\r\n"),
        "{seen}"
    );
    assert!(seen.ends_with("\r\n\r\n{\"ttl\":30}"), "{seen}");

    let silent = Request::get(target, "/").within(Duration::from_millis(200));
    let error = request(&*via, &silent).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
}

struct Pki {
    ca: String,
    cert: String,
    key: String,
}

fn pki(name: &str) -> Pki {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&params, &ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let cert = leaf.signed_by(&key, &issuer).unwrap().pem();
    Pki {
        ca: ca.pem(),
        cert,
        key: key.serialize_pem(),
    }
}

fn acceptor(pki: &Pki) -> tokio_rustls::TlsAcceptor {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pki.ca.as_bytes()).unwrap())
        .unwrap();
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        provider.clone(),
    );
    let chain = vec![CertificateDer::from_pem_slice(pki.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pki.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    tokio_rustls::TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn over_tls_with_certificates_on_both_sides() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    let pki = pki("10.0.0.7");
    let acceptor = acceptor(&pki);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::Tcp("127.0.0.1".into(), listener.local_addr().unwrap().port());
    let mut tls = TlsSettings {
        ca_pem: pki.ca.clone(),
        client_cert_pem: Some(pki.cert.clone()),
        client_key_pem: Some(Secret::new(pki.key.clone())),
        server_name: "10.0.0.7".into(),
    };
    let serve = || async {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(stream) = acceptor.accept(stream).await {
            mirror(stream).await;
        }
    };
    let good = Request::get(target.clone(), "/health").tls(tls.clone());
    let (answer, ()) = tokio::join!(request(&*via, &good), serve());
    assert_eq!(answer.unwrap().status, 503);

    tls.server_name = "10.0.0.8".into();
    let wrong_name = Request::get(target.clone(), "/health").tls(tls.clone());
    let (answer, ()) = tokio::join!(request(&*via, &wrong_name), serve());
    let error = answer.unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error}");

    tls.client_key_pem = None;
    let half = Request::get(target, "/health").tls(tls);
    let error = tokio::join!(request(&*via, &half), async {
        listener.accept().await.unwrap()
    })
    .0
    .unwrap_err();
    assert!(matches!(error, HttpError::Settings { .. }), "{error}");
}
