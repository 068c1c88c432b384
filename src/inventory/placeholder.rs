//! `${name}` in values, as Pigsty's templates use it (`${admin_ip}`, `${pg_cluster}`).

/// The text with every `${name}` replaced for which there is a value; others stay as written.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let end = start + length + 1;
        out.push_str(&rest[..start]);
        match lookup(&rest[start + 2..end - 1]) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Whether a text holds `${...}` or `{{ ... }}`, so that its final value is not known yet.
pub fn is_open(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}
