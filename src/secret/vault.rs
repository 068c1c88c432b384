//! Texts encrypted by ansible-vault, formats 1.1 and 1.2: AES-256 in counter mode, authenticated with HMAC-SHA-256,
//! keys by PBKDF2.

use std::num::NonZeroU32;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ring::{hmac, pbkdf2};

use super::Secret;

/// How every encrypted text begins.
const MAGIC: &str = "$ANSIBLE_VAULT";
/// Rounds of PBKDF2; the format fixes them.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
/// Bytes of the key for the cipher, and of that for the authentication.
const KEY: usize = 32;
/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// An encrypted text, taken apart.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The vault id in its header, of format 1.2.
    pub id: Option<String>,
    salt: Vec<u8>,
    tag: Vec<u8>,
    body: Vec<u8>,
}

/// Why an encrypted text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("does not start with `$ANSIBLE_VAULT;1.1;AES256` or `$ANSIBLE_VAULT;1.2;AES256;ID`")]
    Header,
    #[error("format `{0}` is not known; 1.1 and 1.2 are")]
    Version(String),
    #[error("cipher `{0}` is not known; AES256 is")]
    Cipher(String),
    #[error("is cut short or damaged")]
    Damaged,
}

/// Whether a text says that it is encrypted.
pub fn is_sealed(text: &str) -> bool {
    text.trim_start().starts_with(MAGIC)
}

/// Takes an encrypted text apart.
///
/// # Errors
/// When it is no text of ansible-vault, or of a format that nobody here knows.
pub fn read(text: &str) -> Result<Sealed, VaultError> {
    let mut lines = text.split_whitespace();
    let id = header(lines.next().unwrap_or_default())?;
    let inner = unhex(&lines.collect::<String>()).ok_or(VaultError::Damaged)?;
    let mut parts = inner.split(|byte| *byte == b'\n');
    let mut part = || {
        let text = std::str::from_utf8(parts.next()?).ok()?;
        unhex(text).filter(|bytes| !bytes.is_empty())
    };
    match (part(), part(), part()) {
        (Some(salt), Some(tag), Some(body)) => Ok(Sealed {
            id,
            salt,
            tag,
            body,
        }),
        _ => Err(VaultError::Damaged),
    }
}

/// The vault id of a header.
fn header(line: &str) -> Result<Option<String>, VaultError> {
    let fields: Vec<&str> = line.split(';').collect();
    match fields[..] {
        [MAGIC, "1.1", "AES256"] => Ok(None),
        [MAGIC, "1.2", "AES256", id] => Ok(Some(id.to_owned())),
        [MAGIC, "1.1" | "1.2", cipher, ..] if cipher != "AES256" => {
            Err(VaultError::Cipher(cipher.to_owned()))
        }
        [MAGIC, version, _, ..] if version != "1.1" && version != "1.2" => {
            Err(VaultError::Version(version.to_owned()))
        }
        _ => Err(VaultError::Header),
    }
}

impl Sealed {
    /// The text in clear; `None` when the password is another.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when the password is right and the content no text.
    pub fn open(&self, password: &Secret) -> Result<Option<Secret>, VaultError> {
        let mut keys = [0; KEY + KEY + BLOCK];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        let word = password.expose().as_bytes();
        pbkdf2::derive(algorithm, ROUNDS, &self.salt, word, &mut keys);
        let (key, rest) = keys.split_at(KEY);
        let (authentication, start) = rest.split_at(KEY);
        let authentication = hmac::Key::new(hmac::HMAC_SHA256, authentication);
        if hmac::verify(&authentication, &self.body, &self.tag).is_err() {
            return Ok(None);
        }
        let cipher = Ctr128BE::<Aes256>::new_from_slices(key, start);
        let mut cipher = cipher.map_err(|_| VaultError::Damaged)?;
        let mut clear = self.body.clone();
        cipher.apply_keystream(&mut clear);
        let text = unpadded(clear).and_then(|bytes| String::from_utf8(bytes).ok());
        text.map(|text| Some(Secret::new(text)))
            .ok_or(VaultError::Damaged)
    }
}

/// Without the padding of PKCS #7.
fn unpadded(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let count = usize::from(*bytes.last()?);
    let rest = bytes.len().checked_sub(count)?;
    let right =
        (1..=BLOCK).contains(&count) && bytes[rest..].iter().all(|b| usize::from(*b) == count);
    bytes.truncate(rest);
    right.then_some(bytes)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by ansible-vault of ansible-core with the password `correct horse`.
    const PLAIN: &str = "$ANSIBLE_VAULT;1.1;AES256
          39306562323734643331643830626166393230346236366634613866643331636333363330386165
          6438613365633265313962333336316237373739393539620a613337343634346635306436346666
          33373164316462393066323230323332363431653461613835623266663038666634383335396265
          3036663361616332340a303763323932376165616338383533666330663930613263363266393666
          62626530333065313664306338393630313636313431353734636234643239653935
";

    /// The same of `battery staple`, with `--encrypt-vault-id prod`.
    const LABELLED: &str = "$ANSIBLE_VAULT;1.2;AES256;prod
          63356561646431623433333536333464356165613461373539373338366562383161323861643837
          3932313831663433663137363565663336353335363331630a343366653034613435373435643331
          31323161616136316633663461373564303833663235306330363532376636376334303137366663
          6633393538616663630a323862633262326632333134326333306138666261316161666432373166
          6361
";

    fn opened(text: &str, password: &str) -> Option<String> {
        let sealed = read(text).expect("well formed");
        let clear = sealed.open(&Secret::new(password)).expect("sound");
        clear.map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn opens_what_ansible_vault_made() {
        let clear = opened(PLAIN, "correct horse");
        assert_eq!(clear.as_deref(), Some("S3cret: \"#%$ \\ ü"));
        assert_eq!(opened(LABELLED, "battery staple").as_deref(), Some("other"));
        assert_eq!(read(LABELLED).expect("read").id.as_deref(), Some("prod"));
    }

    #[test]
    fn another_password_opens_nothing() {
        assert_eq!(opened(PLAIN, "battery staple"), None);
    }

    #[test]
    fn a_changed_text_opens_nothing() {
        let damaged = PLAIN.replace(
            "653935
", "653931
",
        );
        assert_ne!(damaged, PLAIN);
        assert_eq!(opened(&damaged, "correct horse"), None);
    }

    #[test]
    fn says_what_is_wrong_with_a_text() {
        let cases = [
            ("", VaultError::Header),
            ("$ANSIBLE_VAULT;1.1\n61", VaultError::Header),
            (
                "$ANSIBLE_VAULT;1.0;AES\n61",
                VaultError::Version("1.0".to_owned()),
            ),
            (
                "$ANSIBLE_VAULT;1.1;AES\n61",
                VaultError::Cipher("AES".to_owned()),
            ),
            ("$ANSIBLE_VAULT;1.1;AES256", VaultError::Damaged),
            ("$ANSIBLE_VAULT;1.1;AES256\n616", VaultError::Damaged),
            ("$ANSIBLE_VAULT;1.1;AES256\n6g", VaultError::Damaged),
            (
                "$ANSIBLE_VAULT;1.1;AES256\n61610a62620a",
                VaultError::Damaged,
            ),
        ];
        for (text, want) in cases {
            assert_eq!(read(text).err(), Some(want), "{text}");
        }
    }
}
