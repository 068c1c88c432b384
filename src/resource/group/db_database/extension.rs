//! Extensions: made, moved, updated, dropped. Their scripts are others' code that runs as the superuser.

use crate::command::SEARCH_PATH;
use crate::model::objects::Extension;
use crate::resource::group::live::LiveContent;
use crate::resource::group::settings::Difference;
use crate::resource::group::sql;

/// What differs.
pub(super) fn difference(wanted: &Extension, live: &LiveContent) -> Option<Difference> {
    let what = format!("extension {}", wanted.name);
    let there = live.extensions.get(&wanted.name);
    match (wanted.absent, there) {
        (true, None) => None,
        (true, Some(_)) => Some(Difference::new(
            format!("no {what}"),
            format!("{what}: dropped"),
            format!("DROP EXTENSION IF EXISTS {};\n", sql::name(&wanted.name)),
        )),
        (false, None) => {
            let detail = format!("{what}: made");
            Some(Difference::new(what, detail, made(wanted, None)))
        }
        (false, Some(there)) => {
            let schema = wanted
                .schema
                .as_ref()
                .filter(|wanted| **wanted != there.schema);
            let version = wanted
                .version
                .as_ref()
                .filter(|wanted| **wanted != there.version);
            let schema = schema.map(|schema| format!("schema {} -> {schema}", there.schema));
            let version = version.map(|version| format!("version {} -> {version}", there.version));
            let words: Vec<String> = schema.into_iter().chain(version).collect();
            (!words.is_empty()).then(|| {
                Difference::new(
                    what.clone(),
                    format!("{what}: {}", words.join(", ")),
                    made(wanted, Some(&there.schema)),
                )
            })
        }
    }
}

/// What goes before a script of an extension, which runs as the superuser and looks for names in the extension's schema:
/// nothing there that somebody else made may bear the name of a function or an operator of PostgreSQL's own. Until the
/// transaction ends nobody else makes any.
fn untrapped(wanted: &Extension, schema: &str) -> String {
    if schema == "pg_catalog" {
        return String::new();
    }
    let message = sql::literal(&format!(
        "schema {schema} holds %s, which is named as one of PostgreSQL itself: the script of extension {} would call it as the superuser; drop it, or name another `schema`",
        wanted.name
    ));
    let body = format!(
        "DECLARE trap pg_catalog.text; BEGIN SELECT min(x) INTO trap FROM ({} UNION ALL {}) t(x); \
         IF trap IS NOT NULL THEN RAISE EXCEPTION USING MESSAGE = pg_catalog.format({message}, trap); END IF; END",
        traps("pg_proc", "pro", schema),
        traps("pg_operator", "opr", schema)
    );
    format!(
        "SET LOCAL lock_timeout = '30s';\nLOCK TABLE pg_catalog.pg_proc, pg_catalog.pg_operator IN SHARE ROW EXCLUSIVE MODE;\nDO {};\n",
        sql::literal(&body)
    )
}

fn traps(table: &str, short: &str, schema: &str) -> String {
    format!(
        "SELECT pg_catalog.format('%I of role %I', x.{short}name, r.rolname) FROM pg_catalog.{table} x \
         JOIN pg_catalog.pg_roles r ON r.oid = x.{short}owner \
         WHERE x.{short}namespace = pg_catalog.to_regnamespace({schema}) AND NOT r.rolsuper AND EXISTS (SELECT FROM pg_catalog.{table} o \
         WHERE o.{short}namespace = 'pg_catalog'::pg_catalog.regnamespace AND o.{short}name = x.{short}name)",
        schema = sql::literal(&sql::name(schema))
    )
}

/// Makes an extension, or moves and updates the one that came with the template. Runs again without harm.
fn made(wanted: &Extension, there: Option<&str>) -> String {
    let (name, text) = (sql::name(&wanted.name), sql::literal(&wanted.name));
    let mut create = format!("CREATE EXTENSION IF NOT EXISTS {name}");
    let mut statements = "BEGIN;\n".to_owned();
    // Without a word it goes where objects go that nobody has given a schema.
    let place = there.or(wanted.schema.as_deref()).unwrap_or("public");
    if let Some(schema) = &wanted.schema {
        let quoted = sql::name(schema);
        if schema != "pg_catalog" {
            statements.push_str(&format!("CREATE SCHEMA IF NOT EXISTS {quoted};\n"));
        }
        create.push_str(&format!(" SCHEMA {quoted}"));
    }
    if let Some(version) = &wanted.version {
        create.push_str(&format!(" VERSION {}", sql::literal(version)));
    }
    statements.push_str(&format!(
        "{}SET search_path = {};\n{create} CASCADE;\nSET search_path = {SEARCH_PATH};\n",
        untrapped(wanted, place),
        sql::name(place)
    ));
    if let Some(schema) = &wanted.schema {
        let alter = format!("ALTER EXTENSION {name} SET SCHEMA {}", sql::name(schema));
        statements.push_str(&format!(
            "SELECT {} FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = {text} AND n.nspname <> {} \\gexec\n",
            sql::literal(&alter),
            sql::literal(schema)
        ));
    }
    if let Some(version) = &wanted.version {
        let version = sql::literal(version);
        let alter = format!("ALTER EXTENSION {name} UPDATE TO {version}");
        statements.push_str(&format!(
            "SELECT {} FROM pg_extension WHERE extname = {text} AND extversion <> {version} \\gexec\n",
            sql::literal(&alter)
        ));
    }
    statements.push_str("COMMIT;\n");
    statements
}
