//! The catalogue against values: what is accepted, what is said, what is masked.

use serde_json::{Value, json};

use super::*;
use crate::inventory::{Inventory, load};

fn inventory(vars: &str, extra: &[&str]) -> Inventory {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("i.yml");
    let indented = vars.replace('\n', "\n        ");
    let text = format!(
        "all:\n  children:\n    g:\n      hosts: {{ h: }}\n      vars:\n        {indented}\n"
    );
    std::fs::write(&path, text).expect("written");
    let extra: Vec<String> = extra.iter().map(|e| (*e).to_owned()).collect();
    load(&path, &extra).expect("a good inventory").inventory
}

/// `code line:column message`, lines counted from the first variable.
fn said(vars: &str) -> Vec<String> {
    let inv = inventory(vars, &[]);
    let line = |d: &crate::source::Diagnostic| {
        let place = inv.sources.place(d.labels[0].span);
        let help = d.help.first().cloned().unwrap_or_default();
        format!(
            "{} {}:{} {} ({help})",
            d.code,
            place.line - 5,
            place.column - 8,
            d.message
        )
    };
    check_vars(&inv).iter().map(line).collect()
}

fn starts(found: &[String], want: &[&str]) {
    let fits = found.len() == want.len() && found.iter().zip(want).all(|(f, w)| f.starts_with(w));
    assert!(fits, "{found:#?} is not {want:#?}");
}

fn typed(vars: &str, extra: &[&str], name: &str) -> Value {
    let inv = inventory(vars, extra);
    Typed::new(&inv.hosts["h"].vars).json(name)
}

#[test]
fn wrong_types_are_errors_at_the_value() {
    starts(
        &said("pg_port: 70000"),
        &["wrong-type 1:10 `pg_port` wants a port"],
    );
    starts(
        &said("pg_weight: [1]"),
        &["wrong-type 1:12 `pg_weight` wants a whole number"],
    );
    starts(
        &said("pg_role: leader"),
        &["wrong-type 1:10 `pg_role` wants one of primary"],
    );
    starts(
        &said("pg_max_conn: many"),
        &["wrong-type 1:14 `pg_max_conn` wants auto or a whole"],
    );
    starts(
        &said("haproxy_client_timeout: 1 fortnight"),
        &["wrong-type 1:25"],
    );
    starts(
        &said("pg_services: {name: x}"),
        &["wrong-type 1:14 `pg_services` wants a list of mappings"],
    );
    starts(
        &said("node_firewall_intranet: [10.0.0.0/8, lan]"),
        &["wrong-type 1:38 `node_firewall_intranet[1]` wants an address"],
    );
}

#[test]
fn what_pigsty_accepts_is_accepted() {
    let good = "pg_rto: safe\npg_max_conn: auto\npg_delay: 1h\npg_dummy_filesize: 64MiB\n\
                patroni_watchdog_mode: off\npg_synchronous_mode: on\npg_dbsu_password: 12345\n\
                pg_conf: oltp.yml\nnode_tune: none\npg_vip_address: 10.10.10.2/24\n\
                pg_version: '17'\nhaproxy_client_timeout: 24h\nnode_etc_hosts: ['${admin_ip} x']\n\
                pg_users: [{name: a, password: b, roles: [c], pgbouncer: yes, parameters: {x: 1}}]\n\
                pg_databases: [{name: a, owner: b, extensions: [citus, {name: x}], schemas: [s]}]";
    let grave: Vec<String> = said(good)
        .into_iter()
        .filter(|s| !s.starts_with("noted"))
        .collect();
    assert_eq!(grave, Vec::<String>::new());
}

#[test]
fn fields_of_records_are_judged_with_their_places() {
    let found = said("pg_users:\n  - { name: a, passwrd: b, login: maybe }\n  - { comment: c }");
    starts(
        &found[..3],
        &[
            "unknown-field 2:16 `pg_users[0]` has no field `passwrd` (did you mean `password`?)",
            "wrong-type 2:35 `pg_users[0].login` wants true or false",
            "missing-field 3:5 `pg_users[1]` needs the field `name`",
        ],
    );
}

#[test]
fn misspelt_names_are_errors_and_odd_ones_warnings() {
    let found =
        said("pg_verson: 17\nmy_own: 1\nredis_cluster: x\nredis_port: 1\npg_frobnicate_it: 1");
    starts(
        &found,
        &[
            "unknown-parameter 1:1 there is no parameter `pg_verson` (did you mean `pg_version`?)",
            "unknown-parameter 5:1 there is no parameter `pg_frobnicate_it`",
            "noted-module 3:1 parameters of `redis` have no effect here: `redis_cluster`, `redis_port`",
        ],
    );
}

#[test]
fn a_place_is_judged_once() {
    let inv = {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("i.yml");
        let text = "all: {vars: {pg_port: x}, hosts: {a: , b: , c: {pg_port: y}}}";
        std::fs::write(&path, text).expect("written");
        load(&path, &[]).expect("good").inventory
    };
    assert_eq!(check_vars(&inv).iter().count(), 2);
}

#[test]
fn older_forms_are_warnings() {
    starts(
        &said("pg_clean: yes\nca_method: create"),
        &["legacy-parameter 1:1", "legacy-parameter 2:1"],
    );
}

#[test]
fn typed_values_have_the_type_of_the_parameter() {
    let vars = "pg_version: '15'\npg_weight: 0x10\npatroni_watchdog_mode: off\npg_checksum: no\n\
                citus_version: 12.10\npg_dbsu_password: 0123\npg_port: bad\npg_locale:\n";
    let value = |name: &str| typed(vars, &["etcd_port=3379 patroni_enabled=no"], name);
    assert_eq!(value("pg_version"), json!(15));
    assert_eq!(value("pg_weight"), json!(16));
    assert_eq!(value("patroni_watchdog_mode"), json!("off"));
    assert_eq!(value("pg_checksum"), json!(false));
    assert_eq!(value("citus_version"), json!("12.10"));
    assert_eq!(value("pg_dbsu_password"), json!("0123"));
    assert_eq!(
        value("pg_port"),
        json!(5432),
        "wrong values count as not given"
    );
    assert_eq!(value("pg_locale"), json!("C"), "null counts as not given");
    assert_eq!(value("etcd_port"), json!(3379));
    assert_eq!(value("patroni_enabled"), json!(false));
    assert_eq!(value("nobody_knows"), Value::Null);
}

#[test]
fn references_are_replaced() {
    let vars = "base: 7\nname: x\npg_weight: '{{ base }}'\npg_cluster: 'pg-{{ name }}-{{base}}'\n\
                pg_extensions: ['{{ name }}']\na: '{{ b }}'\nb: '{{ a }}'\nkept: !unsafe '{{ base }}'\n\
                odd: '{{ name | upper }}'";
    let value = |name: &str| typed(vars, &[], name);
    assert_eq!(value("pg_weight"), json!(7));
    assert_eq!(value("pg_cluster"), json!("pg-x-7"));
    assert_eq!(value("pg_extensions"), json!(["x"]));
    assert_eq!(value("a"), json!("{{ a }}"));
    assert_eq!(value("kept"), json!("{{ base }}"));
    assert_eq!(value("odd"), json!("{{ name | upper }}"));
    starts(
        &said("pg_shard: '{{ nowhere }}'"),
        &["unresolved-template 1:11 `pg_shard`"],
    );
    assert_eq!(said(vars), Vec::<String>::new());
}

#[test]
fn secrets_are_found_and_masked() {
    let vars = "pg_admin_password: topsecret\npg_users: [{name: a, password: hidden1}]\n\
                pgbackrest_repo: {s3: {s3_key_secret: hidden2, path: /x}}\nmy_api_token: hidden3\n\
                pg_parameters: {password_encryption: md5}\npg_dbsu_password: ''\n\
                mine: hidden4\npatroni_password: '{{ mine }}'\ndsn: [app=hidden1]";
    let inv = inventory(vars, &[]);
    let host = &inv.hosts["h"];
    let all = Typed::new(&host.vars).secrets();
    let all: Vec<&str> = all.iter().map(crate::secret::Secret::expose).collect();
    for secret in ["topsecret", "hidden1", "hidden2", "hidden3", "Etcd.Root"] {
        assert!(all.contains(&secret), "{secret} in {all:?}");
    }
    assert!(!all.contains(&"md5") && !all.contains(&"DBUser.DBA") && !all.contains(&""));
    let shown = crate::inventory::host_json(&inv, &host.name).expect("a host");
    let text = shown.to_string();
    assert!(
        !text.contains("topsecret") && !text.contains("hidden"),
        "{text}"
    );
    assert_eq!(shown["pgbackrest_repo"]["s3"]["path"], "/x");
    assert_eq!(shown["pg_parameters"]["password_encryption"], "md5");
    assert_eq!(shown["pg_dbsu_password"], "");
}

#[test]
fn fields_of_records_have_their_types() {
    let vars = "pg_users: [{name: on, pgbouncer: 'yes', pool_connlimit: '5', parameters: {work_mem: 1}}, {name: 007}]";
    let inv = inventory(vars, &[]);
    let users = Typed::new(&inv.hosts["h"].vars).json("pg_users");
    let expected = serde_json::json!([
        { "name": "on", "pgbouncer": true, "pool_connlimit": 5, "parameters": { "work_mem": 1 } },
        { "name": "007" },
    ]);
    assert_eq!(users, expected);
}

#[test]
fn names_are_those_that_stand_in_the_open() {
    let vars = "pg_cluster: pg-test\npg_users: [{name: app, password: test}]\nmine: other";
    let names = names_of(&inventory(vars, &[]));
    for name in ["pg-test", "test", "app", "h", "pigsty"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    assert!(!names.contains("other"));
}

#[test]
fn defaults_have_no_faults_and_every_parameter_is_explained() {
    for param in all() {
        assert!(
            !param.doc.is_empty() && !param.kind.words().is_empty(),
            "{}",
            param.name
        );
        let DefaultValue::Json(text) = param.default else {
            continue;
        };
        let mut sources = crate::source::Sources::default();
        let node = crate::source::yaml::parse_text(&mut sources, "default", text).expect("YAML");
        let node = node.expect("a value");
        let faults = fault::faults(param.kind, &node);
        assert!(faults.is_empty(), "{}: {faults:?}", param.name);
    }
}

#[test]
fn names_are_unique_and_defaults_fit_their_kind() {
    let mut seen = std::collections::BTreeSet::new();
    for param in all() {
        assert!(seen.insert(param.name), "{} twice", param.name);
        if let DefaultValue::Json(text) = param.default {
            let value: serde_json::Value = serde_json::from_str(text).expect(param.name);
            assert_eq!(param.kind.mismatch(&value), None, "{}", param.name);
        }
    }
    assert!(seen.len() > 180, "{}", seen.len());
}

#[test]
fn suggests_the_nearest_name() {
    assert_eq!(suggest("pg_verson"), Some("pg_version"));
    assert_eq!(suggest("my_own_variable"), None);
}

#[test]
fn older_names_count_as_the_present_ones_unless_those_are_given() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("i.yml");
    let text = "all: {hosts: {a: {pg_fs_bkup: /x}, b: {pg_fs_bkup: /x, pg_fs_backup: /y}}}";
    std::fs::write(&path, text).expect("written");
    let inv = crate::inventory::load(&path, &[]).expect("good").inventory;
    let value = |host| {
        inv.var(host, "pg_fs_backup")
            .and_then(|var| var.node.as_str())
    };
    assert_eq!((value("a"), value("b")), (Some("/x"), Some("/y")));
}

#[test]
fn seconds_and_older_names_are_warned_of_at_their_place() {
    starts(
        &said("pg_rto: 30"),
        &["legacy-parameter 1:9 `pg_rto` in seconds"],
    );
    starts(
        &said("node_conf: oltp"),
        &["legacy-parameter 1:1 `node_conf` is an older form"],
    );
}

#[test]
fn every_default_reads_as_the_type_of_its_key_and_every_key_has_the_parameters_name() {
    let wrong = [
        super::table_node::wrong(),
        super::table_pgsql::wrong(),
        super::table_access::wrong(),
        super::table_own::wrong(),
    ];
    assert_eq!(wrong.concat(), Vec::<&str>::new());
}

#[test]
fn a_key_reads_the_value_of_the_host_else_the_default() {
    let inv = inventory(
        "pg_port: '6000'\npg_vip_enabled: yes\npatroni_port: none",
        &[],
    );
    let typed = Typed::new(&inv.hosts["h"].vars);
    assert_eq!(typed.get(param::PG_PORT), 6000);
    assert!(typed.get(param::PG_VIP_ENABLED));
    assert_eq!(typed.get(param::PATRONI_PORT), 8008);
    assert_eq!(typed.get(param::PG_SHARD), None);
    assert!(typed.span(param::PG_PORT).is_some());
    assert!(typed.span(param::PG_SHARD).is_none());
}
