//! Pigsty's `${name}` inside values.

/// Replaces each `${name}` that `lookup` knows; others stay as they are.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let name = &rest[start + 2..start + length];
        match lookup(name) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[start..=start + length]),
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn replaces_what_is_known() {
        let lookup = |name: &str| (name == "admin_ip").then(|| "10.0.0.1".to_owned());
        assert_eq!(
            expand("${admin_ip} x ${other} ${", &lookup),
            "10.0.0.1 x ${other} ${"
        );
    }
}
