//! Whose Patroni answered: by the scope and the name that its REST API gives.

use serde_json::Value;

/// What an answer of the REST API says of the Patroni behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    Ours,
    /// Another one: what it is instead, in words.
    Stranger(String),
    /// The answer names no scope, as `/config` does and `/cluster` of Patroni 3.0.
    Unsaid,
}

/// Reads an answer to `GET /patroni` (scope and, from 3.1 on, name) or `GET /cluster` (scope, from 3.1 on).
pub fn whose(answer: &Value, scope: &str, name: &str) -> Whose {
    let text = |path: &str| answer.pointer(path).and_then(Value::as_str);
    let Some(is) = text("/patroni/scope").or_else(|| text("/scope")) else {
        return Whose::Unsaid;
    };
    match text("/patroni/name") {
        _ if is != scope => Whose::Stranger(format!("its scope is `{is}`, not `{scope}`")),
        Some(is) if is != name => Whose::Stranger(format!("its name is `{is}`, not `{name}`")),
        Some(_) | None => Whose::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patroni_is_ours_by_its_scope_and_its_name() {
        let of = |answer: Value| whose(&answer, "pg-test", "pg-test-1");
        let own = |scope: &str, name: &str| json!({"state": "running", "patroni": {"version": "4.0.7", "scope": scope, "name": name}});
        assert_eq!(of(own("pg-test", "pg-test-1")), Whose::Ours);
        assert_eq!(
            of(own("other", "pg-test-1")),
            Whose::Stranger("its scope is `other`, not `pg-test`".to_owned())
        );
        assert_eq!(
            of(own("pg-test", "pg-test-2")),
            Whose::Stranger("its name is `pg-test-2`, not `pg-test-1`".to_owned())
        );
        assert_eq!(of(json!({"members": [], "scope": "pg-test"})), Whose::Ours);
        assert!(matches!(of(json!({"scope": "other"})), Whose::Stranger(_)));
        // Patroni 3.0 names no member there, and no scope in `/cluster`.
        assert_eq!(of(json!({"patroni": {"scope": "pg-test"}})), Whose::Ours);
        assert_eq!(of(json!({"members": []})), Whose::Unsaid);
        assert_eq!(of(Value::Null), Whose::Unsaid);
    }
}
