//! What a database is.

use super::Refusal;
use crate::model::objects::{Database, Settings};
use crate::resource::group::live::{Acl, LiveDatabase, Units};
use crate::resource::group::settings::{self, Difference, shown};
use crate::resource::group::sql;

/// What cannot be changed and is not as wanted: never ignored, and never mended by destroying.
pub(super) fn fixed(name: &str, wanted: &Settings, there: &LiveDatabase) -> Result<(), Refusal> {
    for (word, value) in &wanted.fixed {
        let is = current(word, there);
        if is.iter().all(|is| same(word, value, is)) {
            continue;
        }
        let reason = format!(
            "database {name} has {} {}, not {value}, and that cannot be changed",
            word.to_lowercase(),
            is.join("/")
        );
        let hint = format!(
            "write what it has (`{}`); or dump it, apply once with `state: absent`, once without, and load it again; \
             `--skip-tags pg_db` leaves databases alone",
            word.to_lowercase()
        );
        return Err((reason, hint));
    }
    Ok(())
}

/// The values that one word of `CREATE DATABASE` sets; empty where they cannot be told.
fn current(word: &str, there: &LiveDatabase) -> Vec<String> {
    let provided = || there.locale.clone().into_iter().collect();
    match word {
        "ENCODING" => vec![there.encoding.clone()],
        "LOCALE" => vec![there.collate.clone(), there.ctype.clone()],
        "LC_COLLATE" => vec![there.collate.clone()],
        "LC_CTYPE" => vec![there.ctype.clone()],
        "ICU_LOCALE" | "BUILTIN_LOCALE" => provided(),
        "TABLESPACE" => vec![there.tablespace.clone()],
        "LOCALE_PROVIDER" => {
            let name = match there.provider.as_deref() {
                Some("i") => "icu",
                Some("b") => "builtin",
                Some(_) | None => "libc",
            };
            vec![name.to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Names of encodings and locales are spelt in many ways: `UTF8` and `utf-8`, `en_US.UTF-8` and `en_US.utf8`.
fn same(word: &str, wanted: &str, is: &str) -> bool {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
        kept.collect::<String>().to_lowercase()
    };
    match word {
        "TABLESPACE" => wanted == is,
        "ENCODING" if plain(wanted) == "unicode" => plain(is) == "utf8",
        _ => plain(wanted) == plain(is),
    }
}

/// What differs before the content is looked after, and after it. A database that is not there differs from a fresh one.
pub(super) fn differences(
    database: &Database,
    wanted: &Settings,
    there: Option<&LiveDatabase>,
    units: &Units,
) -> (Vec<Difference>, Vec<Difference>) {
    let alter = format!("ALTER DATABASE {}", sql::name(&database.name));
    let mut before: Vec<Difference> = comment(database, wanted, there).into_iter().collect();
    before.extend(settings::differences(
        &wanted.parameters,
        there.and_then(|there| there.settings.as_deref()),
        &alter,
        units,
    ));
    before.extend(rights(database, wanted, there));
    let now = there.map_or((true, false, -1), |there| {
        (there.allowconn, there.template, there.connlimit)
    });
    let rows = [
        (
            "allowconn",
            "ALLOW_CONNECTIONS",
            now.0.to_string(),
            wanted.allowconn.to_string(),
        ),
        (
            "is_template",
            "IS_TEMPLATE",
            now.1.to_string(),
            wanted.is_template.to_string(),
        ),
        (
            "connlimit",
            "CONNECTION LIMIT",
            now.2.to_string(),
            wanted.connlimit.to_string(),
        ),
    ];
    // Nobody owns it before extensions and baselines have run in it.
    let mut after: Vec<Difference> = owner(wanted, there, &alter).into_iter().collect();
    for (what, word, is, wanted) in rows {
        if is != wanted {
            let found = Difference::new(
                what,
                format!("{what}: {is} -> {wanted}"),
                format!("{alter} WITH {word} {wanted};\n"),
            );
            // A door that is to be opened is opened first.
            match (what, wanted.as_str()) {
                ("allowconn", "true") => before.insert(0, found),
                _ => after.push(found),
            }
        }
    }
    (before, after)
}

fn owner(wanted: &Settings, there: Option<&LiveDatabase>, alter: &str) -> Option<Difference> {
    let owner = super::owner_of(wanted)?;
    let is = there.map(|there| there.owner.as_str());
    (is != Some(owner)).then(|| {
        Difference::new(
            "owner",
            format!("owner: {} -> {owner}", shown(is)),
            format!("{alter} OWNER TO {};\n", sql::name(owner)),
        )
    })
}

fn comment(
    database: &Database,
    wanted: &Settings,
    there: Option<&LiveDatabase>,
) -> Option<Difference> {
    let text = wanted.comment.as_deref()?;
    let is = there.and_then(|there| there.comment.as_deref());
    (text != is.unwrap_or_default()).then(|| {
        Difference::new(
            "comment",
            format!("comment: {} -> {}", shown(is), shown(Some(text))),
            format!(
                "COMMENT ON DATABASE {} IS {};\n",
                super::sql_name(&database.name),
                sql::literal(text)
            ),
        )
    })
}

/// Who may connect, and who may make schemas.
fn rights(database: &Database, wanted: &Settings, there: Option<&LiveDatabase>) -> Vec<Difference> {
    let name = super::sql_name(&database.name);
    let fresh = vec![
        (String::new(), "CONNECT".to_owned(), false),
        (String::new(), "TEMPORARY".to_owned(), false),
    ];
    let acl = there.map_or(&fresh, |there| &there.acl);
    let mut found = Vec::new();
    if let Some(admin) = &database.content.privileges.admin_role
        && !has(acl, admin, "CREATE")
    {
        found.push(Difference::new(
            "privileges",
            format!("{admin} may make schemas"),
            format!("GRANT CREATE ON DATABASE {name} TO {};\n", sql::name(admin)),
        ));
    }
    match (wanted.revokeconn, has(acl, "", "CONNECT")) {
        (Some(false), false) => found.push(Difference::new(
            "revokeconn",
            "the public may connect again",
            format!("GRANT CONNECT ON DATABASE {name} TO PUBLIC;\n"),
        )),
        (Some(true), _) => found.extend(closed(&name, wanted, acl)),
        (None, _) | (Some(false), true) => {}
    }
    found
}

/// Only the owner and the users of the system connect, and whomever they let in.
fn closed(name: &str, wanted: &Settings, acl: &[Acl]) -> Option<Difference> {
    let mut statements = String::new();
    if has(acl, "", "CONNECT") {
        statements.push_str(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;\n"));
    }
    for role in wanted.connectors.iter().chain(&wanted.owner) {
        if !has(acl, role, "CONNECT") {
            statements.push_str(&format!(
                "GRANT CONNECT ON DATABASE {name} TO {};\n",
                sql::name(role)
            ));
        }
    }
    (!statements.is_empty()).then(|| {
        Difference::new(
            "revokeconn",
            "the public may not connect, the owner and the users of the system may",
            statements,
        )
    })
}

fn has(acl: &[Acl], role: &str, privilege: &str) -> bool {
    acl.iter()
        .any(|(grantee, what, _)| grantee == role && what == privilege)
}
