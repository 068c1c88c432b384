//! A role as it is against the role as it is wanted.

use crate::model::objects::{Expiry, Grant, Role};
use crate::resource::group::live::{Live, LiveMember, LiveRole, setting};
use crate::resource::group::settings::{self, Difference, shown};
use crate::resource::group::{password, sql};

/// Remembers what `expire_in` was counted with: the number of days and the day that came of it.
const MARK: &str = "citusctl.expire_in";

/// A role as `CREATE ROLE` makes it.
fn fresh() -> LiveRole {
    LiveRole {
        superuser: false,
        login: false,
        inherit: true,
        createdb: false,
        createrole: false,
        replication: false,
        bypassrls: false,
        connlimit: -1,
        password: None,
        until: None,
        comment: None,
        settings: None,
    }
}

/// Everything that differs; a role that is not there differs from a fresh one.
pub(super) fn all(role: &Role, there: Option<&LiveRole>, live: &Live) -> Vec<Difference> {
    let fresh = fresh();
    let now = there.unwrap_or(&fresh);
    let alter = format!("ALTER ROLE {}", sql::name(&role.name));
    let mut found = attributes(role, now, &alter);
    found.extend(passwords(role, now, &alter));
    found.extend(expiry(role, now, &alter));
    found.extend(grants(role, live));
    found.extend(settings::differences(
        &role.parameters,
        now.settings.as_deref(),
        &alter,
        &live.units,
    ));
    found.extend(comment(role, now));
    found
}

fn attributes(role: &Role, now: &LiveRole, alter: &str) -> Vec<Difference> {
    let flags = [
        ("login", Some(role.login), now.login),
        ("superuser", Some(role.superuser), now.superuser),
        ("inherit", Some(role.inherit), now.inherit),
        ("createdb", role.createdb, now.createdb),
        ("createrole", role.createrole, now.createrole),
        ("replication", role.replication, now.replication),
        ("bypassrls", role.bypassrls, now.bypassrls),
    ];
    let mut found = Vec::new();
    for (name, wanted, is) in flags {
        let Some(wanted) = wanted.filter(|wanted| *wanted != is) else {
            continue;
        };
        let word = format!("{}{}", if wanted { "" } else { "no" }, name);
        let statement = format!("{alter} {};\n", word.to_uppercase());
        found.push(Difference::new(
            word,
            format!("{name}: {is} -> {wanted}"),
            statement,
        ));
    }
    if role.connlimit != now.connlimit {
        found.push(Difference::new(
            "connlimit",
            format!("connlimit: {} -> {}", now.connlimit, role.connlimit),
            format!("{alter} CONNECTION LIMIT {};\n", role.connlimit),
        ));
    }
    found
}

fn passwords(role: &Role, now: &LiveRole, alter: &str) -> Option<Difference> {
    let wanted = role.password.as_deref()?;
    let stored = now.password.as_deref().unwrap_or_default();
    if password::matches(wanted, &role.name, role.md5, stored) {
        return None;
    }
    let form = password::stored_form(wanted, &role.name, role.md5);
    Some(Difference::new(
        "password",
        "password",
        format!("{alter} PASSWORD {};\n", sql::literal(&form)),
    ))
}

fn expiry(role: &Role, now: &LiveRole, alter: &str) -> Option<Difference> {
    let mark = setting(now.settings.as_deref(), MARK);
    let is = now.until.as_deref();
    let (until, new_mark) = match &role.expiry {
        Expiry::Never => (None, None),
        Expiry::At(until) => (Some(until.as_str()), None),
        Expiry::In { days, until } => {
            if is.is_some_and(|is| mark == Some(&format!("{days} {is}"))) {
                return None;
            }
            (Some(until.as_str()), Some(format!("{days} {until}")))
        }
    };
    if until == is && mark == new_mark.as_deref() {
        return None;
    }
    let moment = until.map_or("infinity".to_owned(), |until| format!("{until}+00"));
    let mark = match (&new_mark, mark) {
        (Some(mark), _) => format!("{alter} SET {MARK} TO {};\n", sql::literal(mark)),
        (None, Some(_)) => format!("{alter} RESET {MARK};\n"),
        (None, None) => String::new(),
    };
    let day = |moment: Option<&str>| match moment {
        None => "never".to_owned(),
        Some(moment) => moment.trim_end_matches(" 00:00:00").to_owned(),
    };
    Some(Difference::new(
        "expiry",
        format!("expires: {} -> {}", day(is), day(until)),
        format!("{alter} VALID UNTIL {};\n{mark}", sql::literal(&moment)),
    ))
}

fn comment(role: &Role, now: &LiveRole) -> Option<Difference> {
    let wanted = role.comment.as_deref()?;
    let is = now.comment.as_deref();
    if wanted == is.unwrap_or_default() {
        return None;
    }
    Some(Difference::new(
        "comment",
        format!("comment: {} -> {}", shown(is), shown(Some(wanted))),
        format!(
            "COMMENT ON ROLE {} IS {};\n",
            sql::name(&role.name),
            sql::literal(wanted)
        ),
    ))
}

fn grants(role: &Role, live: &Live) -> Vec<Difference> {
    let mut found = Vec::new();
    for grant in &role.grants {
        let there: Vec<&LiveMember> = live
            .members
            .iter()
            .filter(|row| row.role == grant.role && row.member == role.name)
            .collect();
        match (grant.revoked, there.is_empty()) {
            (true, false) => found.push(revoke(role, grant, &there)),
            (false, _) => found.extend(granted(role, grant, &there, live)),
            (true, true) => {}
        }
    }
    found
}

fn revoke(role: &Role, grant: &Grant, there: &[&LiveMember]) -> Difference {
    let (group, name) = (sql::name(&grant.role), sql::name(&role.name));
    let one = |row: &&LiveMember| match &row.grantor {
        Some(grantor) => format!(
            "REVOKE {group} FROM {name} GRANTED BY {};\n",
            sql::name(grantor)
        ),
        None => format!("REVOKE {group} FROM {name};\n"),
    };
    Difference::new(
        format!("not member of {}", grant.role),
        format!("no longer member of {}", grant.role),
        there.iter().map(one).collect::<String>(),
    )
}

/// A membership that is missing, or whose options are not those that were asked for.
fn granted(role: &Role, grant: &Grant, there: &[&LiveMember], live: &Live) -> Option<Difference> {
    let options = [
        ("ADMIN", grant.admin, there.iter().any(|row| row.admin)),
        (
            "INHERIT",
            grant.inherit,
            there.iter().any(|row| row.inherit == Some(true)),
        ),
        (
            "SET",
            grant.set,
            there.iter().any(|row| row.set == Some(true)),
        ),
    ];
    let missing = there.is_empty();
    let asked: Vec<(&str, bool)> = options
        .iter()
        .filter_map(|(word, wanted, is)| {
            let wanted = (*wanted)?;
            (missing || wanted != *is).then_some((*word, wanted))
        })
        .collect();
    if !missing && asked.is_empty() {
        return None;
    }
    let words: Vec<String> = asked
        .iter()
        .map(|(word, wanted)| format!("{} {wanted}", word.to_lowercase()))
        .collect();
    let mut what = format!("member of {}", grant.role);
    if !words.is_empty() {
        what.push_str(&format!(" with {}", words.join(" and ")));
    }
    let statement = grant_sql(&grant.role, &role.name, &asked, live.version);
    Some(Difference::new(what.clone(), what, statement))
}

fn grant_sql(group: &str, member: &str, options: &[(&str, bool)], version: u32) -> String {
    let (group, member) = (sql::name(group), sql::name(member));
    if version >= 160_000 {
        let words: Vec<String> = options
            .iter()
            .map(|(word, wanted)| format!("{word} {wanted}"))
            .collect();
        let with = match words.is_empty() {
            true => String::new(),
            false => format!(" WITH {}", words.join(", ")),
        };
        return format!("GRANT {group} TO {member}{with};\n");
    }
    match options {
        [("ADMIN", false), ..] => {
            format!("GRANT {group} TO {member};\nREVOKE ADMIN OPTION FOR {group} FROM {member};\n")
        }
        [("ADMIN", true), ..] => format!("GRANT {group} TO {member} WITH ADMIN OPTION;\n"),
        _ => format!("GRANT {group} TO {member};\n"),
    }
}
