//! What people may see of a file with secrets in it: the lines that hold none. Those of the new content are known from a
//! rendering without secrets; what the old content held nobody knows, so its lines are judged by how they begin.

use crate::secret::MASK;
use std::collections::BTreeMap;

/// Words that stand before a secret in a configuration.
const WORDS: [&str; 5] = ["password", "passwd", "passphrase", "secret", "auth_pass"];

/// The old and the new content to show. `masked` is the new one rendered without its secrets; `None` where that does
/// not fit: then nothing can be shown.
pub(super) fn hide(before: &str, after: &str, masked: &str) -> Option<(String, String)> {
    let real: Vec<&str> = after.lines().collect();
    let shown: Vec<&str> = masked.lines().collect();
    if real.len() != shown.len() {
        return None;
    }
    let pairs = || real.iter().copied().zip(shown.iter().copied());
    let known: BTreeMap<&str, &str> = pairs().collect();
    let starts: Vec<&str> = pairs()
        .filter(|(real, shown)| real != shown)
        .map(|(real, shown)| common_start(real, shown))
        .filter(|start| !start.trim().is_empty())
        .collect();
    let old = before.lines().map(|line| match known.get(line) {
        Some(shown) => (*shown).to_owned(),
        None => old_line(line, &starts),
    });
    Some((joined(old), masked.to_owned()))
}

/// An old content alone, of a file that not everybody may read.
pub(super) fn hide_old(before: &str) -> String {
    joined(before.lines().map(|line| old_line(line, &[])))
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

fn old_line(line: &str, starts: &[&str]) -> String {
    let start = starts.iter().find(|start| line.starts_with(**start));
    match start.copied().or_else(|| up_to_secret(line)) {
        Some(start) => format!("{start}{MASK} (as it was)"),
        None => line.to_owned(),
    }
}

/// What the two have in common, but no part of a quote.
fn common_start<'a>(real: &'a str, shown: &str) -> &'a str {
    let same = real.chars().zip(shown.chars()).take_while(|(a, b)| a == b);
    let bytes: usize = same.map(|(a, _)| a.len_utf8()).sum();
    real[..bytes].trim_end_matches(['\'', '"'])
}

/// The part of a line in front of what a telling word announces.
fn up_to_secret(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    let ends = WORDS
        .iter()
        .filter_map(|word| Some(lower.find(word)? + word.len()));
    let end = ends.min()?;
    let rest = &line[end..];
    let value = rest.trim_start_matches([':', '=', ' ', '\t', '"']);
    let announced = value.len() < rest.len() && !value.is_empty();
    announced.then(|| &line[..line.len() - value.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_old_nor_the_new_secret_is_shown() {
        let old = "a: 1\npassword: 'it''s old'\nauth: \"u:old\"\nb: 2\n";
        let new = "a: 2\npassword: 'it''s new'\nauth: \"u:new\"\nb: 2\n";
        let masked = format!("a: 2\npassword: '{MASK}'\nauth: '{MASK}'\nb: 2\n");
        let (before, after) = hide(old, new, &masked).unwrap();
        assert_eq!(
            before,
            format!("a: 1\npassword: {MASK} (as it was)\nauth: {MASK} (as it was)\nb: 2\n")
        );
        assert_eq!(after, masked);
        assert_eq!(hide(old, "one\n", "two\nlines\n"), None);
    }

    #[test]
    fn a_secret_that_is_wanted_no_more_is_not_shown_either() {
        let old =
            "    user admin insecure-password 'x y' groups admin\nuse_pg_rewind: true\npassword:\n";
        assert_eq!(
            hide_old(old),
            format!(
                "    user admin insecure-password {MASK} (as it was)\nuse_pg_rewind: true\npassword:\n"
            )
        );
    }

    #[test]
    fn a_line_that_stays_is_shown_as_the_new_one_is() {
        let text = "password: p4ss\n";
        let masked = format!("password: {MASK}\n");
        let (before, after) = hide(text, text, &masked).unwrap();
        assert_eq!(before, after);
    }
}
