//! Forms that are names, addresses and lists of these.

use std::net::IpAddr;

/// The first character that is neither letter nor digit (of ASCII) nor one of these.
pub(super) fn of(text: &str, others: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    let odd = text.chars().find(|c| !fine(*c))?;
    Some(may_not(odd))
}

/// A parameter of PostgreSQL: each part of its name begins with a letter (`valid_custom_variable_name` of guc.c).
pub(super) fn setting(text: &str) -> Option<String> {
    let begins = |part: &&str| !part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let odd = || text.split('.').find(begins);
    of(text, "_.$").or_else(|| Some(format!("`{}` does not begin with a letter", odd()?)))
}

fn may_not(odd: char) -> String {
    match odd {
        ' ' => "a blank may not stand in it".to_owned(),
        '\t' => "a tab may not stand in it".to_owned(),
        odd => format!("`{odd}` may not stand in it"),
    }
}

/// What programs would take for an option.
pub(super) fn dashed(text: &str) -> Option<String> {
    text.starts_with('-')
        .then(|| "it begins with `-`".to_owned())
}

pub(super) fn too_long(text: &str, most: usize) -> Option<String> {
    let length = text.len();
    (length > most).then(|| format!("it has {length} bytes, and {most} are kept"))
}

/// As `useradd` and sudo take them.
pub(super) fn account(text: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if let Some(odd) = text.chars().find(|c| !fine(*c)) {
        return Some(may_not(odd));
    }
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    match begins {
        false => Some("it begins neither with a letter nor with `_`".to_owned()),
        true => too_long(text, 32),
    }
}

pub(super) fn file(text: &str) -> Option<String> {
    if text.starts_with('.') {
        return Some("it begins with `.`".to_owned());
    }
    of(text, "_.-")
        .or_else(|| dashed(text))
        .or_else(|| too_long(text, 100))
}

/// Linux keeps 15 bytes.
pub(super) fn interface(text: &str) -> Option<String> {
    of(text, "_.-")
        .or_else(|| dashed(text))
        .or_else(|| too_long(text, 15))
}

pub(super) fn host(text: &str) -> Option<String> {
    if text.parse::<IpAddr>().is_ok() {
        return None;
    }
    of(text, "_.-").or_else(|| dashed(text))
}

/// `*`, addresses, host names.
pub(super) fn listen(text: &str) -> Option<String> {
    let items = text.split(',').map(str::trim);
    items
        .filter(|item| !matches!(*item, "*" | "localhost"))
        .find_map(|item| {
            let wrong = item.parse::<IpAddr>().is_err();
            wrong.then(|| format!("`{item}` is no address"))
        })
}

pub(super) fn bind(text: &str) -> Option<String> {
    match text == "*" || text.parse::<IpAddr>().is_ok() {
        true => None,
        false => Some(format!("`{text}` is no address")),
    }
}

pub(super) fn login(text: &str) -> Option<String> {
    let odd = text.chars().find(|c| c.is_whitespace() || *c == ':')?;
    Some(may_not(odd))
}

pub(super) fn zone(text: &str) -> Option<String> {
    if text.starts_with('/') || text.split('/').any(|part| part.starts_with('.')) {
        return Some("it leads out of the directory of time zones".to_owned());
    }
    of(text, "_-+/").or_else(|| dashed(text))
}

/// Names and aliases; which of them are packages is judged where aliases are known.
pub(super) fn packages(text: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "+-._:=~/$*, \t\n".contains(c);
    if let Some(odd) = text.chars().find(|c| !fine(*c)) {
        return Some(may_not(odd));
    }
    let words = text.split([' ', ',', '\t', '\n']);
    words.into_iter().find_map(dashed)
}
