//! What is inside of a database: schemas, extensions, privileges.

use super::entry::{ListEntry, entries};
use super::privilege::Privileges;
use super::{Scene, SystemUsers, is_name};
use crate::source::Diagnostic;
use serde::{Deserialize, Serialize};

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub schemas: Vec<Schema>,
    pub extensions: Vec<Extension>,
    pub privileges: Privileges,
}

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    pub name: String,
    pub owner: Option<String>,
    pub absent: bool,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    pub name: String,
    pub schema: Option<String>,
    /// Without one the newest when it is made, and then whatever it has.
    pub version: Option<String>,
    pub absent: bool,
}

/// What databases begin with: the content of `template1`.
pub(super) fn defaults(scene: &Scene<'_>) -> Content {
    let each = |list| entries(scene, list).into_iter();
    Content {
        schemas: each("pg_default_schemas")
            .filter_map(|entry| schema(&scene.users, &entry))
            .collect(),
        extensions: each("pg_default_extensions")
            .filter_map(|entry| extension(&entry))
            .collect(),
        privileges: Privileges::default(),
    }
}

/// What one entry of `pg_databases` asks for.
pub(super) fn own(scene: &Scene<'_>, entry: &ListEntry) -> Content {
    Content {
        schemas: entry
            .list("schemas")
            .iter()
            .filter_map(|item| schema(&scene.users, item))
            .collect(),
        extensions: entry
            .list("extensions")
            .iter()
            .filter_map(extension)
            .collect(),
        privileges: Privileges::default(),
    }
}

fn schema(users: &SystemUsers, item: &ListEntry) -> Option<Schema> {
    Some(Schema {
        name: item.name()?,
        owner: item.text("owner").map(|owner| users.expand(&owner)),
        absent: item.absent(),
    })
}

fn extension(item: &ListEntry) -> Option<Extension> {
    Some(Extension {
        name: item.name()?,
        schema: item.text("schema"),
        version: item.text("version"),
        absent: item.absent(),
    })
}

impl Content {
    /// This content and what `own` says besides; of two of the same name `own` wins.
    pub(super) fn with(mut self, own: Content) -> Self {
        self.schemas
            .retain(|schema| !own.schemas.iter().any(|other| other.name == schema.name));
        self.extensions.retain(|extension| {
            !own.extensions
                .iter()
                .any(|other| other.name == extension.name)
        });
        self.schemas.extend(own.schemas);
        self.extensions.extend(own.extensions);
        self
    }
}

/// Extensions without a name, and the like.
pub(super) fn faults(entry: &ListEntry) -> Vec<Diagnostic> {
    let nameless = ["schemas", "extensions"].into_iter().flat_map(|key| {
        let items = entry.list(key);
        items
            .into_iter()
            .filter(|item| item.name().is_none())
            .map(move |item| {
                Diagnostic::error(
                    "missing-field",
                    format!("an entry of `{key}` has no `name`"),
                )
                .at(item.node.span, "its name is missing")
            })
    });
    nameless.chain(bad_schemas(entry)).collect()
}

/// Schemas that PostgreSQL would refuse, or cut off and so never be as wanted.
fn bad_schemas(entry: &ListEntry) -> Vec<Diagnostic> {
    let schemas = entry.list("schemas").into_iter();
    let own = schemas.filter_map(|item| Some((item.name()?, item.place("name"))));
    let extensions = entry.list("extensions").into_iter();
    let homes = extensions.filter_map(|item| Some((item.text("schema")?, item.place("schema"))));
    let reserved = |name: &str| name.starts_with("pg_") && name != "pg_catalog";
    let bad = own
        .chain(homes)
        .filter(|(name, _)| !is_name(name) || reserved(name));
    bad.map(|(name, place)| {
        Diagnostic::error(
            "bad-schema-name",
            format!("`{name}` cannot be the name of a schema"),
        )
        .at(place, "PostgreSQL refuses it")
        .help("names have at most 63 bytes, no line ends, and do not begin with `pg_`")
    })
    .collect()
}
