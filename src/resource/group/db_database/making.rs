//! The steps: make the database, what is inside of it, what it is; or drop it.

use super::{Found, record};
use crate::model::objects::Database;
use crate::resource::group::settings::Difference;
use crate::resource::group::{PgAccess, sql};

/// Says whether the baseline has been run, as a setting of the database.
pub(super) const MARK: &str = "citusctl.baseline";
/// The database has been made, and its baseline not yet run.
pub(super) const PENDING: &str = "pending";

/// Everything in order. Each statement may run again.
pub(super) fn script(
    database: &Database,
    access: &PgAccess,
    make: bool,
    found: &Found,
    baseline: Option<String>,
) -> String {
    let name = &database.name;
    let mut first = sql::HERE_ONLY.to_owned();
    if make {
        first.push_str(&create(database, baseline.is_some()));
    }
    first.push_str(&texts(&found.before));
    let mut script = sql::psql(access, "postgres", &first);
    if !found.inside.is_empty() {
        let text = format!("{}{}", sql::HERE_ONLY, texts(&found.inside));
        script.push_str(&sql::psql(access, name, &text));
    }
    if let Some(text) = baseline {
        // What it makes is meant for the whole formation.
        script.push_str(&sql::script(access, name, &text, &search_path(database)));
        script.push_str(&sql::psql(access, "postgres", &mark(name, "done")));
    }
    if !found.after.is_empty() {
        let text = format!("{}{}", sql::HERE_ONLY, texts(&found.after));
        script.push_str(&sql::psql(access, "postgres", &text));
    }
    script
}

/// Where a baseline looks for names: where sessions of the database will, as far as its entry says.
fn search_path(database: &Database) -> String {
    let settings = database.settings.iter();
    let mut parameters = settings.flat_map(|settings| &settings.parameters);
    let stated = parameters.find(|(name, _)| name.eq_ignore_ascii_case("search_path"));
    let stated = stated.and_then(|(_, value)| value.clone());
    stated.unwrap_or_else(|| "public".to_owned())
}

fn texts(found: &[Difference]) -> String {
    found.iter().map(|found| found.sql.as_str()).collect()
}

fn mark(name: &str, value: &str) -> String {
    format!(
        "{}ALTER DATABASE {} SET {MARK} TO {};\n",
        sql::HERE_ONLY,
        sql::name(name),
        sql::literal(value)
    )
}

/// `CREATE DATABASE` if it is not there by now. It cannot be part of a transaction.
fn create(database: &Database, pending: bool) -> String {
    let name = sql::name(&database.name);
    let mut statement = format!("CREATE DATABASE {name}");
    let settings = database.settings.as_ref();
    let words = settings.map(|settings| settings.making.iter().chain(&settings.fixed));
    for (word, value) in words.into_iter().flatten() {
        let value = match word.as_str() {
            "TEMPLATE" | "TABLESPACE" | "STRATEGY" | "LOCALE_PROVIDER" => sql::name(value),
            _ => sql::literal(value),
        };
        statement.push_str(&format!(" {word} {value}"));
    }
    let mut text = format!(
        "SELECT {} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {}) \\gexec\n",
        sql::literal(&statement),
        sql::literal(&database.name)
    );
    text.push_str(&record::add(&database.name));
    if pending {
        text.push_str(&mark(&database.name, PENDING));
    }
    text
}

/// Ends the sessions and drops it. A template has to be none first.
pub(super) fn drop(name: &str, access: &PgAccess) -> String {
    let (quoted, text) = (sql::name(name), sql::literal(name));
    let unmarked = sql::literal(&format!("ALTER DATABASE {quoted} WITH IS_TEMPLATE false"));
    let statements = format!(
        "{}SELECT {unmarked} FROM pg_database WHERE datname = {text} AND datistemplate \\gexec\n\
         DROP DATABASE IF EXISTS {quoted} WITH (FORCE);\n{}",
        sql::HERE_ONLY,
        record::forget(name)
    );
    sql::psql(access, "postgres", &statements)
}
