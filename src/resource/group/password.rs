//! Passwords as PostgreSQL stores them: SCRAM-SHA-256 verifiers made with a given salt, so that an equal password can
//! be recognised without setting it again (RFC 5803, RFC 4013, PostgreSQL's `scram-common.c`), and MD5 digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use std::borrow::Cow;
use std::num::NonZeroU32;

const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("4096 is not zero");

/// What is to be stored for a password: itself where it is a verifier, else one made anew.
pub(super) fn stored_form(password: &str, role: &str, md5: bool) -> String {
    if is_verifier(password) {
        password.to_owned()
    } else if md5 {
        md5_of(password, role)
    } else {
        with_iterations(password, &fresh_salt(), ITERATIONS)
    }
}

/// Whether what is stored is this password in the wanted form.
pub(super) fn matches(password: &str, role: &str, md5: bool, stored: &str) -> bool {
    if is_verifier(password) {
        password == stored
    } else if md5 {
        md5_of(password, role) == stored
    } else {
        scram_matches(password, stored)
    }
}

/// Whether PostgreSQL stores a password as it is: it is a SCRAM verifier or an MD5 digest.
fn is_verifier(password: &str) -> bool {
    let md5 = password.strip_prefix("md5").is_some_and(|digits| {
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        digits.len() == 32 && digits.chars().all(hex)
    });
    md5 || parts(password).is_some()
}

fn md5_of(password: &str, role: &str) -> String {
    let digest = Md5::digest(format!("{password}{role}").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("md5{hex}")
}

/// SASLprep, as both ends do it; a password that it does not allow is taken as it is.
fn prepared(password: &str) -> Cow<'_, str> {
    match stringprep::saslprep(password) {
        Ok(prepared) if !prepared.is_empty() => prepared,
        Ok(_) | Err(_) => Cow::Borrowed(password),
    }
}

/// A salt of 16 random bytes, as PostgreSQL makes them. The clock stands in only if the system has no
/// randomness to give, which a salt survives: it has to differ, not to be secret.
fn fresh_salt() -> [u8; 16] {
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
fn with_iterations(password: &str, salt: &[u8], iterations: NonZeroU32) -> String {
    let mut salted = [0u8; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        prepared(password).as_bytes(),
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

/// Iterations and salt of a verifier.
fn parts(stored: &str) -> Option<(NonZeroU32, Vec<u8>)> {
    let (head, keys) = stored.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
    let (iterations, salt) = head.split_once(':')?;
    let (one, two) = keys.split_once(':')?;
    let whole = |key: &str| {
        STANDARD
            .decode(key)
            .is_ok_and(|key| key.len() == digest::SHA256_OUTPUT_LEN)
    };
    if !whole(one) || !whole(two) {
        return None;
    }
    Some((iterations.parse().ok()?, STANDARD.decode(salt).ok()?))
}

fn scram_matches(password: &str, stored: &str) -> bool {
    parts(stored)
        .is_some_and(|(iterations, salt)| with_iterations(password, &salt, iterations) == stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(password: &str, md5: bool) -> bool {
        matches(password, "app", md5, &stored_form(password, "app", md5))
    }

    #[test]
    fn recognises_its_own_forms_and_no_other() {
        for password in [
            "pass'word",
            "a b\\c\"$%:#",
            "p\u{e4}\u{df}w\u{f6}rd",
            "\u{1f511}",
        ] {
            assert!(
                again(password, false) && again(password, true),
                "{password}"
            );
        }
        assert!(!matches(
            "password",
            "app",
            false,
            &stored_form("other", "app", false)
        ));
        assert!(!matches("password", "app", false, "md5abc"));
        // As PostgreSQL says: SELECT 'md5' || md5('secret' || 'app').
        assert_eq!(
            stored_form("secret", "app", true),
            "md56a422f785c9e20873908ce25d1736ae2"
        );
    }

    #[test]
    fn a_verifier_is_stored_as_it_is() {
        let scram = stored_form("secret", "app", false);
        assert_eq!(stored_form(&scram, "app", false), scram);
        assert!(matches(&scram, "app", false, &scram));
        assert!(!matches(
            &scram,
            "app",
            false,
            &stored_form("secret", "app", false)
        ));
        // What only looks like one is a password.
        assert!(stored_form("SCRAM-SHA-256$x", "app", false).starts_with("SCRAM-SHA-256$4096:"));
    }

    #[test]
    fn equal_texts_of_unicode_are_equal_passwords() {
        // A no-break space is a space, a soft hyphen is nothing, a ligature is two letters.
        let stored = stored_form("a b ffi", "app", false);
        assert!(matches("a\u{a0}b \u{ad}\u{fb03}", "app", false, &stored));
        // Not allowed by SASLprep, so taken as it is.
        assert!(again("a\u{7}b", false) && again("\u{ad}", false));
    }
}
