//! `pg_default_privileges`: the bodies of `ALTER DEFAULT PRIVILEGES`, understood, so that they can be compared.

use super::Scene;
use super::entry::entries;
use crate::source::{Diagnostic, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privilege {
    /// A grant, or else a revocation.
    pub grant: bool,
    /// `IN SCHEMA`.
    pub schema: Option<String>,
    /// As `SELECT`, `USAGE`.
    pub privileges: Vec<String>,
    /// `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS`.
    pub objects: String,
    /// Roles; the empty name is PUBLIC.
    pub roles: Vec<String>,
    pub grant_option: bool,
}

/// For whom default privileges are set, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// Whoever makes objects.
    pub creators: Vec<String>,
    pub lines: Vec<Privilege>,
    /// Who may create in `public` and in the database, where the public may not.
    pub admin_role: Option<String>,
}

/// What each kind of object has, as PostgreSQL names it, and its letter in `pg_default_acl`.
const OBJECTS: [(&str, char, &[&str]); 5] = [
    (
        "TABLES",
        'r',
        &[
            "INSERT",
            "SELECT",
            "UPDATE",
            "DELETE",
            "TRUNCATE",
            "REFERENCES",
            "TRIGGER",
            "MAINTAIN",
        ],
    ),
    ("SEQUENCES", 'S', &["SELECT", "UPDATE", "USAGE"]),
    ("FUNCTIONS", 'f', &["EXECUTE"]),
    ("TYPES", 'T', &["USAGE"]),
    ("SCHEMAS", 'n', &["USAGE", "CREATE"]),
];

/// Reads all lines. Roles that nobody declares are left out, so that an inventory with roles of its own needs no lines
/// of its own; in lines that it wrote they are pointed at.
pub(super) fn privileges(
    scene: &Scene<'_>,
    roles: &BTreeSet<String>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Privilege> {
    let written = scene.host.vars.contains("pg_default_privileges");
    let known = |role: &String| role.is_empty() || role.starts_with("pg_") || roles.contains(role);
    let mut lines = Vec::new();
    for entry in entries(scene, "pg_default_privileges") {
        let text = entry.node.as_str().unwrap_or_default();
        match parse(text, scene.version) {
            Ok(mut line) => {
                let unknown = line.roles.iter().find(|role| !known(role));
                problems.extend(
                    unknown
                        .filter(|_| written)
                        .map(|role| stranger(role, &entry.node)),
                );
                line.roles.retain(known);
                lines.extend((!line.roles.is_empty()).then_some(line));
            }
            Err(why) => problems.push(
                Diagnostic::error("bad-default-privilege", format!("`{text}`: {why}"))
                    .at(entry.node.span, "not understood")
                    .help("a line is `GRANT SELECT ON TABLES TO dbrole_readonly`, or `IN SCHEMA x GRANT ...`, or `REVOKE ... FROM ...`"),
            ),
        }
    }
    lines
}

fn stranger(role: &str, node: &Node) -> Diagnostic {
    Diagnostic::warning("unknown-role", format!("`{role}` is declared nowhere"))
        .at(node.span, "left out of this line")
        .help("add it to `pg_users` or `pg_default_roles`")
}

/// Reads `[IN SCHEMA s] GRANT|REVOKE p[, p] ON objects TO|FROM role[, role] [WITH GRANT OPTION]`.
fn parse(text: &str, version: u32) -> Result<Privilege, String> {
    let words = words(text)?;
    let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    let (schema, at) = match upper.as_slice() {
        [a, b, ..] if a == "IN" && b == "SCHEMA" => (words.get(2).map(|s| name(s)), 3),
        _ => (None, 0),
    };
    let grant = match upper.get(at).map(String::as_str) {
        Some("GRANT") => true,
        Some("REVOKE") => false,
        _ => return Err("it begins with neither `GRANT` nor `REVOKE`".to_owned()),
    };
    let rest = &upper[at + 1..];
    let on = position(rest, "ON")?;
    let to = position(rest, if grant { "TO" } else { "FROM" })?;
    let objects = objects(rest.get(on + 1..to).unwrap_or_default())?;
    let mut roles: Vec<String> = words[at + to + 2..].to_vec();
    let grant_option = has_option(&mut roles);
    let roles: Vec<String> = roles
        .iter()
        .filter(|word| *word != ",")
        .map(|word| role(word))
        .collect();
    if roles.is_empty() {
        return Err("it names no role".to_owned());
    }
    Ok(Privilege {
        grant,
        schema,
        privileges: named(&rest[..on], objects, version)?,
        objects: objects.to_owned(),
        roles,
        grant_option,
    })
}

fn position(words: &[String], wanted: &str) -> Result<usize, String> {
    let found = words.iter().position(|word| word == wanted);
    found.ok_or_else(|| format!("`{wanted}` is missing"))
}

fn objects(words: &[String]) -> Result<&'static str, String> {
    let word = words.concat();
    let word = match word.as_str() {
        "ROUTINES" => "FUNCTIONS",
        other => other,
    };
    let found = OBJECTS.iter().find(|(name, _, _)| *name == word);
    found.map(|(name, _, _)| *name).ok_or_else(|| {
        "objects are `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES` or `SCHEMAS`".to_owned()
    })
}

/// The privileges, `ALL` written out.
fn named(words: &[String], objects: &str, version: u32) -> Result<Vec<String>, String> {
    let known = OBJECTS.iter().find(|(name, _, _)| *name == objects);
    let known = known.map_or(&[][..], |(_, _, privileges)| privileges);
    // MAINTAIN came with PostgreSQL 17.
    let there = known
        .iter()
        .filter(|privilege| version >= 17 || **privilege != "MAINTAIN");
    let mut found = Vec::new();
    for word in words
        .iter()
        .filter(|word| !matches!(word.as_str(), "," | "PRIVILEGES"))
    {
        if word == "ALL" {
            found.extend(there.clone().map(|word| (*word).to_owned()));
        } else if known.contains(&word.as_str()) {
            found.push(word.clone());
        } else {
            return Err(format!("`{word}` is no privilege of {objects}"));
        }
    }
    match found.is_empty() {
        true => Err("it names no privilege".to_owned()),
        false => Ok(found),
    }
}

fn has_option(roles: &mut Vec<String>) -> bool {
    let ends = roles.len() > 3
        && roles[roles.len() - 3..]
            .join(" ")
            .eq_ignore_ascii_case("WITH GRANT OPTION");
    if ends {
        roles.truncate(roles.len() - 3);
    }
    ends
}

/// Words, commas and names in double quotes (which keep their quotes).
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim().trim_end_matches(';').trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            ',' => 1,
            '"' => rest[1..]
                .find('"')
                .map(|end| end + 2)
                .ok_or("a quote is not closed")?,
            _ => rest
                .find(|c: char| c.is_whitespace() || c == ',')
                .unwrap_or(rest.len()),
        };
        found.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    Ok(found)
}

/// A name as PostgreSQL stores it: lower case unless quoted.
fn name(word: &str) -> String {
    match word.strip_prefix('"').and_then(|w| w.strip_suffix('"')) {
        Some(quoted) => quoted.to_owned(),
        None => word.to_lowercase(),
    }
}

fn role(word: &str) -> String {
    match word.eq_ignore_ascii_case("PUBLIC") {
        true => String::new(),
        false => name(word),
    }
}

impl Privilege {
    /// The letter of the objects in `pg_default_acl`.
    pub fn letter(&self) -> char {
        let found = OBJECTS.iter().find(|(name, _, _)| *name == self.objects);
        found.map_or('?', |(_, letter, _)| *letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pigsty_writes_and_more() {
        let line = parse("GRANT USAGE      ON SCHEMAS   TO dbrole_readonly", 17).unwrap();
        assert_eq!((line.letter(), line.privileges[0].as_str()), ('n', "USAGE"));
        let line = parse(
            "in schema \"My S\" grant select, update on tables to A, \"B\" with grant option;",
            17,
        )
        .unwrap();
        assert_eq!(line.schema.as_deref(), Some("My S"));
        assert_eq!(line.privileges, ["SELECT", "UPDATE"]);
        assert_eq!(line.roles, ["a", "B"]);
        assert!(line.grant && line.grant_option);
        let line = parse("REVOKE EXECUTE ON ROUTINES FROM PUBLIC", 17).unwrap();
        assert_eq!((line.grant, line.roles[0].as_str()), (false, ""));
        let all = |version| {
            parse("GRANT ALL PRIVILEGES ON TABLES TO x", version)
                .unwrap()
                .privileges
                .len()
        };
        assert_eq!((all(16), all(17)), (7, 8));
    }

    #[test]
    fn says_what_it_does_not_understand() {
        for (text, want) in [
            ("SELECT ON TABLES TO x", "neither"),
            ("GRANT SELECT ON VIEWS TO x", "objects are"),
            ("GRANT EXECUTE ON TABLES TO x", "no privilege of TABLES"),
            ("GRANT SELECT ON TABLES", "`TO` is missing"),
            ("GRANT SELECT ON TABLES TO", "no role"),
            ("GRANT ON TABLES TO x", "no privilege"),
        ] {
            let error = parse(text, 17).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
