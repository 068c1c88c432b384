//! Names of packages: aliases by system and version of PostgreSQL, as data, and what the inventory adds to them.

use super::Os;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const SHIPPED: &str = include_str!("packages.json");

/// [`SHIPPED`], read once.
static TABLE: LazyLock<NameTable> =
    LazyLock::new(|| serde_json::from_str(SHIPPED).unwrap_or_default());

type NameTable = BTreeMap<String, BTreeMap<String, String>>;

/// The aliases that hold on one host.
#[derive(Clone, Debug)]
pub struct Packages {
    aliases: BTreeMap<String, String>,
    /// Those of extensions: on a host, `vector` is another program.
    extensions: BTreeMap<String, String>,
    version: u32,
}

impl Packages {
    /// Those shipped for a system, and `package_map`, which wins.
    pub fn of(typed: &Typed<'_>, os: Os, version: u32) -> Self {
        let table = &*TABLE;
        let family = if os.is_deb() { "deb" } else { "el" };
        let extensions = table.get(&format!("{family}_extensions"));
        let mut aliases = BTreeMap::new();
        for name in [family, os.name()] {
            aliases.extend(table.get(name).cloned().unwrap_or_default());
        }
        if let Value::Object(own) = typed.get(param::PACKAGE_MAP) {
            aliases.extend(
                own.into_iter()
                    .filter_map(|(name, value)| Some((name, words(&value)?))),
            );
        }
        Self {
            aliases,
            extensions: extensions.cloned().unwrap_or_default(),
            version,
        }
    }

    /// The same for what hosts have besides PostgreSQL.
    pub fn of_hosts(mut self) -> Self {
        self.extensions.clear();
        self
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
        let own = name.contains("postgresql") || name.contains("$v");
        if own || self.alias(name).is_some() {
            return self.named(name);
        }
        vec![format!(
            "postgresql-{}-{}",
            self.version,
            name.replace('_', "-")
        )]
    }

    /// Those that are asked for with their packages, and those that databases use and whose packages are known. Each once.
    pub fn extensions(&self, asked: &[String], used: &[String]) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        let known = used.iter().filter(|name| self.alias(name).is_some());
        let asked: Vec<String> = asked.iter().map(|text| usual(text)).collect();
        for word in asked.iter().flat_map(|text| words_of(text)) {
            let name = self.versioned(word);
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, self.extension(word)));
            }
        }
        for name in known {
            let packages = self.extension(name);
            let has = |package| found.iter().any(|(_, others)| others.contains(package));
            if !packages.iter().all(has) {
                found.push((name.clone(), packages));
            }
        }
        found
    }

    /// What of a text no host of this system can install, and why.
    pub fn misfits(&self, text: &str, extension: bool) -> Vec<(String, Misfit)> {
        let text = usual(text);
        let judged = words_of(&text).filter_map(|word| {
            if self.alias(word).is_none() && list_of(word).is_some() {
                return Some((word.to_owned(), Misfit::List));
            }
            let packages = match extension {
                true => self.extension(word),
                false => self.named(word),
            };
            let bad = packages.iter().any(|name| !is_name(name));
            bad.then(|| (self.versioned(word), Misfit::Name))
        });
        judged.collect()
    }

    fn versioned(&self, word: &str) -> String {
        word.replace("$v", &self.version.to_string())
    }

    /// The alias for a word: its own, or for `pg17-main` that of `pgsql-main`.
    fn alias(&self, word: &str) -> Option<(&String, &String)> {
        let general = || {
            let (version, list) = list_of(word)?;
            let fits = version == self.version.to_string();
            fits.then(|| self.aliases.get_key_value(&format!("pgsql-{list}")))?
        };
        let extension = || self.extensions.get_key_value(word);
        let own = self.aliases.get_key_value(word);
        own.or_else(extension).or_else(general)
    }

    /// An alias may lead to others; within itself it is a name.
    fn collect<'a>(&'a self, text: &str, within: &mut Vec<&'a str>, found: &mut Vec<String>) {
        for word in words_of(&usual(text)) {
            let alias = self.alias(word);
            if let Some((name, meant)) = alias.filter(|(name, _)| !within.contains(&name.as_str()))
            {
                within.push(name);
                self.collect(meant, within, found);
                within.pop();
                continue;
            }
            let name = self.versioned(word);
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
}

/// Why a word names no package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// One of Pigsty's lists of packages, which is not known here.
    List,
    /// A pattern, or a name as RPM has them.
    Name,
}

/// With `$v` for each way in which Pigsty's inventories write the version.
fn usual(text: &str) -> String {
    let forms = ["${ pg_version }", "${pg_version}", "$pg_version"];
    forms
        .iter()
        .fold(text.to_owned(), |text, form| text.replace(form, "$v"))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split([' ', ',', '\t', '\n']);
    words.filter(|word| !word.is_empty())
}

/// The version and the rest of `pg17-gis`; of `pgsql-gis` there is no version.
fn list_of(word: &str) -> Option<(&str, &str)> {
    let (first, list) = word.split_once('-')?;
    let version = first.strip_prefix("pg")?;
    let known = version == "sql" || (version.len() == 2 && is_number(version));
    (known && !list.is_empty()).then_some((version, list))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// As Debian's policy has it; a version, a release or an architecture may follow.
fn is_name(name: &str) -> bool {
    let end = name.find(['=', '/', ':']).unwrap_or(name.len());
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = |byte: u8| letter(byte) || b"+-.".contains(&byte);
    name[..end].bytes().all(rest) && name.bytes().next().is_some_and(letter)
}

/// The extensions that the databases of `pg_databases` have.
pub fn extensions_used(databases: &Value) -> Vec<String> {
    let wanted = |entry: &&Value| entry["state"] != "absent";
    let databases = databases.as_array().into_iter().flatten().filter(wanted);
    let lists = databases.filter_map(|database| database["extensions"].as_array());
    let names = lists.flatten().filter(wanted);
    names
        .filter_map(|entry| entry.as_str().or_else(|| entry["name"].as_str()))
        .map(str::to_owned)
        .collect()
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
        let table: NameTable = serde_json::from_str(SHIPPED).unwrap();
        for system in table
            .keys()
            .filter(|name| !name.starts_with("deb_") && *name != "deb")
        {
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
        assert_eq!(packages.named("vector"), ["postgresql-17-pgvector"]);
        assert_eq!(packages.of_hosts().named("vector"), ["vector"]);
    }

    #[test]
    fn extensions_come_once_and_with_those_that_databases_use() {
        let packages = packages(Os::Debian13);
        let texts = |all: &[&str]| {
            all.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let databases = serde_json::json!([
            { "name": "a", "extensions": ["vector", { "name": "postgis" }, "pg_trgm"] },
            { "name": "b", "extensions": [{ "name": "pg_cron", "state": "absent" }] },
            { "name": "c", "extensions": ["pg_cron"], "state": "absent" },
        ]);
        let used = extensions_used(&databases);
        let asked = texts(&["pgvector,citus", "timescaledb-2-postgresql-$v citus"]);
        let found = packages.extensions(&asked, &used);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "pgvector",
                "citus",
                "timescaledb-2-postgresql-17",
                "postgis"
            ]
        );
        assert_eq!(found[2].1, ["timescaledb-2-postgresql-17"]);
    }

    #[test]
    fn what_is_no_package_is_told() {
        let packages = packages(Os::Debian13);
        let own = "pg17-main pgsql-main pg_cron citus postgresql-$v-citus-13.2 g++ less=1_2";
        assert_eq!(packages.misfits(own, true), []);
        assert_eq!(packages.named("pg17-main"), packages.named("pgsql-main"));
        let other = packages.misfits("pg17-gis,citus_${ pg_version }* pgsql-time pg18-main", true);
        let expected = [
            ("pg17-gis", Misfit::List),
            ("citus_17*", Misfit::Name),
            ("pgsql-time", Misfit::List),
            ("pg18-main", Misfit::List),
        ];
        assert_eq!(other, expected.map(|(name, why)| (name.to_owned(), why)));
        let name = |name: &str| vec![(name.to_owned(), Misfit::Name)];
        assert_eq!(
            packages.misfits("createrepo_c", false),
            name("createrepo_c")
        );
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
