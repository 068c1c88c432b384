//! What a certificate says: names, issuer, key, dates.

use super::PkiError;
use std::collections::BTreeSet;
use std::net::IpAddr;
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The facts of a certificate that decide whether it is still fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// All of it, as it goes over the wire.
    pub der: Vec<u8>,
    pub common_name: Option<String>,
    /// Addresses and DNS names, as text.
    pub names: BTreeSet<String>,
    /// DER of the issuer's name.
    pub issuer: Vec<u8>,
    /// DER of its own name.
    pub subject: Vec<u8>,
    /// The public key (DER of SubjectPublicKeyInfo).
    pub public_key: Vec<u8>,
    /// The identifier of the key that signed it, if it says so.
    pub signer: Option<Vec<u8>>,
    /// The identifier of its own key, if it says so.
    pub key_id: Option<Vec<u8>>,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// May it sign others.
    pub is_ca: bool,
    pub server_auth: bool,
    pub client_auth: bool,
}

/// Where a certificate begins in a PEM text, and where it ends.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// All certificates of a PEM text, each as a text of its own.
pub(super) fn blocks(pem: &str) -> Vec<String> {
    let whole = |text: &str| Some(format!("{BEGIN}{}{END}\n", text.split_once(END)?.0));
    pem.split(BEGIN).skip(1).filter_map(whole).collect()
}

/// An authority that somebody else trusts: the first of those in `found`, if there are any and none is one of `ours`.
/// A text without a certificate that can be read says nothing.
pub fn stranger(ours: &str, found: &str) -> Option<Inspected> {
    let read = |text: &str| -> Vec<Inspected> {
        let all = blocks(text).into_iter();
        all.filter_map(|block| inspect("ca.crt", &block).ok())
            .collect()
    };
    let ours = read(ours);
    let found = read(found);
    let shared = |facts: &Inspected| ours.iter().any(|own| own.der == facts.der);
    match found.iter().any(shared) {
        true => None,
        false => found.into_iter().find(|facts| facts.is_ca),
    }
}

/// Reads the first certificate of a PEM text. `name` says in errors where it stands.
///
/// # Errors
/// The text holds no certificate, or one that cannot be parsed.
pub fn inspect(name: &str, pem: &str) -> Result<Inspected, PkiError> {
    let bad = |why: String| PkiError::Certificate {
        name: name.to_owned(),
        why,
    };
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|e| bad(e.to_string()))?;
    let (_, cert) = X509Certificate::from_der(&pem.contents).map_err(|e| bad(e.to_string()))?;
    let (server_auth, client_auth) = purposes(&cert);
    let time = |at: x509_parser::time::ASN1Time| at.to_datetime();
    Ok(Inspected {
        der: pem.contents.clone(),
        common_name: common_name(&cert),
        names: names(&cert),
        issuer: cert.issuer().as_raw().to_vec(),
        subject: cert.subject().as_raw().to_vec(),
        public_key: cert.public_key().raw.to_vec(),
        signer: signer(&cert),
        key_id: key_id(&cert),
        not_before: time(cert.validity().not_before),
        not_after: time(cert.validity().not_after),
        is_ca: cert.is_ca(),
        server_auth,
        client_auth,
    })
}

fn common_name(cert: &X509Certificate<'_>) -> Option<String> {
    let name = cert.subject().iter_common_name().next()?;
    Some(name.as_str().ok()?.to_owned())
}

fn names(cert: &X509Certificate<'_>) -> BTreeSet<String> {
    let Ok(Some(san)) = cert.subject_alternative_name() else {
        return BTreeSet::new();
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        // Kinds that we neither write nor compare.
        _ => None,
    };
    san.value.general_names.iter().filter_map(text).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

fn purposes(cert: &X509Certificate<'_>) -> (bool, bool) {
    match cert.extended_key_usage() {
        Ok(Some(usage)) => (usage.value.server_auth, usage.value.client_auth),
        Ok(None) | Err(_) => (false, false),
    }
}

fn signer(cert: &X509Certificate<'_>) -> Option<Vec<u8>> {
    use x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier;
    cert.iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            AuthorityKeyIdentifier(id) => Some(id.key_identifier.as_ref()?.0.to_vec()),
            _ => None,
        })
}

fn key_id(cert: &X509Certificate<'_>) -> Option<Vec<u8>> {
    use x509_parser::extensions::ParsedExtension::SubjectKeyIdentifier;
    cert.iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        })
}
