//! Regular expressions. The dialect is Rust's: Python's without look-around and back-references.

use super::refuse;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};
use regex::{Regex, RegexBuilder};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("regex_replace", regex_replace);
    env.add_filter("regex_search", regex_search);
    env.add_filter("regex_findall", regex_findall);
    env.add_filter("regex_escape", |text: &str| regex::escape(text));
    env.add_test("regex", |text: &str, pattern: &str| {
        Ok::<_, Error>(compile(pattern, false, false)?.is_match(text))
    });
    env.add_test("search", |text: &str, pattern: &str| {
        Ok::<_, Error>(compile(pattern, false, false)?.is_match(text))
    });
    env.add_test("match", |text: &str, pattern: &str| {
        Ok::<_, Error>(
            compile(pattern, false, false)?
                .find(text)
                .is_some_and(|m| m.start() == 0),
        )
    });
}

fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> Result<Regex, Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignorecase)
        .multi_line(multiline)
        .build()
        .map_err(|e| refuse(format!("`{pattern}` is not a regular expression: {e}")))
}

fn compile_with(pattern: &str, options: &Kwargs) -> Result<Regex, Error> {
    let flag = |name| Ok::<_, Error>(options.get::<Option<bool>>(name)?.unwrap_or(false));
    let regex = compile(pattern, flag("ignorecase")?, flag("multiline")?)?;
    options.assert_all_used()?;
    Ok(regex)
}

/// Python writes `\1` and `\g<name>` where Rust writes `${1}` and `${name}`.
fn replacement(python: &str) -> String {
    let mut out = String::new();
    let mut rest = python.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek().copied()) {
            ('$', _) => out.push_str("$$"),
            ('\\', Some('g')) => {
                rest.next();
                let name: String = rest.by_ref().skip(1).take_while(|c| *c != '>').collect();
                out.push_str(&format!("${{{name}}}"));
            }
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                rest.next();
                out.push_str(&format!("${{{digit}}}"));
            }
            ('\\', Some(next)) => {
                rest.next();
                out.push(next);
            }
            (c, _) => out.push(c),
        }
    }
    out
}

fn regex_replace(
    text: &str,
    pattern: &str,
    by: Option<&str>,
    options: Kwargs,
) -> Result<String, Error> {
    let regex = compile_with(pattern, &options)?;
    Ok(regex
        .replace_all(text, replacement(by.unwrap_or("")))
        .into_owned())
}

/// The first match, or nothing (`none`), as Ansible has it.
fn regex_search(text: &str, pattern: &str, options: Kwargs) -> Result<Value, Error> {
    let regex = compile_with(pattern, &options)?;
    Ok(regex
        .find(text)
        .map_or(Value::from(()), |m| Value::from(m.as_str())))
}

fn regex_findall(text: &str, pattern: &str, options: Kwargs) -> Result<Vec<String>, Error> {
    let regex = compile_with(pattern, &options)?;
    let group = usize::from(regex.captures_len() == 2);
    let found = regex.captures_iter(text);
    Ok(found
        .filter_map(|c| c.get(group).map(|m| m.as_str().to_owned()))
        .collect())
}
