//! All databases of a cluster as they are wanted.

use super::content::{self, Content};
use super::entry::{ListEntry, entries};
use super::privilege::{Privileges, privileges};
use super::{POOLER_ROLE, Read, Scene, is_name, pooler_asks};
use crate::source::Diagnostic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    pub name: String,
    /// It is to go, with all that it holds.
    pub absent: bool,
    /// `None`: only its content is ours (`template1`, `postgres`).
    pub settings: Option<Settings>,
    pub content: Content,
}

/// What a database is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub owner: Option<String>,
    /// What counts only when it is made: `TEMPLATE`, `STRATEGY`, `ICU_RULES`.
    pub making: Vec<(String, String)>,
    /// What cannot be changed afterwards, by the words of `CREATE DATABASE`.
    pub fixed: Vec<(String, String)>,
    pub is_template: bool,
    pub allowconn: bool,
    pub connlimit: i64,
    /// Whether the public may not connect; `None` leaves it as it is.
    pub revokeconn: Option<bool>,
    /// Who may connect nevertheless.
    pub connectors: Vec<String>,
    pub comment: Option<String>,
    pub parameters: Vec<(String, Option<String>)>,
    pub baseline: Option<Baseline>,
}

/// SQL that is run once in a new database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    pub file: String,
    /// Empty until the file has been read.
    #[serde(default)]
    pub sql: String,
}

/// Fields that cannot be changed, and their words in `CREATE DATABASE`.
const FIXED: [(&str, &str); 8] = [
    ("encoding", "ENCODING"),
    ("locale", "LOCALE"),
    ("lc_collate", "LC_COLLATE"),
    ("lc_ctype", "LC_CTYPE"),
    ("locale_provider", "LOCALE_PROVIDER"),
    ("icu_locale", "ICU_LOCALE"),
    ("builtin_locale", "BUILTIN_LOCALE"),
    ("tablespace", "TABLESPACE"),
];

/// Fields that count only when a database is made.
const MAKING: [(&str, &str); 3] = [
    ("template", "TEMPLATE"),
    ("strategy", "STRATEGY"),
    ("icu_rules", "ICU_RULES"),
];

/// `template1` and `postgres` with the defaults, then the database of Citus, then `pg_databases`.
pub fn databases(scene: &Scene<'_>, roles: &BTreeSet<String>) -> Read<Database> {
    let mut problems = Vec::new();
    let lines = privileges(scene, roles, &mut problems);
    let rights = Rights {
        scene,
        lines: &lines,
        roles,
    };
    let mut found = vec![rights.template("template1"), rights.template("postgres")];
    let mut names = BTreeSet::new();
    let mut own = Vec::new();
    for entry in entries(scene, "pg_databases") {
        let Some(name) = entry.name() else {
            continue;
        };
        problems.extend(faults(scene, &entry, &name, roles));
        if !names.insert(name.clone()) {
            problems.push(twice(&entry, &name));
        }
        own.push(rights.database(&entry, name));
    }
    if let Some(citus) = scene.citus_db.iter().find(|db| !names.contains(*db)) {
        found.push(rights.template(citus));
    }
    found.retain(|template| !own.iter().any(|db| db.name == template.name));
    found.extend(own);
    Read { found, problems }
}

fn twice(entry: &ListEntry, name: &str) -> Diagnostic {
    entry
        .problem(
            "duplicate-database",
            "name",
            format!("`{}` has two entries for `{name}`", entry.list),
            "the second",
        )
        .help("write one entry with all that is wanted")
}

/// Who may do what in new objects.
struct Rights<'a> {
    scene: &'a Scene<'a>,
    lines: &'a [super::Privilege],
    roles: &'a BTreeSet<String>,
}

impl Rights<'_> {
    fn privileges(&self, owner: Option<&str>) -> Privileges {
        let users = &self.scene.users;
        let admin_role = Some("dbrole_admin").filter(|role| self.roles.contains(*role));
        let creators = [
            Some(users.dbsu.as_str()),
            Some(users.admin.as_str()),
            admin_role,
            owner,
        ];
        let mut privileges = Privileges {
            creators: Vec::new(),
            lines: self.lines.to_vec(),
            admin_role: admin_role.map(str::to_owned),
        };
        for creator in creators.into_iter().flatten() {
            if !privileges.creators.iter().any(|known| known == creator) {
                privileges.creators.push(creator.to_owned());
            }
        }
        privileges
    }

    /// Whether the defaults are made in a database itself: it does not come out of our `template1`.
    fn begins_here(&self, name: &str) -> bool {
        matches!(name, "template1" | "postgres") || self.scene.citus_db.as_deref() == Some(name)
    }

    fn template(&self, name: &str) -> Database {
        let mut content = content::defaults(self.scene);
        content.privileges = self.privileges(None);
        Database {
            name: name.to_owned(),
            absent: false,
            settings: None,
            content,
        }
    }

    fn database(&self, entry: &ListEntry, name: String) -> Database {
        let own = content::own(self.scene, entry);
        let settings = settings(self.scene, entry, &name);
        let mut content = match self.begins_here(&name) {
            true => content::defaults(self.scene).with(own),
            false => own,
        };
        content.privileges = self.privileges(settings.owner.as_deref());
        Database {
            absent: entry.absent(),
            settings: Some(settings),
            content,
            name,
        }
    }
}

fn settings(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Settings {
    let words = |fields: &[(&str, &str)]| {
        let given = fields
            .iter()
            .filter_map(|(key, word)| Some(((*word).to_owned(), entry.text(key)?)));
        given.collect()
    };
    let users = &scene.users;
    let citus = scene.citus_db.as_deref() == Some(name);
    let baseline = entry
        .text("baseline")
        .filter(|_| !citus || scene.coordinates());
    Settings {
        owner: entry.text("owner").map(|owner| users.expand(&owner)),
        making: words(&MAKING),
        fixed: words(&FIXED),
        is_template: entry.flag("is_template").unwrap_or(false),
        allowconn: entry.flag("allowconn").unwrap_or(true),
        connlimit: entry.number("connlimit").unwrap_or(-1),
        revokeconn: entry.flag("revokeconn"),
        connectors: connectors(scene),
        comment: entry.text("comment"),
        parameters: entry.pairs("parameters"),
        baseline: baseline.map(|file| Baseline {
            file,
            sql: String::new(),
        }),
    }
}

/// Who connects wherever the public may not.
fn connectors(scene: &Scene<'_>) -> Vec<String> {
    let users = &scene.users;
    let own = [&users.replication, &users.monitor, &users.admin].map(String::clone);
    let asks = pooler_asks(&scene.typed()).then(|| POOLER_ROLE.to_owned());
    own.into_iter().chain(asks).collect()
}

/// What is wrong with one entry.
fn faults(
    scene: &Scene<'_>,
    entry: &ListEntry,
    name: &str,
    roles: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    let mut found = content::faults(entry);
    let system = matches!(name, "template0" | "template1" | "postgres")
        || scene.citus_db.as_deref() == Some(name);
    found.extend(entry.odd_pairs("parameters"));
    if name == "template0" || !is_name(name) {
        found.push(
            entry
                .problem(
                    "bad-database-name",
                    "name",
                    format!("`{name}` cannot be managed"),
                    "this name",
                )
                .help("`template0` stays as it is; names have at most 63 bytes and no line ends"),
        );
    }
    if entry.absent() && system {
        found.push(
            entry
                .problem(
                    "protected-database",
                    "state",
                    format!("`{name}` cannot be dropped"),
                    "the cluster needs it",
                )
                .help("take the entry out, or leave out its `state`"),
        );
    }
    found.extend(recreate(entry, name));
    found.extend(second_citus(scene, entry, name));
    found.extend(owner(scene, entry, name, roles));
    found
}

/// A state is what is so afterwards, again and again; making anew is an act.
fn recreate(entry: &ListEntry, name: &str) -> Option<Diagnostic> {
    (entry.text("state").as_deref() == Some("recreate")).then(|| {
        entry
            .problem(
                "recreate-database",
                "state",
                format!("`{name}`: `recreate` would destroy it on every run"),
                "not a state",
            )
            .help("apply once with `state: absent` and once without it")
    })
}

/// Patroni looks after Citus in one database of a formation.
fn second_citus(scene: &Scene<'_>, entry: &ListEntry, name: &str) -> Option<Diagnostic> {
    let primary = scene.citus_db.as_deref().filter(|db| *db != name)?;
    let items = entry.list("extensions");
    let citus = items
        .iter()
        .find(|item| item.name().as_deref() == Some("citus") && !item.absent())?;
    Some(
        Diagnostic::error(
            "second-citus-database",
            format!("Citus cannot be in `{name}` as well: the formation's database is `{primary}`"),
        )
        .at(citus.node.span, "here")
        .help("Patroni keeps the list of nodes in one database of a formation; put the tables there, in a schema of their own"),
    )
}

fn owner(
    scene: &Scene<'_>,
    entry: &ListEntry,
    name: &str,
    roles: &BTreeSet<String>,
) -> Option<Diagnostic> {
    let owner = scene.users.expand(&entry.text("owner")?);
    (!roles.contains(&owner) && !owner.starts_with("pg_")).then(|| {
        Diagnostic::warning(
            "unknown-role",
            format!("`{name}` is to be owned by `{owner}`, which is declared nowhere"),
        )
        .at(entry.place("owner"), "this role")
        .help("add it to `pg_users`; the run fails if the role is not there")
    })
}
