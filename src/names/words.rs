//! Numbers and names in words.

/// `1 host`, `2 hosts`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `87 ms`, `1.2 s`, `3 min 4 s`.
pub fn duration(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        1000..=59_999 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// `12 B`, `3.4 KiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number;
    let mut rest = 0;
    let mut unit = 0;
    while value >= 1024 && unit + 1 < UNITS.len() {
        rest = value % 1024;
        value /= 1024;
        unit += 1;
    }
    if unit == 0 {
        format!("{value} B")
    } else {
        format!("{value}.{} {}", rest * 10 / 1024, UNITS[unit])
    }
}

/// Whether a name can stand in files that know no quotes: before an equal sign in PgBouncer's, after `listen` in HAProxy's,
/// and as the name of a file.
pub fn is_plain(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    !name.is_empty() && name.chars().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_numbers_as_people_do() {
        assert_eq!([count(1, "host"), count(2, "host")], ["1 host", "2 hosts"]);
        assert_eq!(
            [duration(87), duration(1234), duration(184_000)],
            ["87 ms", "1.2 s", "3 min 4 s"]
        );
        assert_eq!(
            [bytes(12), bytes(3482), bytes(1 << 30)],
            ["12 B", "3.4 KiB", "1.0 GiB"]
        );
    }

    #[test]
    fn plain_names_need_no_quotes() {
        assert!(is_plain("pg-meta_1.rw"));
        for odd in ["", "a b", "a=b", "a\"b", "a/b", "ü"] {
            assert!(!is_plain(odd), "{odd}");
        }
    }
}
