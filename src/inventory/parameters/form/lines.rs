//! Forms that are lines of files that others read.

use super::names;
use std::net::IpAddr;

/// The first word must be one of these, and another must follow.
pub(super) fn begins(text: &str, words: &[&str]) -> Option<String> {
    let mut parts = text.split_whitespace();
    let first = parts.next().unwrap_or_default();
    match (words.contains(&first), parts.next()) {
        (true, Some(_)) => None,
        (true, None) => Some(format!("nothing follows `{first}`")),
        (false, _) => Some(format!("it begins with `{first}`")),
    }
}

const NAMED_TIMES: [&str; 8] = [
    "@reboot",
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Three letters of names of months and days, which cron takes instead of numbers.
const NAMED_FIELDS: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "sun",
    "mon", "tue", "wed", "thu", "fri", "sat",
];

/// Accounts that are never the first word of a command.
const ACCOUNTS: [&str; 4] = ["root", "postgres", "nobody", "www-data"];

/// A line of a crontab, with a user or without. Comments and variables are lines, too.
pub(super) fn cron(text: &str, with_user: bool) -> Option<String> {
    let line = text.trim_start();
    if line != text {
        return Some("it begins with a blank".to_owned());
    }
    if line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let first = words.first()?;
    let times = if first.starts_with('@') { 1 } else { 5 };
    if times == 5 && is_variable(line) {
        return (!with_user).then(|| "it sets a variable, which holds for all lines".to_owned());
    }
    if times == 1 && !NAMED_TIMES.contains(first) {
        return Some(format!(
            "`{first}` is no time: there are {}",
            NAMED_TIMES.join(", ")
        ));
    }
    let odd = words
        .iter()
        .take(times)
        .filter(|_| times == 5)
        .find(|word| !is_time(word));
    if let Some(odd) = odd {
        return Some(format!("`{odd}` is no time of cron"));
    }
    let next = words.get(times).copied();
    match (next, with_user) {
        (None, _) => Some("it has no command".to_owned()),
        (Some(user), true) => user_of(user, words.len() > times + 1),
        (Some(user), false) if ACCOUNTS.contains(&user) && words.len() > times + 1 => Some(
            format!("it names the user `{user}`, where the command begins"),
        ),
        (Some(_), false) => None,
    }
}

fn user_of(user: &str, has_command: bool) -> Option<String> {
    if let Some(why) = names::account(user) {
        return Some(format!(
            "`{user}` is no user, who comes before the command: {why}"
        ));
    }
    (!has_command).then(|| format!("no command follows `{user}`, which is taken for the user"))
}

/// `NAME=VALUE`, which cron reads as a variable.
fn is_variable(line: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "_ \t".contains(c);
    line.split_once('=').is_some_and(|(before, _)| {
        before.chars().all(name)
            && before.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}

/// Numbers, `*`, ranges, steps, lists and three letters of months and days.
fn is_time(word: &str) -> bool {
    let part = |part: &str| {
        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        part == "*" || digits || NAMED_FIELDS.contains(&part.to_ascii_lowercase().as_str())
    };
    let item = |item: &str| item.split(['-', '/', '~']).all(part);
    word.split(',').all(item)
}

pub(super) fn hosts(text: &str) -> Option<String> {
    let record = text.split('#').next().unwrap_or_default();
    let mut words = record.split_whitespace();
    let address = words.next()?;
    if address.parse::<IpAddr>().is_err() {
        return Some(format!("`{address}` is no address"));
    }
    let names: Vec<&str> = words.collect();
    match names.is_empty() {
        true => Some(format!("no name follows `{address}`")),
        false => names
            .into_iter()
            .find_map(|name| names::host(name).map(|why| format!("`{name}`: {why}"))),
    }
}

/// Options may come before the kind of the key.
pub(super) fn public_key(text: &str) -> Option<String> {
    let kinds = ["ssh-", "ecdsa-", "sk-"];
    let mut words = text.split_whitespace();
    let kind = words.find(|word| kinds.iter().any(|kind| word.starts_with(kind)));
    match (kind, words.next()) {
        (Some(_), Some(_)) => None,
        (Some(kind), None) => Some(format!("nothing follows `{kind}`")),
        (None, _) => Some("it names no kind of key".to_owned()),
    }
}

/// A path is one line without what would end the options of its repository.
pub(super) fn key(text: &str) -> Option<String> {
    if !text.starts_with('/') {
        return None;
    }
    path(text.trim_end())
}

/// What an absolute path may hold: neither blanks nor quotes, so that it is one word everywhere, and no way up.
pub(super) fn path(text: &str) -> Option<String> {
    if text.split('/').any(|part| part == "..") {
        return Some("it holds `..`".to_owned());
    }
    names::of(text, "_-./@:+,=~")
}

pub(super) fn url(text: &str) -> Option<String> {
    let first = text.split_whitespace().next().unwrap_or_default();
    match first.contains(":/") || first.starts_with('[') {
        true => None,
        false => Some(format!("`{first}` is no URL")),
    }
}

pub(super) fn http_path(text: &str) -> Option<String> {
    if !text.starts_with('/') {
        return Some("it does not begin with `/`".to_owned());
    }
    names::of(text, "_-./?&=%~:+,@")
}

/// Characters that begin a comment or something quoted, or escape another.
const HAPROXY_SPECIAL: [char; 4] = ['#', '"', '\'', '\\'];

pub(super) fn haproxy_words(text: &str) -> Option<String> {
    let odd = text.chars().find(|c| HAPROXY_SPECIAL.contains(c))?;
    Some(format!("`{odd}` may not stand in it"))
}

/// Words that begin a section, which would end the one that the line is meant for.
const SECTIONS: [&str; 19] = [
    "global",
    "defaults",
    "listen",
    "frontend",
    "backend",
    "userlist",
    "peers",
    "program",
    "resolvers",
    "mailers",
    "cache",
    "ring",
    "http-errors",
    "fcgi-app",
    "log-forward",
    "log-profile",
    "crt-store",
    "traces",
    "acme",
];

pub(super) fn haproxy_line(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    match SECTIONS.contains(&first) || first.starts_with('.') {
        true => Some(format!("`{first}` begins another section of the file")),
        false => open_quote(text),
    }
}

/// A quote that is not closed takes the next line in; so does a backslash at the end.
fn open_quote(text: &str) -> Option<String> {
    let mut open: Option<char> = None;
    let mut escaped = false;
    for c in text.chars() {
        match (open, c) {
            (_, _) if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '#') => break,
            (None, '"' | '\'') => open = Some(c),
            (Some(quote), _) if quote == c => open = None,
            (None | Some(_), _) => {}
        }
    }
    match (open, escaped) {
        (Some(quote), _) => Some(format!("`{quote}` is not closed")),
        (None, true) => Some("it ends with a backslash".to_owned()),
        (None, false) => None,
    }
}

/// A whole number, or one with a unit right behind it.
pub(super) fn time(text: &str, units: &[&str]) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    match !number.is_empty() && (unit.is_empty() || units.contains(&unit)) {
        true => None,
        false => Some(format!("units are {}", units.join(", "))),
    }
}
