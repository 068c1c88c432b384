//! What a server was told behind Patroni's back: lines of pg_hba.conf that Patroni did not write, and settings of
//! `ALTER SYSTEM`.

use crate::command::{Psql, as_user, quote, session_options};
use std::collections::BTreeMap;

/// Settings that Patroni writes as the group's state asks, and that `ALTER SYSTEM` hides: writes may wait for a standby that
/// nobody is, or a standby follow nobody.
pub const OF_PATRONI: [&str; 5] = [
    "primary_conninfo",
    "primary_slot_name",
    "recovery_min_apply_delay",
    "recovery_target_timeline",
    "synchronous_standby_names",
];

/// What one host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// Rules of pg_hba.conf, without comments.
    pub rules: Vec<String>,
    /// Rules that Patroni was told, as its configuration on the host has them.
    pub told: Vec<String>,
    /// Settings in postgresql.auto.conf, in which the last one counts.
    pub altered: BTreeMap<String, String>,
    /// The addresses that the server which runs was started with (`listen_addresses` on its command line).
    pub listens: Option<String>,
    /// Its files were changed after the server read them last: it may run with something else.
    pub changed_since: bool,
}

/// Shell text, one process: nothing where there is no data yet. `data` and `config` (Patroni's) are words of the shell.
/// Patroni truncates the file before it writes it: an empty one is not known yet.
///
/// `loaded` prints when the server read its files last, in seconds since 1970. It is asked where one of them was changed after
/// the server's start.
pub fn in_force_program(data: &str, config: &str, loaded: &str) -> String {
    format!(
        r#"if [ -s {data}/pg_hba.conf ] && [ -f {data}/postgresql.auto.conf ] && [ -f {config} ]; then
opts=/dev/null
if {{ read -r pid <{data}/postmaster.pid && kill -0 "$pid"; }} 2>/dev/null; then opts={data}/postmaster.opts; fi
awk 'FILENAME ~ /opts$/ {{ if (match($0, /"--listen_addresses=[^"]*"/)) print "l " substr($0, RSTART + 20, RLENGTH - 21); next }}
  FILENAME ~ /pg_hba.conf$/ {{ print "h " $0; next }} FILENAME ~ /auto.conf$/ {{ print "a " $0; next }}
  /^  pg_hba:/ {{ p = 1; print "="; next }} p && /^    - / {{ print "t " substr($0, 7); next }} {{ p = 0 }}' "$opts" {data}/pg_hba.conf {data}/postgresql.auto.conf {config}
if [ "$opts" != /dev/null ]; then
  changed=$(stat -c '%.6Z %n' -- {data}/pg_hba.conf {data}/pg_ident.conf {data}/postgresql.conf {data}/postgresql.base.conf {data}/postgresql.auto.conf {data}/postmaster.pid 2>/dev/null |
    awk '$2 ~ /postmaster.pid$/ {{ start = $1; next }} $1 > last {{ last = $1 }} END {{ if (last > start) print last }}')
  if [ -n "$changed" ] && read_at=$({loaded}); then
    awk -v changed="$changed" -v at="$read_at" 'BEGIN {{ if (at ~ /^[0-9]/ && changed + 0 > at + 0) print "s" }}' </dev/null
  fi
fi
fi"#
    )
}

/// Shell text that prints when a server read its configuration last.
pub fn read_files_at(dbsu: &str, bin_dir: &str, socket_dir: &str, port: u16) -> String {
    let psql = Psql {
        before: as_user(&quote(dbsu)),
        bin: quote(bin_dir),
        host: quote(socket_dir),
        port: port.to_string(),
        database: "postgres".to_owned(),
        user: None,
        options: session_options(0),
        lenient: false,
    };
    format!(
        "{} -c \"SELECT pg_catalog.date_part('epoch', pg_catalog.pg_conf_load_time())\" 2>/dev/null",
        psql.command()
    )
}

/// Reads the answer; nothing where there is no data yet.
pub fn read_in_force(text: &str) -> Option<InForce> {
    let mut seen = InForce::default();
    let mut any = false;
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("h", rule) => seen.rules.extend(rule_of(rule)),
            ("t", rule) => seen.told.extend(rule_of(&scalar(rule.trim()))),
            // The last list in the file is the one that counts.
            ("=", _) => {
                any = true;
                seen.told.clear();
            }
            ("s", _) => seen.changed_since = true,
            ("l", addresses) => seen.listens = Some(addresses_of(addresses)),
            ("a", setting) => seen.altered.extend(setting_of(setting)),
            _ => {}
        }
    }
    any.then_some(seen)
}

impl InForce {
    /// Rules that Patroni did not write.
    pub fn foreign(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().filter(|rule| !self.told.contains(rule))
    }

    /// Rules of Patroni's that are gone.
    pub fn missing(&self) -> impl Iterator<Item = &String> {
        self.told.iter().filter(|rule| !self.rules.contains(rule))
    }
}

/// A setting of `ALTER SYSTEM` that nobody declared and that weakens the server, in words.
pub fn altered_words(name: &str, value: &str) -> String {
    format!(
        "ALTER SYSTEM sets `{name}` to `{value}`, which nobody declared: `ALTER SYSTEM RESET {name}` takes it back, `pg_parameters` keeps it"
    )
}

/// Addresses to listen on, one way to write each.
pub fn addresses_of(text: &str) -> String {
    let words = text
        .split(',')
        .map(|word| word.trim().trim_matches(['[', ']']));
    words.collect::<Vec<_>>().join(",")
}

/// A rule, blanks as one; none for comments.
pub fn rule_of(line: &str) -> Option<String> {
    let line = line.trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    (!line.is_empty() && !line.starts_with('#')).then(|| words.join(" "))
}

/// A scalar of YAML as we write it.
fn scalar(text: &str) -> String {
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    if text.starts_with('"') {
        return serde_json::from_str(text).unwrap_or_else(|_| text.to_owned());
    }
    text.to_owned()
}

/// `name = 'value'`, as `ALTER SYSTEM` writes it.
fn setting_of(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    let value = value.trim().trim_start_matches('\'');
    let value = value.strip_suffix('\'').unwrap_or(value).replace("''", "'");
    Some((name.trim().to_ascii_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_shell_tells_what_patroni_did_not_write() {
        let dir = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        let at = dir.path().display().to_string();
        let config = format!("{at}/patroni.yml");
        let look = || {
            let text = in_force_program(&quote(&at), &quote(&config), &format!("cat {at}/loaded"));
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(text)
                .output();
            let output = output.expect("a shell");
            read_in_force(&String::from_utf8(output.stdout).expect("text"))
        };
        assert_eq!(look(), None);
        write(
            "pg_hba.conf",
            "# Do not edit\nhost all all 0.0.0.0/0 trust\nlocal all postgres peer\nhostssl  \"it's\" all all md5\n",
        );
        write(
            "postgresql.auto.conf",
            "# Do not edit\nwork_mem = '77MB'\napplication_name = 'it''s'\n",
        );
        write(
            "patroni.yml",
            "bootstrap:\n  pg_hba:\n    - local all other peer\npostgresql:\n  pg_hba:\n    - '# the cluster'\n\
             \x20   - local all postgres peer\n    - 'hostssl \"it''s\" all all md5'\n    - local gone gone peer\n  callbacks:\n    - local x x trust\n",
        );
        let seen = look().expect("data");
        assert_eq!(seen.listens, None);
        write(
            "postmaster.opts",
            "/usr/lib/postgresql/17/bin/postgres \"-D\" \"/pg/data\" \"--listen_addresses=10.0.0.1, [::1]\" \"--port=5432\"\n",
        );
        // Of a server that has ended nothing is told.
        write("postmaster.pid", "999999999\n");
        assert_eq!(look().expect("data").listens, None);
        write("postmaster.pid", &format!("{}\n", std::process::id()));
        assert_eq!(
            look().expect("data").listens.as_deref(),
            Some("10.0.0.1,::1")
        );
        // Until the server says when it read them, nothing is known of its files.
        assert!(!look().expect("data").changed_since);
        write("loaded", "4000000000.5\n");
        assert!(!look().expect("data").changed_since);
        write("loaded", "1000.5\n");
        write("pg_ident.conf", "");
        assert!(look().expect("data").changed_since);
        let foreign: Vec<&String> = seen.foreign().collect();
        assert_eq!(foreign, ["host all all 0.0.0.0/0 trust"]);
        let missing: Vec<&String> = seen.missing().collect();
        assert_eq!(missing, ["local gone gone peer"]);
        assert_eq!(seen.altered["work_mem"], "77MB");
        assert_eq!(seen.altered["application_name"], "it's");
    }
}
