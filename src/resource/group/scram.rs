//! SCRAM-SHA-256 verifiers as PostgreSQL stores them, made with a given salt, so that an equal password can be
//! recognised without asking for it to be set again (source: RFC 5803, `src/common/scram-common.c`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

/// A salt of 16 random bytes, as PostgreSQL makes them. The clock stands in only if the system has no
/// randomness to give, which a salt survives: it has to differ, not to be secret.
pub(super) fn fresh_salt() -> [u8; 16] {
    let mut salt = [0u8; 16];
    if SystemRandom::new().fill(&mut salt).is_err() {
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_nanos();
        salt = now.to_le_bytes();
    }
    salt
}

/// The verifier of a password for a salt.
pub(super) fn verifier(password: &str, salt: &[u8]) -> String {
    with_iterations(password, salt, ITERATIONS)
}

fn with_iterations(password: &str, salt: &[u8], iterations: NonZeroU32) -> String {
    let mut salted = [0u8; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let server = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored.as_ref()),
        STANDARD.encode(server.as_ref())
    )
}

/// Whether a stored verifier was made of this password.
pub(super) fn matches(password: &str, stored: &str) -> bool {
    let parsed = stored.strip_prefix("SCRAM-SHA-256$").and_then(|rest| {
        let (head, _) = rest.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        Some((
            iterations.parse::<NonZeroU32>().ok()?,
            STANDARD.decode(salt).ok()?,
        ))
    });
    parsed.is_some_and(|(iterations, salt)| with_iterations(password, &salt, iterations) == stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_its_own_verifier_and_no_other() {
        let stored = verifier("pass'word", b"0123456789abcdef");
        assert!(matches("pass'word", &stored));
        assert!(!matches("password", &stored));
        assert!(!matches("password", "md5abc"));
    }
}
