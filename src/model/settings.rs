//! PostgreSQL's own settings by version: what `pg_parameters` may say. The table is made by `ci/pg-settings` from
//! `pg_settings` of packaged servers; what Patroni makes of a setting is known here (its sources, 3.0.2 to 4.1.4).

mod value;

use super::dcs::OWNED_BY_PATRONI;
use crate::names::nearest;
use crate::source::Severity;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use value::factor;

const TABLE: &str = include_str!("settings/table.tsv");

/// One setting, in the versions in which it is the same.
#[derive(Debug)]
struct Setting {
    versions: Vec<u32>,
    kind: &'static str,
    /// Of a plain number: `8kB`, `kB`, `MB`, `B`, `ms`, `s`, `min`, or none.
    unit: &'static str,
    least: &'static str,
    most: &'static str,
    words: Vec<&'static str>,
    context: &'static str,
}

static SETTINGS: LazyLock<BTreeMap<&'static str, Vec<Setting>>> = LazyLock::new(|| {
    let mut all: BTreeMap<&'static str, Vec<Setting>> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let [name, versions, kind, unit, least, most, words, context] = cells.as_slice() else {
            continue;
        };
        all.entry(name).or_default().push(Setting {
            versions: versions
                .split(',')
                .filter_map(|text| text.parse().ok())
                .collect(),
            kind,
            unit,
            least,
            most,
            words: words.split(',').filter(|word| !word.is_empty()).collect(),
            context,
        });
    }
    all
});

/// Settings that Patroni passes on the command line unless they are less than it takes, with the least, and its default,
/// which then runs.
const FLOORS: [(&str, f64, &str, &str); 8] = [
    ("max_connections", 25.0, "", "100"),
    ("max_wal_senders", 3.0, "", "10"),
    ("max_locks_per_transaction", 32.0, "", "64"),
    ("max_replication_slots", 4.0, "", "10"),
    ("max_worker_processes", 2.0, "", "8"),
    ("wal_keep_size", 16.0, "MB", "128MB"),
    ("max_prepared_transactions", 0.0, "", "0"),
    ("wal_keep_segments", 1.0, "", "8"),
];

/// Settings for which Patroni takes one value only.
const FIXED: [(&str, &[&str]); 3] = [
    ("hot_standby", &["on", "true", "yes", "1"]),
    ("wal_log_hints", &["on", "true", "yes", "1"]),
    ("wal_level", &["replica", "logical", "hot_standby"]),
];

/// Settings that others of ours set, whatever is written here.
const OURS: [(&str, &str); 9] = [
    ("log_directory", "write `pg_log_dir`"),
    ("ssl", "TLS is always on"),
    ("ssl_ca_file", "certificates are citusctl's own"),
    ("ssl_cert_file", "certificates are citusctl's own"),
    ("ssl_key_file", "certificates are citusctl's own"),
    ("ssl_min_protocol_version", "it is TLSv1.2 here"),
    ("unix_socket_directories", "write `pg_localhost`"),
    (
        "synchronous_standby_names",
        "write `pg_synchronous_mode`: Patroni sets it",
    ),
    ("recovery_min_apply_delay", "write `pg_delay`"),
];

/// What is wrong with a value, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    pub message: String,
    pub help: Option<String>,
    /// An error is refused; a note is of no weight.
    pub weight: Severity,
}

/// What a setting is judged for.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// Major version of PostgreSQL.
    pub version: u32,
    /// Libraries that are loaded at the start: settings with their prefix are theirs.
    pub libraries: &'a [String],
}

/// Judges one entry of `pg_parameters`; `value` is its text.
pub fn fault(name: &str, value: &str, of: For<'_>) -> Option<SettingFault> {
    let name = name.to_ascii_lowercase();
    if let Some(fault) = owned(&name) {
        return Some(fault);
    }
    if let Some((prefix, _)) = name.split_once('.') {
        return foreign(&name, value, prefix, of);
    }
    let setting = match of_version(&name, of.version) {
        Ok(setting) => setting,
        Err(fault) => return fault,
    };
    if matches!(setting.context, "internal") {
        let message =
            format!("`{name}` cannot be set: it is what the server was built or made with");
        return Some(grave(message, None));
    }
    let wrong = misfit(&name, value, setting);
    wrong.or_else(|| patroni(&name, value, setting))
}

/// Judges one of the `parameters` of a role or a database, which are of its sessions alone.
pub fn session_fault(name: &str, value: &str, of: For<'_>) -> Option<SettingFault> {
    let name = name.to_ascii_lowercase();
    if value.eq_ignore_ascii_case("default") || UNSEEN.contains(&name.as_str()) {
        return None;
    }
    if let Some((prefix, _)) = name.split_once('.') {
        return foreign(&name, value, prefix, of);
    }
    let setting = match of_version(&name, of.version) {
        Ok(setting) => setting,
        Err(fault) => return fault,
    };
    if matches!(setting.context, "internal" | "postmaster" | "sighup") {
        let message = format!(
            "`{name}` is of the whole server: no role or database can have a value of its own"
        );
        return Some(grave(
            message,
            Some("write it in `pg_parameters`".to_owned()),
        ));
    }
    misfit(&name, value, setting)
}

/// Settings of sessions that `pg_settings` does not show.
const UNSEEN: [&str; 3] = ["role", "seed", "session_authorization"];

fn misfit(name: &str, value: &str, setting: &Setting) -> Option<SettingFault> {
    let why = setting.mismatch(value)?;
    Some(grave(format!("`{name}: {value}`: {why}"), None))
}

/// The row of a version, or what is wrong with a name that has none.
fn of_version(name: &str, version: u32) -> Result<&'static Setting, Option<SettingFault>> {
    let settings = SETTINGS.get(name).ok_or_else(|| unknown(name, version))?;
    in_version(settings, version).ok_or_else(|| Some(other_version(name, settings, version)))
}

fn grave(message: String, help: Option<String>) -> SettingFault {
    SettingFault {
        message,
        help,
        weight: Severity::Error,
    }
}

fn owned(name: &str) -> Option<SettingFault> {
    if let Some((_, instead)) = OURS.iter().find(|(ours, _)| *ours == name) {
        return Some(grave(
            format!("`{name}` has no effect here"),
            Some((*instead).to_owned()),
        ));
    }
    OWNED_BY_PATRONI.contains(&name).then(|| {
        let message = format!("`{name}` has no effect: Patroni sets it itself");
        grave(message, Some("leave it out; `pg_port`, `pg_listen`, `pg_data` and `pg_hba_rules` are what it is made of".to_owned()))
    })
}

/// Versions that the table has.
fn known_versions() -> impl Iterator<Item = u32> {
    let of_all = SETTINGS.get("work_mem").into_iter().flatten();
    of_all.flat_map(|setting| setting.versions.iter().copied())
}

/// The row of that version; of a version that the table has not, the nearest one's.
fn in_version(settings: &[Setting], version: u32) -> Option<&Setting> {
    let known = known_versions().any(|known| known == version);
    let exact = || {
        settings
            .iter()
            .find(|setting| setting.versions.contains(&version))
    };
    match known {
        true => exact(),
        false => settings
            .iter()
            .max_by_key(|setting| setting.versions.iter().max().copied()),
    }
}

fn other_version(name: &str, settings: &[Setting], version: u32) -> SettingFault {
    let mut has: Vec<u32> = settings
        .iter()
        .flat_map(|setting| setting.versions.clone())
        .collect();
    has.sort_unstable();
    let has: Vec<String> = has.iter().map(u32::to_string).collect();
    let message = format!(
        "PostgreSQL {version} has no setting `{name}`: it is one of version {}",
        has.join(" and ")
    );
    grave(
        message,
        Some("leave it out: PostgreSQL does not start with it".to_owned()),
    )
}

fn unknown(name: &str, version: u32) -> Option<SettingFault> {
    let near = nearest(name, SETTINGS.keys().copied());
    let help = near.map(|near| format!("did you mean `{near}`?"));
    let known = known_versions().any(|known| known == version);
    let message = format!("PostgreSQL {version} has no setting `{name}`");
    match known || near.is_some() {
        true => Some(grave(message, help)),
        false => Some(SettingFault {
            message: format!("`{name}` is not known: the table has no version {version}"),
            help: Some("what PostgreSQL does not know keeps it from starting".to_owned()),
            weight: Severity::Warning,
        }),
    }
}

/// Settings of extensions: those of a library that is loaded; others are placeholders.
fn foreign(name: &str, value: &str, prefix: &str, of: For<'_>) -> Option<SettingFault> {
    if let Some(settings) = SETTINGS.get(name) {
        let setting = in_version(settings, of.version).or(settings.last());
        let wrong = setting.and_then(|setting| misfit(name, value, setting));
        return wrong.or_else(|| loaded(name, prefix, of));
    }
    let of_prefix: Vec<&'static str> = SETTINGS
        .keys()
        .copied()
        .filter(|known| {
            known
                .split_once('.')
                .is_some_and(|(other, _)| other == prefix)
        })
        .collect();
    if of_prefix.is_empty() {
        return loaded(name, prefix, of);
    }
    let near = nearest(name, of_prefix.iter().copied());
    let exact = near.is_some() || !BY_ONE_VERSION.contains(&prefix);
    Some(SettingFault {
        message: format!("`{prefix}` has no setting `{name}`"),
        help: Some(near.map_or_else(
            || "leave it out: it has no effect".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )),
        weight: match exact {
            true => Severity::Error,
            false => Severity::Warning,
        },
    })
}

/// Extensions of which the table has one version: another one may have more settings.
const BY_ONE_VERSION: [&str; 2] = ["citus", "columnar"];

fn loaded(name: &str, prefix: &str, of: For<'_>) -> Option<SettingFault> {
    let base = |library: &String| {
        library
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".so")
            .to_owned()
    };
    // Settings of these need no library at the start: a language, and Citus's own part.
    let anyway = matches!(prefix, "plpgsql" | "plpython" | "plperl" | "pltcl");
    let fits = of.libraries.iter().map(base).any(|library| {
        library == prefix
            || library == format!("pg_{prefix}")
            || library.starts_with(&format!("{prefix}_"))
            || prefix.starts_with(&library)
    });
    (!anyway && !fits).then(|| SettingFault {
        message: format!(
            "`{name}` is of no library that is loaded: PostgreSQL keeps it and reads nothing in it"
        ),
        help: Some(format!(
            "name `{prefix}` in `pg_libs`, if it is an extension's"
        )),
        weight: Severity::Note,
    })
}

/// What Patroni does not take: it goes on with its own default, without a word in `pg_settings`.
fn patroni(name: &str, value: &str, setting: &Setting) -> Option<SettingFault> {
    if let Some((_, least, unit, default)) = FLOORS.iter().find(|(floor, ..)| *floor == name) {
        let least = least * factor(unit).unwrap_or(1.0);
        let number = setting.number(value)?;
        return (number < least).then(|| {
            let message =
                format!("`{name}: {value}` is less than Patroni takes: {default} would run");
            grave(
                message,
                Some(format!(
                    "write at least {}",
                    FLOORS
                        .iter()
                        .find(|f| f.0 == name)
                        .map_or_else(String::new, |f| format!("{}{}", f.1, f.2))
                )),
            )
        });
    }
    let (_, words) = FIXED.iter().find(|(fixed, _)| *fixed == name)?;
    let fits = words.contains(&value.to_ascii_lowercase().as_str());
    (!fits).then(|| {
        grave(
            format!(
                "`{name}: {value}` has no effect: Patroni takes {} only",
                words[0]
            ),
            None,
        )
    })
}

#[cfg(test)]
mod tests;
