//! The record of databases that were made: one that is gone is not one that never was. It lies in the cluster itself, as a setting of the
//! database `postgres`, so every standby has it, and a restored copy has it as of its time.

use super::Refusal;
use crate::resource::group::live::{Live, setting};
use crate::resource::group::settings::Difference;
use crate::resource::group::sql;

/// The setting: names as an array of JSON.
const RECORD: &str = "citusctl.databases";

/// Whether a database was there once.
pub(super) fn holds(live: &Live, name: &str) -> bool {
    let settings = live
        .databases
        .get("postgres")
        .map(|db| db.settings.as_deref());
    let text = settings.and_then(|settings| setting(settings, RECORD));
    let names = text.and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
    names.is_some_and(|names| names.iter().any(|known| known == name))
}

/// Why a database is not made again without a word.
pub(super) fn lost(name: &str) -> Refusal {
    (
        format!("database {name} was there and is gone: it would be created again, empty"),
        "restore it from a backup; or `-e pg_recreate_databases=true` creates it empty; or take it out of `pg_databases`".to_owned(),
    )
}

/// What is missing of a database that was made before there was a record.
pub(super) fn difference(live: &Live, name: &str) -> Option<Difference> {
    (!holds(live, name))
        .then(|| Difference::new("record", "recorded as a database that is there", add(name)))
}

/// SQL: notes a database.
pub(super) fn add(name: &str) -> String {
    write(&format!(
        "SELECT n FROM names UNION SELECT {}",
        sql::literal(name)
    ))
}

/// SQL: forgets one.
pub(super) fn forget(name: &str) -> String {
    write(&format!(
        "SELECT n FROM names WHERE n <> {}",
        sql::literal(name)
    ))
}

/// The names are read when it runs: other databases are noted in the same run.
fn write(names: &str) -> String {
    format!(
        "WITH held AS (SELECT substr(c, length('{RECORD}=') + 1) AS v FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, \
         unnest(s.setconfig) c WHERE d.datname = 'postgres' AND s.setrole = 0 AND starts_with(c, '{RECORD}=')),\n\
         names AS (SELECT json_array_elements_text(v::json) AS n FROM held)\n\
         SELECT format('ALTER DATABASE postgres SET {RECORD} TO %L', (SELECT coalesce(json_agg(x.n ORDER BY x.n), '[]')::text FROM ({names}) x)) \\gexec\n"
    )
}
