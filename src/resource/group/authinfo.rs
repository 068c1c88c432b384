//! What queries of a role authenticate with between nodes of Citus (`pg_dist_authinfo`). The rows are in the database
//! of each group, so standbys have them too, and they outlive every failover; a password file of the account would be
//! truncated by Patroni.

use super::sql;
use crate::model::objects::Role;

/// Whether a role's queries may travel between nodes, and with which password.
pub(super) fn password(role: &Role) -> Option<&str> {
    let travels = role.login && !role.absent && role.replication != Some(true);
    role.password
        .as_deref()
        .filter(|_| travels && !role.has_verifier())
}

/// Whether a stored row gives another password.
pub(super) fn differs(password: &str, stored: Option<&str>) -> bool {
    stored.and_then(stored_password).as_deref() != Some(password)
}

/// The statements that write the row.
pub(super) fn write(role: &str, password: &str) -> String {
    let escaped = password.replace('\\', "\\\\").replace('\'', "\\'");
    format!(
        "{}INSERT INTO pg_dist_authinfo (nodeid, rolename, authinfo) VALUES (0, {}, {})\n\
         ON CONFLICT (nodeid, rolename) DO UPDATE SET authinfo = EXCLUDED.authinfo;\n",
        sql::SECRETLY,
        sql::literal(role),
        sql::literal(&format!("password='{escaped}'"))
    )
}

/// The password of a connection string of one or more `key=value`.
fn stored_password(text: &str) -> Option<String> {
    let mut rest = text.trim_start();
    while let Some((key, value)) = rest.split_once('=') {
        let (value, after) = value_of(value.trim_start());
        if key.trim() == "password" {
            return Some(value);
        }
        rest = after.trim_start();
    }
    None
}

/// One value, in quotes or up to a blank, and what follows.
fn value_of(text: &str) -> (String, &str) {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if quoted => return (value, &text[at + 1..]),
            c if !quoted && c.is_whitespace() => return (value, &text[at..]),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_and_patroni_write() {
        for password in ["plain", "it's", r"back\slash", "a b=c", "", "\u{1f511}"] {
            let written = write("app", password);
            let row = written
                .split_once("(0, 'app', ")
                .and_then(|(_, rest)| rest.split_once(")\nON"))
                .map(|(row, _)| row.to_owned())
                .unwrap();
            // As PostgreSQL reads the literal.
            let text = match row.strip_prefix("E'") {
                Some(escaped) => escaped.trim_end_matches('\'').replace("\\\\", "\\"),
                None => row[1..row.len() - 1].to_owned(),
            };
            let text = text.replace("''", "'");
            let text = if row.starts_with("E'") {
                format!("{text}'")
            } else {
                text
            };
            assert!(
                !differs(password, Some(text.trim_end_matches("''")))
                    || !differs(password, Some(&text)),
                "{row} {text}"
            );
        }
        assert!(!differs("x", Some("sslcert=a password=x")));
        assert!(differs("x", Some("password=y")) && differs("x", None));
    }
}
