//! The mask for texts: every known secret in them is replaced, in one pass however many there are.

use super::Secret;
use aho_corasick::AhoCorasick;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// Replaces secrets in text that is about to be shown, logged or journaled.
#[derive(Clone, Default)]
pub struct Masker {
    needles: BTreeSet<Needle>,
    names: BTreeSet<String>,
    /// Made at the first text, and again after another secret was added.
    finder: OnceLock<Arc<Finder>>,
}

/// A secret that is looked for. The longest come first.
#[derive(Clone, PartialEq)]
struct Needle(Secret);

impl Needle {
    fn text(&self) -> &str {
        self.0.expose()
    }
}

impl Eq for Needle {}

impl Ord for Needle {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (a, b) = (self.text(), other.text());
        b.len().cmp(&a.len()).then_with(|| a.cmp(b))
    }
}

impl PartialOrd for Needle {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
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
            names,
            ..Self::default()
        }
    }

    /// All that it knows, the longest first.
    pub fn each(&self) -> impl Iterator<Item = &Secret> {
        self.needles.iter().map(|needle| &needle.0)
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
        if !secret.expose().trim().is_empty() && self.needles.insert(Needle(secret)) {
            self.finder = OnceLock::new();
        }
    }

    /// The text with every known secret replaced by [`MASK`].
    pub fn mask(&self, text: &str) -> String {
        let finder = self.finder.get_or_init(|| Arc::new(Finder::of(self)));
        finder.few(finder.long(text))
    }

    fn is_announced(&self, needle: &str) -> bool {
        self.names.contains(needle) || needle.len() < Self::WORD
    }
}

/// Secrets as one automaton for each way of looking.
struct Finder {
    /// Those that are replaced wherever they stand. `None`: they are too many for an automaton.
    anywhere: Option<AhoCorasick>,
    long: Vec<Needle>,
    /// Which of the others stand in a text. `None`: as above, any may.
    others: Option<AhoCorasick>,
    /// The others, the longest first, and whether each must be announced.
    few: Vec<(Needle, bool)>,
}

impl Finder {
    fn of(masker: &Masker) -> Self {
        let is_long = |needle: &&Needle| {
            let text = needle.text();
            text.len() >= Masker::ANYWHERE && !masker.is_announced(text)
        };
        let (long, few): (Vec<&Needle>, Vec<&Needle>) = masker.needles.iter().partition(is_long);
        let texts = |needles: &[&Needle]| {
            let texts = needles.iter().map(|needle| needle.text());
            AhoCorasick::new(texts).ok()
        };
        Self {
            anywhere: texts(&long),
            long: long.into_iter().cloned().collect(),
            others: texts(&few),
            few: few
                .into_iter()
                .map(|needle| (needle.clone(), masker.is_announced(needle.text())))
                .collect(),
        }
    }

    /// Places that overlap are one: no part of the longer or of the shorter secret is left over.
    fn long(&self, text: &str) -> String {
        let Some(finder) = &self.anywhere else {
            let each = self.long.iter();
            return each.fold(text.to_owned(), |text, needle| {
                text.replace(needle.text(), MASK)
            });
        };
        let found = finder.find_overlapping_iter(text);
        let mut places: Vec<(usize, usize)> = found.map(|at| (at.start(), at.end())).collect();
        places.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in places {
            if start >= done {
                out.push_str(&text[done..start]);
                out.push_str(MASK);
            }
            done = done.max(end);
        }
        out.push_str(&text[done..]);
        out
    }

    /// Short secrets and those that are names depend on what stands around them.
    fn few(&self, text: String) -> String {
        let found: BTreeSet<usize> = match &self.others {
            Some(finder) => {
                let found = finder.find_overlapping_iter(&text);
                found.map(|at| at.pattern().as_usize()).collect()
            }
            None => (0..self.few.len()).collect(),
        };
        let found = found.into_iter().filter_map(|at| self.few.get(at));
        found.fold(
            text.clone(),
            |text, (needle, announcing)| match announcing {
                true => announced(&text, &needle.0),
                false => words(&text, needle.text()),
            },
        )
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

    /// Neither of two secrets of which one begins inside the other shows its rest.
    #[test]
    fn secrets_that_overlap_are_masked_as_one() {
        let mut masker = Masker::default();
        masker.add(Secret::new("first-secret-half"));
        masker.add(Secret::new("half-of-the-second-one"));
        masker.add(Secret::new("secret-h"));
        let text = "a first-secret-half-of-the-second-one b first-secret-halfsecret-h";
        assert_eq!(masker.mask(text), "a ******** b ****************");
    }

    #[test]
    fn a_secret_that_is_added_later_is_masked_too() {
        let mut masker = Masker::default();
        masker.add(Secret::new("the-first-one"));
        assert_eq!(
            masker.mask("the-first-one the-second-one"),
            "******** the-second-one"
        );
        masker.add(Secret::new("the-second-one"));
        assert_eq!(
            masker.mask("the-first-one the-second-one"),
            "******** ********"
        );
    }
}
