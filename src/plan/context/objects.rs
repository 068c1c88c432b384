//! Roles and databases, as the model reads them, for the resources that make them.

use super::{Builder, ContextNotes, pooler};
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::objects::{self, Database, POOLER_ROLE, Role, Scene};
use crate::source::Diagnostic;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

impl Builder<'_> {
    /// What is wrong with the lists has been said by the lints; here it is left out.
    pub(super) fn objects(&self, typed: &Typed<'_>, told: &mut ContextNotes) -> Map<String, Value> {
        let scene = Scene::new(&self.host.stated, self.input.now);
        let (roles, mut databases) = objects::provided(&scene);
        for database in &mut databases {
            self.baseline(typed, database, told);
        }
        let (leaving, roles): (Vec<Role>, Vec<Role>) =
            roles.into_iter().partition(|role| role.absent);
        let without: Vec<&String> = databases
            .iter()
            .filter(|database| database.absent)
            .map(|database| &database.name)
            .collect();
        let lookups: Vec<Value> = match objects::pooler_asks(typed) {
            false => Vec::new(),
            true => pooler::served(typed)
                .into_iter()
                .map(|database| json!({ "database": database, "role": POOLER_ROLE }))
                .collect(),
        };
        let (templates, own): (Vec<&Database>, Vec<&Database>) = databases
            .iter()
            .partition(|database| database.settings.is_none());
        let values = [
            ("roles", json!(roles)),
            ("leaving_roles", json!(leaving)),
            ("leaving_databases", json!(without)),
            ("template_databases", json!(templates)),
            ("databases", json!(own)),
            ("lookups", json!(lookups)),
        ];
        values
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    /// Reads the file of a baseline: beside the inventory, or in `files/` there as Pigsty has it.
    fn baseline(&self, typed: &Typed<'_>, database: &mut Database, told: &mut ContextNotes) {
        let settings = database.settings.as_mut();
        let Some(baseline) = settings.and_then(|settings| settings.baseline.as_mut()) else {
            return;
        };
        let directory = self.input.inventory.path.parent();
        let directory = directory.map(PathBuf::from).unwrap_or_default();
        let places = [
            directory.join(&baseline.file),
            directory.join("files").join(&baseline.file),
        ];
        let found = places.iter().find(|path| path.is_file());
        let why = match found.map(fs_err::read_to_string) {
            Some(Ok(sql)) => {
                baseline.sql = sql;
                return;
            }
            Some(Err(error)) => error.to_string(),
            None => format!(
                "neither {} nor {} is there",
                places[0].display(),
                places[1].display()
            ),
        };
        let problem = unreadable(typed, &database.name, &why);
        // What stands in a group's variables is met again on every host of it.
        if !told.diagnostics.iter().any(|known| *known == problem) {
            told.diagnostics.push(problem);
        }
    }
}

fn unreadable(typed: &Typed<'_>, database: &str, why: &str) -> Diagnostic {
    let message = format!("the baseline of `{database}` cannot be read: {why}");
    let diagnostic = Diagnostic::error("bad-baseline", message)
        .help("`baseline` names a file of SQL beside the inventory or in `files/` there");
    match typed.span(param::PG_DATABASES) {
        Some(span) => diagnostic.at(span, "in this list"),
        None => diagnostic,
    }
}
