//! Secrets: values that no formatter prints, and texts that ansible-vault encrypted.

pub mod vault;

use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;

/// A secret string. It has no `Display`, its `Debug` says nothing, and it is wiped when dropped.
#[derive(Clone)]
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
    /// Secrets shorter than this are not searched for: they would blank ordinary words.
    const SHORTEST: usize = 4;
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

    /// Adds a secret. Short ones are left out, and longer ones are replaced first. One of several lines is also
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
        if secret.expose().len() >= Self::SHORTEST && !self.needles.contains(&secret) {
            self.needles.push(secret);
            self.needles
                .sort_by_key(|needle| std::cmp::Reverse(needle.expose().len()));
        }
    }

    /// The text with every known secret replaced by [`MASK`].
    pub fn mask(&self, text: &str) -> String {
        self.needles.iter().fold(text.to_owned(), |text, needle| {
            match self.names.contains(needle.expose()) {
                true => announced(&text, needle),
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
        format!("{open}{}", rest.replace(secret.expose(), MASK))
    };
    text.split_inclusive('\n').map(masked).collect()
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
            "listen pg-test-primary\n  - { name: test, password: ********, comment: ********s ******** }\ntest\n"
        );
    }

    #[test]
    fn masks_a_key_line_by_line() {
        let mut masker = Masker::default();
        masker.add(Secret::new("BEGIN KEY\nMIIEvQIBAD\n"));
        assert_eq!(masker.mask("+  MIIEvQIBAD"), "+  ********");
    }
}
