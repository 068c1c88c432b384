//! Reads `known_hosts` files as OpenSSH does (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
//!
//! Keys are compared as bytes and lines that cannot be read are passed over, so a key kind
//! that this program does not know hides nothing. russh's own reader accepts revoked keys and takes a host with another
//! key kind for unknown; it is not used.

use super::error::FileLine;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use std::path::Path;

/// What a line says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyMarker {
    /// The host's own key.
    Plain,
    /// `@cert-authority`: signs certificates of hosts.
    Authority,
    /// `@revoked`: never to be accepted.
    Revoked,
}

/// A line that speaks of the host looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownKey {
    pub(crate) marker: KeyMarker,
    /// As written, for instance `ssh-ed25519`.
    pub(crate) kind: String,
    /// The key in SSH's wire format.
    pub(crate) blob: Vec<u8>,
    pub(crate) place: FileLine,
    /// False when the line names the host without the port that is used.
    pub(crate) exact: bool,
}

/// The names by which a host may be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// `host`, or `[host]:port` when the port is not 22.
    pub(crate) name: String,
    /// `host`, when that differs.
    bare: Option<String>,
}

impl Names {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        if port == 22 {
            return Self {
                name: host,
                bare: None,
            };
        }
        Self {
            name: format!("[{host}]:{port}"),
            bare: Some(host),
        }
    }
}

/// The lines of a text that speak of a host.
pub(crate) fn entries(text: &str, file: &Path, names: &Names) -> Vec<KnownKey> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| entry(line, names, file, index + 1))
        .collect()
}

fn entry(line: &str, names: &Names, file: &Path, number: usize) -> Option<KnownKey> {
    let mut words = line.split_ascii_whitespace();
    let mut hosts = words.next()?;
    let marker = match hosts {
        "@cert-authority" => KeyMarker::Authority,
        "@revoked" => KeyMarker::Revoked,
        other if other.starts_with(['@', '#']) => return None,
        _ => KeyMarker::Plain,
    };
    if marker != KeyMarker::Plain {
        hosts = words.next()?;
    }
    let exact = matches(hosts, &names.name);
    let bare = names.bare.as_deref();
    if !exact && !bare.is_some_and(|bare| matches(hosts, bare)) {
        return None;
    }
    Some(KnownKey {
        marker,
        kind: words.next()?.to_owned(),
        blob: BASE64.decode(words.next()?).ok()?,
        place: FileLine {
            file: file.to_owned(),
            line: number,
        },
        exact,
    })
}

/// Whether a host field (patterns with `*`, `?` and `!`, or one hashed name) speaks of a name.
fn matches(field: &str, name: &str) -> bool {
    if let Some(hashed) = field.strip_prefix("|1|") {
        return hash_matches(hashed, name).unwrap_or(false);
    }
    let mut found = false;
    for pattern in field.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, name) => return false,
            Some(_) => {}
            None => found |= glob(pattern, name),
        }
    }
    found
}

/// HMAC-SHA1 of the name with the salt as key, both in base64.
fn hash_matches(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        &BASE64.decode(salt).ok()?,
    );
    let hash = BASE64.decode(hash).ok()?;
    Some(hmac::verify(&key, name.as_bytes(), &hash).is_ok())
}

/// Matches `*` and `?`, without regard to case.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<u8> = pattern.to_ascii_lowercase().into_bytes();
    let text: Vec<u8> = text.to_ascii_lowercase().into_bytes();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || text.get(t) == Some(byte) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

    fn found(text: &str, host: &str, port: u16) -> Vec<(KeyMarker, bool)> {
        entries(text, Path::new("kh"), &Names::new(host, port))
            .into_iter()
            .map(|entry| (entry.marker, entry.exact))
            .collect()
    }

    #[test]
    fn plain_names_patterns_and_ports() {
        let text = format!("a,10.0.0.* {KEY}\n[a]:2222 {KEY} comment\n*.ex,!bad.ex {KEY}\n");
        assert_eq!(found(&text, "A", 22), [(KeyMarker::Plain, true)]);
        assert_eq!(found(&text, "10.0.0.7", 22), [(KeyMarker::Plain, true)]);
        assert_eq!(
            found(&text, "a", 2222),
            [(KeyMarker::Plain, false), (KeyMarker::Plain, true)]
        );
        assert_eq!(found(&text, "good.ex", 22).len(), 1);
        assert_eq!(found(&text, "bad.ex", 22).len(), 0);
        assert_eq!(found(&text, "b", 22).len(), 0);
    }

    #[test]
    fn markers_and_rubbish() {
        let text = format!(
            "# a {KEY}\n@revoked a {KEY}\n@cert-authority * {KEY}\n@else a {KEY}\na ssh-ed25519\na x !!\n\n"
        );
        assert_eq!(
            found(&text, "a", 22),
            [(KeyMarker::Revoked, true), (KeyMarker::Authority, true)]
        );
    }

    #[test]
    fn hashed_names() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"salt");
        let hash = BASE64.encode(hmac::sign(&key, b"[h]:2200").as_ref());
        let text = format!("|1|{}|{hash} {KEY}\n", BASE64.encode("salt"));
        assert_eq!(found(&text, "h", 2200), [(KeyMarker::Plain, true)]);
        assert_eq!(found(&text, "h", 22), []);
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c*e", "abcde", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.b", "a.b.c", false),
            ("*b", "abab", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
