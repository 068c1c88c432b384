//! Secrets: values that no formatter prints, and texts that ansible-vault encrypted.

pub mod vault;

use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;

/// A secret string. It has no `Display`, its `Debug` says nothing, and it is wiped when dropped.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes ownership of a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself. Call this only where it leaves for a file, a wire or a template.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the secret is the empty string.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Replaces secrets in text that is about to be shown, logged or journaled.
#[derive(Clone, Default)]
pub struct Masker {
    needles: Vec<Secret>,
    names: BTreeSet<String>,
}

/// What stands where a secret stood.
pub const MASK: &str = "********";

impl Masker {
    /// A shorter secret is looked for as a word of its own only: elsewhere it is a part of other words, of names, of certificates.
    const ANYWHERE: usize = 8;
    /// An even shorter one is looked for only behind a word that announces a secret, as those that are names.
    const WORD: usize = 4;
    /// Lines of a longer secret (a key) are searched for one by one when they have as many characters.
    const SHORTEST_LINE: usize = 8;

    /// A masker that knows which words stand in the open as names. A secret that is one of them (user `test`, password
    /// `test`) is looked for only behind a word that announces it: stars in the middle of `pg-test` would hide a name and
    /// tell the secret.
    pub fn among(names: BTreeSet<String>) -> Self {
        Self {
            needles: Vec::new(),
            names,
        }
    }

    /// All that it knows, the longest first.
    pub fn each(&self) -> impl Iterator<Item = &Secret> {
        self.needles.iter()
    }

    /// Adds a secret. Longer ones are replaced first. One of several lines is also
    /// found line by line, as diffs and logs show it.
    pub fn add(&mut self, secret: Secret) {
        let lines = secret.expose().lines().map(str::trim);
        let lines: Vec<Secret> = lines
            .filter(|line| line.len() >= Self::SHORTEST_LINE && line.len() < secret.expose().len())
            .map(Secret::new)
            .collect();
        lines.into_iter().for_each(|line| self.needle(line));
        self.needle(secret);
    }

    fn needle(&mut self, secret: Secret) {
        if !secret.expose().trim().is_empty() && !self.needles.contains(&secret) {
            self.needles.push(secret);
            let order = |a: &Secret, b: &Secret| {
                let (a, b) = (a.expose(), b.expose());
                b.len().cmp(&a.len()).then_with(|| a.cmp(b))
            };
            self.needles.sort_by(order);
        }
    }

    /// The text with every known secret replaced by [`MASK`].
    pub fn mask(&self, text: &str) -> String {
        self.needles.iter().fold(text.to_owned(), |text, needle| {
            let length = needle.expose().len();
            match self.names.contains(needle.expose()) || length < Self::WORD {
                true => announced(&text, needle),
                false if length < Self::ANYWHERE => words(&text, needle.expose()),
                false => text.replace(needle.expose(), MASK),
            }
        })
    }
}

/// Words that stand before a secret.
const ANNOUNCING: [&str; 4] = ["pass", "secret", "token", "auth"];

/// The text with a secret replaced in what follows an announcing word on the same line.
fn announced(text: &str, secret: &Secret) -> String {
    let masked = |line: &str| {
        let lower = line.to_ascii_lowercase();
        let ends = ANNOUNCING
            .iter()
            .filter_map(|word| Some(lower.find(word)? + word.len()));
        let (open, rest) = line.split_at(ends.min().unwrap_or(line.len()));
        let rest = match secret.expose().len() < Masker::ANYWHERE {
            true => words(rest, secret.expose()),
            false => rest.replace(secret.expose(), MASK),
        };
        format!("{open}{rest}")
    };
    text.split_inclusive('\n').map(masked).collect()
}

/// The text with a short secret replaced where it stands as a word: between letters and digits it is a part of something else, and
/// so it is in a long run of base64.
fn words(text: &str, secret: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(secret) {
        if at < done || !is_word(text, at, secret) {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(MASK);
        done = at + secret.len();
    }
    out.push_str(&text[done..]);
    out
}

fn is_word(text: &str, at: usize, secret: &str) -> bool {
    let (before, after) = (&text[..at], &text[at + secret.len()..]);
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    // In a text that is quoted once more a line end is a backslash and a letter.
    let escaped = ["\\n", "\\t", "\\r"]
        .iter()
        .any(|end| before.ends_with(end));
    let first = secret.starts_with(char::is_alphanumeric);
    let last = secret.ends_with(char::is_alphanumeric);
    let inside = first && !escaped && joins(before.chars().next_back())
        || last && joins(after.chars().next());
    !inside && !in_base64(before, after)
}

/// Whether both sides of a place are a line of base64, as in certificates and keys.
fn in_base64(before: &str, after: &str) -> bool {
    let is = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let run = before.chars().rev().take_while(is).count() + after.chars().take_while(is).count();
    run >= 40
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} secrets)", self.needles.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(***)");
    }

    #[test]
    fn masks_the_longer_secret_first() {
        let mut masker = Masker::default();
        masker.add(Secret::new("abcd"));
        masker.add(Secret::new("abcdef"));
        assert_eq!(masker.mask("x abcdef y abcd"), "x ******** y ********");
    }

    #[test]
    fn a_secret_that_is_a_name_is_masked_where_it_is_announced() {
        let mut masker = Masker::among(["test".to_owned()].into());
        masker.add(Secret::new("test"));
        masker.add(Secret::new("hunter22"));
        assert_eq!(
            masker.mask("listen pg-test-primary\n  - { name: test, password: test, comment: tests hunter22 }\ntest\n"),
            "listen pg-test-primary\n  - { name: test, password: ********, comment: tests ******** }\ntest\n"
        );
    }

    /// Short ones stand as values in all these, and as a part of something else in none of them.
    #[test]
    fn a_short_secret_is_masked_as_a_word_and_leaves_other_words_alone() {
        let mut masker = Masker::default();
        for secret in ["abcd", "x7", "pg/1"] {
            masker.add(Secret::new(secret));
        }
        let masked = [
            ("password=abcd", "password=********"),
            ("{\"p\": \"abcd\"}", "{\"p\": \"********\"}"),
            ("\"one\\nabcd\"", "\"one\\n********\""),
            ("postgres://u:abcd@h/db", "postgres://u:********@h/db"),
            ("PASS: x7, x70, ax7", "PASS: ********, x70, ax7"),
            ("'pg/1'", "'********'"),
        ];
        for (text, wanted) in masked {
            assert_eq!(masker.mask(text), wanted);
        }
        let certificate = "MIIBszCCAVmgAwIBAgIUe2/abcd+QmFzZTY0AAAAAAAAAAAAAAAAAAAAAAAAAA";
        for text in ["abcdef", "xabcd", "x7 of y", certificate] {
            assert_eq!(masker.mask(text), text);
        }
    }

    #[test]
    fn masks_a_key_line_by_line() {
        let mut masker = Masker::default();
        masker.add(Secret::new("BEGIN KEY\nMIIEvQIBAD\n"));
        assert_eq!(masker.mask("+  MIIEvQIBAD"), "+  ********");
    }
}
