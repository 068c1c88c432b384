//! Parameters that are set for a role or a database (`ALTER ROLE ... SET`, `ALTER DATABASE ... SET`).

use super::live::{Units, setting};
use super::quantity;
use super::sql;

/// One difference, for people, for the title, and as SQL.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// One or two words.
    pub(super) what: String,
    /// From what to what.
    pub(super) detail: String,
    pub(super) sql: String,
}

impl Difference {
    pub(super) fn new(
        what: impl Into<String>,
        detail: impl Into<String>,
        sql: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            detail: detail.into(),
            sql: sql.into(),
        }
    }
}

/// `none` where there is nothing.
pub(super) fn shown(value: Option<&str>) -> &str {
    value.filter(|text| !text.is_empty()).unwrap_or("(none)")
}

/// Parameters whose value is a list of names: one literal each, or PostgreSQL takes the whole for one name.
const LISTS: [&str; 6] = [
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "local_preload_libraries",
    "shared_preload_libraries",
    "unix_socket_directories",
];

/// Those of them whose items are names of objects.
const NAMES: [&str; 2] = ["search_path", "temp_tablespaces"];

/// What differs. `alter` is the statement up to `SET`, as `ALTER ROLE "x"`. Settings that nobody asks for stay.
pub(super) fn differences(
    wanted: &[(String, Option<String>)],
    live: Option<&[String]>,
    alter: &str,
    units: &Units,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (parameter, value) in wanted {
        let now = setting(live, parameter);
        let equal = match (value, now) {
            (None, None) => true,
            (Some(value), Some(now)) => same(parameter, value, now, units),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if equal {
            continue;
        }
        let detail = format!("{parameter}: {} -> {}", shown(now), shown(value.as_deref()));
        let name = dotted(parameter);
        let statement = match value {
            Some(value) => format!("{alter} SET {name} TO {};\n", literals(parameter, value)),
            None => format!("{alter} RESET {name};\n"),
        };
        found.push(Difference::new(parameter.clone(), detail, statement));
    }
    found
}

/// `a.b` with each part quoted.
fn dotted(parameter: &str) -> String {
    let parts: Vec<String> = parameter.split('.').map(sql::name).collect();
    parts.join(".")
}

fn is_list(parameter: &str) -> bool {
    LISTS
        .iter()
        .any(|name| name.eq_ignore_ascii_case(parameter))
}

/// Citus writes values anew when it carries a role to another node: `8MB` becomes `8192`.
fn same(parameter: &str, wanted: &str, now: &str, units: &Units) -> bool {
    let unit = units.get(parameter).map(String::as_str);
    wanted == now
        || (is_list(parameter) && items(parameter, wanted) == items(parameter, now))
        || quantity::same(wanted, now, unit)
}

fn literals(parameter: &str, value: &str) -> String {
    let items = items(parameter, value);
    if !is_list(parameter) || items.is_empty() {
        return sql::literal(value);
    }
    let items: Vec<String> = items.iter().map(|item| sql::literal(item)).collect();
    items.join(", ")
}

/// The items of a list, quotes taken off. Names without quotes are in small letters, as PostgreSQL reads them.
fn items(parameter: &str, text: &str) -> Vec<String> {
    let folds = NAMES
        .iter()
        .any(|name| name.eq_ignore_ascii_case(parameter));
    let mut found = Vec::new();
    let (mut item, mut quote) = (String::new(), None);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (Some(open), _) if c == open && letters.next_if_eq(&open).is_some() => item.push(c),
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => item.push(c),
            (None, '"' | '\'') => quote = Some(c),
            (None, ',') => found.push(std::mem::take(&mut item)),
            (None, _) if c.is_whitespace() => {}
            (None, _) if folds => item.push(c.to_ascii_lowercase()),
            (None, _) => item.push(c),
        }
    }
    found.push(item);
    found.retain(|item| !item.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(parameter: &str, wanted: Option<&str>, live: &[&str]) -> Vec<String> {
        let live: Vec<String> = live.iter().map(|text| (*text).to_owned()).collect();
        let wanted = [(parameter.to_owned(), wanted.map(str::to_owned))];
        let found = differences(&wanted, Some(&live), "ALTER ROLE \"x\"", &units());
        found.into_iter().map(|found| found.sql).collect()
    }

    fn units() -> Units {
        [("work_mem".to_owned(), "kB".to_owned())].into()
    }

    #[test]
    fn sets_resets_and_leaves() {
        assert!(diff("work_mem", Some("4MB"), &["work_mem=4MB"]).is_empty());
        assert!(diff("work_mem", Some("4MB"), &["work_mem=4096"]).is_empty());
        assert!(diff("work_mem", None, &["other=1"]).is_empty());
        assert_eq!(
            diff("work_mem", None, &["work_mem=4MB"]),
            ["ALTER ROLE \"x\" RESET \"work_mem\";\n"]
        );
        assert_eq!(
            diff("a.b", Some("it's"), &[]),
            ["ALTER ROLE \"x\" SET \"a\".\"b\" TO 'it''s';\n"]
        );
    }

    #[test]
    fn lists_are_lists() {
        let stored = ["search_path=\"$user\", public"];
        assert!(diff("search_path", Some("\"$user\",public"), &stored).is_empty());
        assert_eq!(
            diff("search_path", Some("app, public"), &stored),
            ["ALTER ROLE \"x\" SET \"search_path\" TO 'app', 'public';\n"]
        );
        // As PostgreSQL keeps and reads names: in small letters unless in quotes.
        let stored = ["search_path=\"My App\", app, \"a\"\"b\""];
        let same = |text: &str| diff("search_path", Some(text), &stored).is_empty();
        assert!(same("\"My App\",APP, \"a\"\"b\"") && !same("\"my app\", app, \"a\"\"b\""));
        let libraries = "session_preload_libraries";
        assert!(!diff(libraries, Some("Lib"), &["session_preload_libraries=lib"]).is_empty());
    }
}
