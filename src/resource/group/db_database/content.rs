//! What is inside of a database: default privileges first, so that they hold for what comes next; schemas; extensions.

use super::{Refusal, extension};
use crate::model::objects::{Content, Database, Privilege, Privileges, Schema};
use crate::resource::group::live::{LiveContent, LivePrivilege};
use crate::resource::group::settings::Difference;
use crate::resource::group::sql;
use std::collections::BTreeSet;

/// What is in the way: an extension that cannot be made (`available`, where that is known), a schema that is to go and
/// holds something.
pub(super) fn refusals(
    database: &Database,
    live: &LiveContent,
    available: Option<&BTreeSet<String>>,
) -> Result<(), Refusal> {
    let name = &database.name;
    for extension in &database.content.extensions {
        let there = live.extensions.contains_key(&extension.name);
        let available = available.is_none_or(|names| names.contains(&extension.name));
        if !extension.absent && !there && !available {
            return Err((
                format!(
                    "extension {} of database {name} is not installed on the host",
                    extension.name
                ),
                format!(
                    "add `{}` to `pg_extensions`, so that its package is installed, and apply again",
                    extension.name
                ),
            ));
        }
    }
    let gone = database
        .content
        .schemas
        .iter()
        .filter(|schema| schema.absent);
    for schema in gone {
        if live
            .schemas
            .get(&schema.name)
            .is_some_and(|there| there.holds)
        {
            return Err((
                format!("schema {} of database {name} is not empty", schema.name),
                "drop or move what it holds; a schema is never dropped with its content".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Everything that differs.
pub(super) fn differences(database: &Database, live: &LiveContent) -> Vec<Difference> {
    let Content {
        schemas,
        extensions,
        privileges,
    } = &database.content;
    let mut found = defaults(privileges, live);
    found.extend(public(privileges, live));
    found.extend(schemas.iter().filter_map(|schema| schema_of(schema, live)));
    found.extend(
        extensions
            .iter()
            .filter_map(|wanted| extension::difference(wanted, live)),
    );
    found
}

fn schema_of(wanted: &Schema, live: &LiveContent) -> Option<Difference> {
    let name = sql::name(&wanted.name);
    let what = format!("schema {}", wanted.name);
    let there = live.schemas.get(&wanted.name);
    let owned = wanted
        .owner
        .as_ref()
        .map(|owner| format!("ALTER SCHEMA {name} OWNER TO {};\n", sql::name(owner)));
    match (wanted.absent, there) {
        (true, None) => None,
        (true, Some(_)) => Some(Difference::new(
            format!("no {what}"),
            format!("{what}: dropped"),
            format!("DROP SCHEMA IF EXISTS {name};\n"),
        )),
        (false, None) => Some(Difference::new(
            what.clone(),
            format!("{what}: made"),
            format!(
                "CREATE SCHEMA IF NOT EXISTS {name};\n{}",
                owned.unwrap_or_default()
            ),
        )),
        (false, Some(there)) => {
            let owner = wanted
                .owner
                .as_ref()
                .filter(|owner| **owner != there.owner)?;
            let detail = format!("{what}: owner {} -> {owner}", there.owner);
            Some(Difference::new(what, detail, owned.unwrap_or_default()))
        }
    }
}

/// `public` is for those who may make objects, not for everybody (as PostgreSQL 15 and later have it).
fn public(wanted: &Privileges, live: &LiveContent) -> Option<Difference> {
    let admin = wanted.admin_role.as_ref()?;
    let known = !live.schemas.is_empty();
    let there = live.schemas.get("public");
    if known && there.is_none() {
        return None;
    }
    let has = |role: &str| {
        there.is_some_and(|schema| {
            schema
                .acl
                .iter()
                .any(|(grantee, what, _)| grantee == role && what == "CREATE")
        })
    };
    if known && has(admin) && !has("") {
        return None;
    }
    let statements = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
        format!("GRANT CREATE ON SCHEMA public TO {}", sql::name(admin)),
    ];
    let text: String = statements
        .iter()
        .map(|statement| {
            format!(
                "SELECT {} WHERE to_regnamespace('public') IS NOT NULL \\gexec\n",
                sql::literal(statement)
            )
        })
        .collect();
    let detail = format!("{admin} may make objects in public, and the public may not");
    Some(Difference::new("privileges", detail, text))
}

fn defaults(wanted: &Privileges, live: &LiveContent) -> Vec<Difference> {
    let there: BTreeSet<&LivePrivilege> = live.privileges.iter().collect();
    let mut found = Vec::new();
    for creator in &wanted.creators {
        let missing = wanted
            .lines
            .iter()
            .filter(|line| !holds(line, creator, &there, live));
        let lines: Vec<String> = missing.map(body).collect();
        if lines.is_empty() {
            continue;
        }
        let detail = match lines.as_slice() {
            [line] => format!("what {creator} makes: {line}"),
            lines => format!("what {creator} makes: {} default privileges", lines.len()),
        };
        let statements = lines.iter().map(|line| {
            format!(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} {line};\n",
                sql::name(creator)
            )
        });
        let statements: String = statements.collect();
        found.push(Difference::new("privileges", detail, statements));
    }
    found
}

/// Whether a line is in force for what a creator makes.
fn holds(
    line: &Privilege,
    creator: &str,
    there: &BTreeSet<&LivePrivilege>,
    live: &LiveContent,
) -> bool {
    let schema = line.schema.clone().unwrap_or_default();
    let letter = line.letter().to_string();
    let place = (creator.to_owned(), schema.clone(), letter.clone());
    let stated = live.stated.contains(&place);
    line.roles.iter().all(|role| {
        line.privileges.iter().all(|privilege| {
            let row = |option| {
                (
                    creator.to_owned(),
                    schema.clone(),
                    letter.clone(),
                    role.clone(),
                    privilege.clone(),
                    option,
                )
            };
            let granted = there.contains(&row(true)) || there.contains(&row(false));
            match (line.grant, stated) {
                (true, _) if line.grant_option => there.contains(&row(true)),
                // Creators have everything on what is theirs, stated or not.
                (true, _) => granted || role == creator,
                (false, true) => !granted,
                // Without a word, functions and types are for the public.
                (false, false) => !(role.is_empty() && matches!(letter.as_str(), "f" | "T")),
            }
        })
    })
}

/// The statement after `FOR ROLE`.
fn body(line: &Privilege) -> String {
    let schema = match &line.schema {
        Some(schema) => format!("IN SCHEMA {} ", sql::name(schema)),
        None => String::new(),
    };
    let roles: Vec<String> = line.roles.iter().map(|role| sql::role(role)).collect();
    let (verb, to) = if line.grant {
        ("GRANT", "TO")
    } else {
        ("REVOKE", "FROM")
    };
    let option = if line.grant_option {
        " WITH GRANT OPTION"
    } else {
        ""
    };
    format!(
        "{schema}{verb} {} ON {} {to} {}{option}",
        line.privileges.join(", "),
        line.objects,
        roles.join(", ")
    )
}
