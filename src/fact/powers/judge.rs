//! What the leader told against what is declared, in sentences.

use super::{DeclaredObjects, Doors, Powers, Weak, is_altered, is_weak_setting};
use crate::model::objects::{Database, Role};
use std::collections::{BTreeMap, BTreeSet};

/// Sentences, without the name of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Declared, and not so; a plan has a line for each.
    pub broken: Vec<String>,
    /// Declared by nobody, and it weakens what is declared.
    pub weak: Vec<String>,
    /// Declared by nobody, and harmless as far as we know.
    pub noted: Vec<String>,
}

/// Roles of PostgreSQL's own that reach beyond a database, and what they may do.
const MIGHTY: [(&str, &str); 6] = [
    ("pg_execute_server_program", "runs programs on the hosts"),
    ("pg_write_server_files", "writes files on the hosts"),
    ("pg_read_server_files", "reads files on the hosts"),
    ("pg_write_all_data", "writes all data"),
    ("pg_read_all_data", "reads all data"),
    ("pg_maintain", "maintains all tables"),
];

/// What we keep in settings ourselves.
const OWN: &str = "citusctl.";

/// Compares.
pub fn judge(declared: &DeclaredObjects, powers: &Powers) -> Judged {
    let scene = Scene::new(declared, powers);
    let mut said = Judged::default();
    if !powers.standby {
        scene.strangers(&mut said);
        scene.memberships(&mut said);
        scene.settings(&mut said);
        scene.missing(&mut said);
        scene.doors(&mut said);
    }
    let foreign = powers.server.iter().filter(|weak| scene.is_foreign(weak));
    said.weak.extend(foreign.map(server_words));
    said
}

struct Scene<'a> {
    roles: BTreeMap<&'a str, &'a Role>,
    databases: BTreeMap<&'a str, &'a Database>,
    parameters: BTreeSet<String>,
    powers: &'a Powers,
}

impl<'a> Scene<'a> {
    fn new(declared: &'a DeclaredObjects, powers: &'a Powers) -> Self {
        let roles = declared.roles.iter().filter(|role| !role.absent);
        let databases = declared.databases.iter().filter(|db| !db.absent);
        let parameters = declared.parameters.iter();
        Self {
            roles: roles.map(|role| (role.name.as_str(), role)).collect(),
            databases: databases.map(|db| (db.name.as_str(), db)).collect(),
            parameters: parameters.map(|name| name.to_ascii_lowercase()).collect(),
            powers,
        }
    }

    /// Roles with power over the cluster that no inventory names.
    fn strangers(&self, said: &mut Judged) {
        for (name, is) in &self.powers.roles {
            if self.roles.contains_key(name.as_str()) {
                continue;
            }
            let flags = [
                (is.superuser, "is a superuser"),
                (is.createrole && !is.superuser, "may create roles"),
                (is.replication && !is.superuser, "may replicate"),
                (is.bypassrls && !is.superuser, "bypasses row level security"),
            ];
            let words: Vec<&str> = flags
                .iter()
                .filter_map(|(is, word)| is.then_some(*word))
                .collect();
            if !words.is_empty() {
                said.weak.push(format!(
                    "role `{name}` {}, and nobody declared it: drop it, or add it to `pg_users`",
                    words.join(", ")
                ));
            }
        }
    }

    fn memberships(&self, said: &mut Judged) {
        for (role, member) in &self.powers.members {
            let declared = self.roles.get(member.as_str()).is_some_and(|known| {
                let mut grants = known.grants.iter();
                grants.any(|grant| grant.role == *role && !grant.revoked)
            });
            if declared || self.powers.roles.get(member).is_some_and(|is| is.superuser) {
                continue;
            }
            let sentence = |what: &str| {
                format!(
                    "role `{member}` is a member of `{role}`{what}, and nobody declared it: revoke it, or add it to `roles` of its entry in `pg_users`"
                )
            };
            if let Some((_, what)) = MIGHTY.iter().find(|(known, _)| known == role) {
                said.weak.push(sentence(&format!(", which {what}")));
            } else if self
                .powers
                .roles
                .get(role)
                .is_some_and(|is| is.superuser || is.createrole || is.replication || is.bypassrls)
            {
                said.weak
                    .push(sentence(", whose attributes reach beyond a database"));
            } else if self.roles.contains_key(member.as_str())
                && self.roles.contains_key(role.as_str())
            {
                said.noted.push(sentence(""));
            }
        }
    }

    /// What sessions begin with, for roles and databases of ours.
    fn settings(&self, said: &mut Judged) {
        for (role, database, texts) in &self.powers.settings {
            let ours = |name: &str, known: bool| name.is_empty() || known;
            let roles = ours(role, self.roles.contains_key(role.as_str()));
            let databases = ours(database, self.databases.contains_key(database.as_str()));
            if !roles || !databases {
                continue;
            }
            for text in texts {
                let Some((name, value)) = text.split_once('=') else {
                    continue;
                };
                if !name.starts_with(OWN) && !self.is_declared(role, database, name) {
                    self.setting(role, database, (name, value), said);
                }
            }
        }
    }

    /// Whether an entry has it; of a role in one database none can: those that keep the superuser's sessions ours are
    /// the defaults, and no weaker than none.
    fn is_declared(&self, role: &str, database: &str, name: &str) -> bool {
        let has = |parameters: &[(String, Option<String>)]| {
            parameters
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        match (role.is_empty(), database.is_empty()) {
            (false, true) => self
                .roles
                .get(role)
                .is_some_and(|role| has(&role.parameters)),
            (true, false) => self
                .databases
                .get(database)
                .and_then(|database| database.settings.as_ref())
                .is_some_and(|settings| has(&settings.parameters)),
            (true, true) | (false, false) => false,
        }
    }

    fn setting(&self, role: &str, database: &str, (name, value): (&str, &str), said: &mut Judged) {
        const PINNED: [(&str, &str); 3] = [
            ("search_path", "\"$user\", public"),
            ("role", "none"),
            ("default_transaction_read_only", "off"),
        ];
        let both = !role.is_empty() && !database.is_empty();
        if both && PINNED.contains(&(name, value)) {
            return;
        }
        let (whose, alter, list) = match (role.is_empty(), database.is_empty()) {
            (false, true) => (
                format!("of role `{role}`"),
                format!("ALTER ROLE {}", ident(role)),
                "`parameters` of its entry keeps it",
            ),
            (true, false) => (
                format!("in database `{database}`"),
                format!("ALTER DATABASE {}", ident(database)),
                "`parameters` of its entry keeps it",
            ),
            (false, false) => (
                format!("of role `{role}` in database `{database}`"),
                format!("ALTER ROLE {} IN DATABASE {}", ident(role), ident(database)),
                "nothing in an inventory can declare it",
            ),
            (true, true) => (
                "of all roles".to_owned(),
                "ALTER ROLE ALL".to_owned(),
                "`pg_parameters` can declare it",
            ),
        };
        let sentence = format!(
            "sessions {whose} begin with `{name}` = `{value}`, which nobody declared: `{alter} RESET {name}` takes it back, {list}"
        );
        match is_weak_setting(name, value) {
            true => said.weak.push(sentence),
            false => said.noted.push(sentence),
        }
    }

    /// What is declared and is not there.
    fn missing(&self, said: &mut Judged) {
        for (name, role) in &self.roles {
            match self.powers.roles.get(*name) {
                None => said.broken.push(format!("role `{name}` is declared and is not there")),
                Some(is) if role.login && !is.login => said.broken.push(format!(
                    "role `{name}` may not log in (NOLOGIN), although it is declared to: `citusctl apply` puts it back"
                )),
                Some(_) => {}
            }
        }
        for name in self.databases.keys() {
            if !self.powers.databases.contains_key(*name) {
                said.broken
                    .push(format!("database `{name}` is declared and is not there"));
            }
        }
    }

    /// Databases that let in fewer than they should.
    fn doors(&self, said: &mut Judged) {
        for (name, database) in &self.databases {
            let (Some(doors), Some(settings)) =
                (self.powers.databases.get(*name), &database.settings)
            else {
                continue;
            };
            if settings.allowconn && !doors.allowconn {
                said.broken.push(format!(
                    "database `{name}` lets nobody in (ALLOW_CONNECTIONS false): `citusctl apply` puts it back"
                ));
            }
            match settings.revokeconn {
                Some(true) => {}
                None if doors.public => {}
                Some(false) if doors.public => {}
                None => said.weak.push(format!(
                    "database `{name}`: CONNECT was revoked from the public{}, and nobody declared it: `revokeconn: false` in its entry gives it back, `true` keeps it",
                    self.shut_out(doors)
                )),
                Some(false) => said.broken.push(format!(
                    "database `{name}`: CONNECT was revoked from the public{}: `citusctl apply` gives it back",
                    self.shut_out(doors)
                )),
            }
            let let_in = settings.connectors.iter().chain(&settings.owner);
            let lost: Vec<&str> = let_in
                .map(String::as_str)
                .filter(|role| {
                    settings.revokeconn == Some(true)
                        && doors.shut_out.iter().any(|out| out == role)
                })
                .collect();
            if !lost.is_empty() {
                said.broken.push(format!(
                    "database `{name}` shuts out {}: `citusctl apply` lets them in",
                    list(&lost)
                ));
            }
        }
    }

    fn shut_out(&self, doors: &Doors) -> String {
        let ours = doors.shut_out.iter().map(String::as_str);
        let ours: Vec<&str> = ours.filter(|role| self.roles.contains_key(role)).collect();
        match ours.is_empty() {
            true => String::new(),
            false => format!(", which shuts out {}", list(&ours)),
        }
    }

    /// What `ALTER SYSTEM` did is told host by host, by the file.
    fn is_foreign(&self, weak: &Weak) -> bool {
        !is_altered(weak) && !self.parameters.contains(&weak.0)
    }
}

/// One setting of a server in words.
pub fn server_words((name, value, place): &Weak) -> String {
    format!(
        "PostgreSQL runs with `{name}` = `{value}` ({place}), which nobody declared: take it back, or add it to `pg_parameters`"
    )
}

/// A name as SQL takes it.
fn ident(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    match plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
