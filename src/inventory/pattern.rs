//! The grammar of host patterns: `web,&prod,!db[0]`.

use super::error::PatternError;

/// How a part changes the selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartMode {
    Add,
    Keep,
    Drop,
}

/// Which of the hosts that a name stands for: all, one, or a range with both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subscript {
    All,
    One(i64),
    Range(Option<i64>, Option<i64>),
}

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternPart {
    pub(super) mode: PartMode,
    pub(super) name: String,
    pub(super) subscript: Subscript,
}

/// The parts in the order they act: additions, then `&`, then `!`.
pub(super) fn parse(pattern: &str) -> Result<Vec<PatternPart>, PatternError> {
    let words = split(pattern);
    let mut parts = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        parts.push(part(pattern, word)?);
    }
    if parts.is_empty() {
        return Err(PatternError::Empty {
            pattern: pattern.to_owned(),
        });
    }
    parts.sort_by_key(|part| part.mode as u8);
    Ok(parts)
}

/// At commas; at colons when there is no comma, unless the word is an IPv6 address. Brackets
/// keep their colons.
fn split(pattern: &str) -> Vec<String> {
    if pattern.contains(',') {
        return split_at(pattern, ',');
    }
    let address = pattern.trim_start_matches(['!', '&']);
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return vec![pattern.to_owned()];
    }
    split_at(pattern, ':')
}

fn split_at(pattern: &str, separator: char) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut depth = 0_u32;
    for c in pattern.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == separator && depth == 0 {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.iter().map(|word| word.trim().to_owned()).collect()
}

fn part(pattern: &str, word: &str) -> Result<PatternPart, PatternError> {
    let (mode, name) = match (word.strip_prefix('!'), word.strip_prefix('&')) {
        (Some(name), _) => (PartMode::Drop, name),
        (_, Some(name)) => (PartMode::Keep, name),
        (None, None) => (PartMode::Add, word),
    };
    let syntax = |reason| PatternError::Syntax {
        pattern: pattern.to_owned(),
        part: word.to_owned(),
        reason,
    };
    if name.is_empty() {
        return Err(syntax("a name is missing"));
    }
    if name.starts_with('~') {
        return Err(syntax(
            "regular expressions are not supported; use `*` and `?`",
        ));
    }
    let (name, subscript) = subscript(name).map_err(syntax)?;
    Ok(PatternPart {
        mode,
        name: name.to_owned(),
        subscript,
    })
}

/// `web[0]`, `web[-1]`, `web[0:2]`, `web[1:]`; a glob's `[ab]` stays with the name.
fn subscript(name: &str) -> Result<(&str, Subscript), &'static str> {
    let opened = name.rfind('[').filter(|_| name.ends_with(']'));
    if name.contains('[') && !name.contains(']') {
        return Err("a `[` is not closed");
    }
    let Some(open) = opened else {
        return Ok((name, Subscript::All));
    };
    let (head, body) = (&name[..open], &name[open + 1..name.len() - 1]);
    let number = |text: &str| text.parse::<i64>().ok();
    match body.split_once(':').or_else(|| body.split_once('-')) {
        _ if number(body).is_some() => {
            Ok((head, number(body).map_or(Subscript::All, Subscript::One)))
        }
        Some((from, to)) if is_bound(from) && is_bound(to) => {
            Ok((head, Subscript::Range(number(from), number(to))))
        }
        _ => Ok((name, Subscript::All)),
    }
}

fn is_bound(text: &str) -> bool {
    text.is_empty() || text.parse::<i64>().is_ok()
}
