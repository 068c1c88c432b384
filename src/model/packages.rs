//! Names of packages: aliases by system and version of PostgreSQL, as data, and what the inventory adds to them.

use super::Os;
use crate::inventory::parameters::Typed;
use serde_json::Value;
use std::collections::BTreeMap;

const SHIPPED: &str = include_str!("packages.json");

type Table = BTreeMap<String, BTreeMap<String, String>>;

/// The aliases that hold on one host.
#[derive(Clone, Debug)]
pub struct Packages {
    aliases: BTreeMap<String, String>,
    version: u32,
}

impl Packages {
    /// Those shipped for a system, and `package_map`, which wins.
    pub fn of(typed: &Typed<'_>, os: Os, version: u32) -> Self {
        let table: Table = serde_json::from_str(SHIPPED).unwrap_or_default();
        let family = if os.is_deb() { "deb" } else { "el" };
        let mut aliases = BTreeMap::new();
        for name in [family, os.name()] {
            aliases.extend(table.get(name).cloned().unwrap_or_default());
        }
        if let Value::Object(own) = typed.json("package_map") {
            aliases.extend(
                own.into_iter()
                    .filter_map(|(name, value)| Some((name, words(&value)?))),
            );
        }
        Self { aliases, version }
    }

    /// The packages that a text names: aliases and names, with blanks or commas between them, each package once.
    pub fn named(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.collect(text, &mut Vec::new(), &mut found);
        found
    }

    /// Those of several texts.
    pub fn all<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
        let mut found = Vec::new();
        for text in texts {
            self.collect(text, &mut Vec::new(), &mut found);
        }
        found
    }

    /// The packages of an extension: its alias, a package's own name, or as Debian and PGDG call them.
    pub fn extension(&self, name: &str) -> Vec<String> {
        if self.aliases.contains_key(name) || name.starts_with("postgresql-") {
            return self.named(name);
        }
        vec![format!(
            "postgresql-{}-{}",
            self.version,
            name.replace('_', "-")
        )]
    }

    /// An alias may lead to others; within itself it is a name.
    fn collect<'a>(&'a self, text: &str, within: &mut Vec<&'a str>, found: &mut Vec<String>) {
        for word in text.split([' ', ',', '\t', '\n']) {
            let alias = self.aliases.get_key_value(word);
            if let Some((name, meant)) = alias.filter(|(name, _)| !within.contains(&name.as_str()))
            {
                within.push(name);
                self.collect(meant, within, found);
                within.pop();
                continue;
            }
            let name = word.replace("$v", &self.version.to_string());
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
        }
    }
}

/// A text, or a list of texts.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(words.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Vars;

    fn packages(os: Os) -> Packages {
        Packages::of(&Typed::new(&Vars::default()), os, 17)
    }

    #[test]
    fn the_table_can_be_read() {
        let table: Table = serde_json::from_str(SHIPPED).unwrap();
        for system in table.keys().filter(|name| *name != "deb") {
            assert!(system.parse::<Os>().is_ok(), "{system}");
        }
    }

    #[test]
    fn aliases_become_packages_of_the_version() {
        let packages = packages(Os::Debian13);
        assert_eq!(
            packages.named("pgsql-main, less"),
            ["postgresql-17", "postgresql-client-17", "less"]
        );
        assert_eq!(packages.extension("pg_cron"), ["postgresql-17-cron"]);
        assert_eq!(
            packages.extension("pg_qualstats"),
            ["postgresql-17-pg-qualstats"]
        );
        assert_eq!(packages.extension("postgresql-$v-x"), ["postgresql-17-x"]);
        assert!(packages.named("pg_exporter").is_empty());
    }

    #[test]
    fn the_inventory_wins() {
        let mut packages = packages(Os::Debian12);
        packages
            .aliases
            .insert("citus".into(), "postgresql-$v-citus-13.2".into());
        packages
            .aliases
            .insert("mine".into(), "citus other mine".into());
        assert_eq!(packages.extension("citus"), ["postgresql-17-citus-13.2"]);
        assert_eq!(packages.named("mine").len(), 3);
    }
}
