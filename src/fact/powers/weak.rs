//! Settings that take away safety: of data, of who may do what. Each with the values that do not.

/// A setting of the server that is weaker than PostgreSQL's default: name, value, and where it comes from, a file or
/// PostgreSQL's word for another source.
pub type Weak = (String, String, String);

/// Whether it comes from `ALTER SYSTEM`.
pub fn is_altered((_, _, place): &Weak) -> bool {
    place.ends_with("/postgresql.auto.conf")
}

/// Of a server as a whole, with the values that are as safe as the default.
const SERVER: [(&str, &[&str]); 20] = [
    ("fsync", &["on"]),
    ("full_page_writes", &["on"]),
    (
        "synchronous_commit",
        &["on", "remote_apply", "remote_write"],
    ),
    ("zero_damaged_pages", &["off"]),
    ("ignore_checksum_failure", &["off"]),
    ("ignore_invalid_pages", &["off"]),
    ("ignore_system_indexes", &["off"]),
    ("allow_system_table_mods", &["off"]),
    ("data_sync_retry", &["off"]),
    ("autovacuum", &["on"]),
    ("track_counts", &["on"]),
    ("ssl", &["on"]),
    ("password_encryption", &["scram-sha-256"]),
    ("default_transaction_read_only", &["off"]),
    ("session_replication_role", &["origin"]),
    ("session_preload_libraries", &[""]),
    ("local_preload_libraries", &[""]),
    ("row_security", &["on"]),
    ("lo_compat_privileges", &["off"]),
    ("wal_level", &["replica", "logical"]),
];

/// Of sessions alone, besides those of [`SERVER`].
const SESSION: [(&str, &[&str]); 5] = [
    ("search_path", &[]),
    ("role", &["none"]),
    ("session_authorization", &[]),
    ("event_triggers", &["on"]),
    ("pgaudit.log", &[]),
];

/// Whether a setting of a role or a database, or one of `ALTER SYSTEM`, weakens what PostgreSQL would do by itself.
pub fn is_weak_setting(name: &str, value: &str) -> bool {
    let all = SERVER.iter().chain(&SESSION);
    let mut known = all.filter(|(weak, _)| weak.eq_ignore_ascii_case(name));
    let value = as_stored(value);
    known.any(|(_, safe)| !safe.contains(&value.as_str()))
}

/// As PostgreSQL shows it: `on` for what it reads as true.
fn as_stored(value: &str) -> String {
    let value = value.trim_matches(['\'', '"']).to_ascii_lowercase();
    match value.as_str() {
        "true" | "yes" | "1" => "on".to_owned(),
        "false" | "no" | "0" => "off".to_owned(),
        _ => value,
    }
}

/// SQL, an array of JSON: settings of the server with another value than a safe one. What the options of this session cover is
/// asked of the files.
pub fn weak_settings() -> String {
    let rows: Vec<String> = SERVER
        .iter()
        .map(|(name, safe)| format!("('{name}', '{{{}}}'::text[])", arrays(safe)))
        .collect();
    format!(
        "(WITH safe(name, vals) AS (VALUES {}), now AS (\
         SELECT s.name, s.setting, coalesce(s.sourcefile, s.source) AS place FROM pg_settings s WHERE s.source NOT IN ('client', 'session', 'default') \
         UNION SELECT f.name, f.setting, f.sourcefile FROM pg_file_settings f WHERE f.applied) \
         SELECT coalesce(json_agg(DISTINCT jsonb_build_array(n.name, n.setting, n.place)), '[]') FROM now n JOIN safe USING (name) \
         WHERE NOT lower(n.setting) = ANY (safe.vals || CASE WHEN 'on' = ANY (safe.vals) THEN '{{true,yes,1}}'::text[] \
         WHEN 'off' = ANY (safe.vals) THEN '{{false,no,0}}'::text[] ELSE '{{}}' END))",
        rows.join(", ")
    )
}

fn arrays(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    quoted.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weakens_is_told_from_what_does_not() {
        for (name, value, weak) in [
            ("fsync", "off", true),
            ("fsync", "false", true),
            ("fsync", "on", false),
            ("synchronous_commit", "local", true),
            ("synchronous_commit", "remote_apply", false),
            ("default_transaction_read_only", "on", true),
            ("search_path", "evil, public", true),
            ("Role", "none", false),
            ("session_preload_libraries", "", false),
            ("session_preload_libraries", "evil", true),
            ("work_mem", "1GB", false),
        ] {
            assert_eq!(is_weak_setting(name, value), weak, "{name} {value}");
        }
    }
}
