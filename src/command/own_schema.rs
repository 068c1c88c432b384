//! A schema of ours in a database that others own. Default privileges may give every new schema away, with the right to make objects in it,
//! and every new table, with the right to put triggers on it: whoever then writes there would run what others wrote.

/// SQL that makes a schema which nobody else may use or write. `name` is a plain word. To be sent as one transaction with
/// whatever is made in it, so that nobody sees it before.
pub fn own_schema(name: &str) -> String {
    format!("CREATE SCHEMA {name}; {}", own_schema_only(name))
}

/// SQL that takes everybody else's privileges on a schema away, whoever gave them.
pub fn own_schema_only(name: &str) -> String {
    format!(
        "DO $own$DECLARE other pg_catalog.text; BEGIN FOR other IN {} LOOP \
         EXECUTE 'REVOKE ALL ON SCHEMA {name} FROM ' || other; END LOOP; END$own$",
        grantees(
            "pg_catalog.pg_namespace o",
            "o.nspacl",
            "o.nspowner",
            &format!("o.nspname = '{name}'")
        )
    )
}

/// The query that names everybody who has privileges on an object besides its owner, as `REVOKE` takes them.
pub fn grantees(table: &str, acl: &str, owner: &str, which: &str) -> String {
    format!(
        "SELECT DISTINCT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END \
         FROM {table}, pg_catalog.aclexplode({acl}) x WHERE {which} AND x.grantee <> {owner}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_made_and_closed_in_one_go() {
        let text = own_schema("ours");
        let (make, close) = (
            text.find("CREATE SCHEMA ours;"),
            text.find("REVOKE ALL ON SCHEMA ours FROM"),
        );
        assert!(make < close && close.is_some(), "{text}");
    }
}
