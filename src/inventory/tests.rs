//! Inventories by example: what is read, who wins, who is selected, what is refused.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::source::Diagnostics;

/// A directory with an inventory and files beside it.
pub(super) fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, text).expect("written");
    }
    dir
}

fn loaded(files: &[(&str, &str)], extra: &[&str]) -> Inventory {
    let dir = write(files);
    let extra: Vec<String> = extra.iter().map(|e| (*e).to_owned()).collect();
    load(&dir.path().join("i.yml"), &extra)
        .expect("a good inventory")
        .inventory
}

pub(super) fn inventory(text: &str) -> Inventory {
    loaded(&[("i.yml", text)], &[])
}

/// `code line:column` of every problem.
fn refused(text: &str, extra: &[&str]) -> Vec<String> {
    let dir = write(&[("i.yml", text)]);
    let extra: Vec<String> = extra.iter().map(|e| (*e).to_owned()).collect();
    match load(&dir.path().join("i.yml"), &extra) {
        Err(LoadError::Invalid {
            sources,
            diagnostics,
            ..
        }) => places(&sources, &diagnostics),
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn places(sources: &crate::source::Sources, diagnostics: &Diagnostics) -> Vec<String> {
    let line = |d: &crate::source::Diagnostic| match d.labels.first() {
        Some(label) => {
            let place = sources.place(label.span);
            format!("{} {}:{}", d.code, place.line, place.column)
        }
        None => d.code.to_owned(),
    };
    diagnostics.iter().map(line).collect()
}

fn text(inv: &Inventory, host: &str, name: &str) -> String {
    let var = inv.var(host, name).expect("a variable");
    var.node.as_str().unwrap_or_default().to_owned()
}

pub(super) const CITUS: &str = "
all:
  vars: { admin_ip: 10.10.10.10, pg_version: 18 }
  children:
    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 } } }
    pg-citus0:
      hosts:
        10.10.10.10: { pg_seq: 1, pg_role: primary }
        10.10.10.11: { pg_seq: 2, pg_role: replica }
      vars: { pg_cluster: pg-citus0, pg_shard: pg-citus, pg_group: 0 }
    workers:
      hosts:
        10.10.10.12: { pg_cluster: pg-citus1, pg_seq: 1 }
        10.10.10.13: { pg_cluster: pg-citus2, pg_seq: 1 }
      vars: { pg_shard: pg-citus, pg_version: 17 }
";

pub(super) fn names(hosts: &[HostName]) -> Vec<&str> {
    hosts.iter().map(HostName::as_str).collect()
}

#[test]
fn hosts_and_groups_keep_their_order() {
    let inv = inventory(CITUS);
    let hosts: Vec<&str> = inv.hosts.keys().map(HostName::as_str).collect();
    assert_eq!(
        hosts,
        ["10.10.10.10", "10.10.10.11", "10.10.10.12", "10.10.10.13"]
    );
    let groups: Vec<&str> = inv.groups.keys().map(GroupName::as_str).collect();
    assert_eq!(groups, ["all", "etcd", "pg-citus0", "workers"]);
    assert_eq!(inv.groups["all"].hosts.len(), 4);
}

#[test]
fn a_host_in_two_groups_has_the_variables_of_both() {
    let inv = inventory(CITUS);
    assert_eq!(text(&inv, "10.10.10.10", "etcd_seq"), "1");
    assert_eq!(text(&inv, "10.10.10.10", "pg_group"), "0");
    let groups = &inv.hosts["10.10.10.10"].groups;
    assert_eq!(
        groups.iter().map(GroupName::as_str).collect::<Vec<_>>(),
        ["all", "etcd", "pg-citus0"]
    );
}

#[test]
fn the_origin_of_a_variable_is_kept() {
    let inv = inventory(CITUS);
    let layer = |host: &str, name: &str| inv.var(host, name).map(|v| v.layer.to_string());
    assert_eq!(
        layer("10.10.10.10", "pg_version").as_deref(),
        Some("all.vars")
    );
    assert_eq!(
        layer("10.10.10.12", "pg_version").as_deref(),
        Some("group `workers`")
    );
    assert_eq!(layer("10.10.10.12", "pg_seq").as_deref(), Some("host"));
    let span = inv.var("10.10.10.12", "pg_seq").expect("pg_seq").node.span;
    assert_eq!(inv.sources.place(span).line, 13);
}

#[test]
fn files_and_extra_variables_win_as_in_ansible() {
    let inv = loaded(
        &[
            (
                "i.yml",
                "all:\n  vars: {a: 0, b: 0, c: 0, d: 0, e: 0}\n  children:\n    g:\n      vars: {b: 1, c: 1, d: 1}\n      hosts:\n        h: {d: 3, e: 3}\n",
            ),
            ("group_vars/all.yml", "a: f0\nc: f0\n"),
            ("group_vars/g/10.yml", "c: f1\n"),
            ("group_vars/g/20.yaml", "c: f2\n"),
            ("group_vars/g/.hidden.yml", "c: no\n"),
            ("host_vars/h", "e: hf\n"),
        ],
        &["x=1 y='two words'", "{\"e\": [1, yes]}"],
    );
    let got = inv.hosts["h"].vars.to_json();
    let want = json!({
        "a": "f0", "b": 1, "c": "f2", "d": 3, "e": [1, true], "x": "1", "y": "two words"
    });
    assert_eq!(got, want);
    let place = |name: &str| {
        inv.sources
            .place(inv.var("h", name).expect("var").node.span)
    };
    assert!(place("c").name.ends_with("group_vars/g/20.yaml"));
    assert_eq!(place("e").name, "-e");
}

#[test]
fn inline_group_variables_lose_to_the_file_of_all() {
    let inv = loaded(
        &[
            (
                "i.yml",
                "all: {children: {g: {vars: {b: inline}, hosts: {h: }}}}",
            ),
            ("group_vars/all.yml", "b: file\n"),
        ],
        &[],
    );
    assert_eq!(text(&inv, "h", "b"), "file");
}

#[test]
fn deeper_groups_win_then_priority_then_name() {
    let inv = inventory(
        "all:\n  children:\n    b: {hosts: {h: }, vars: {x: b, y: b}}\n    a: {hosts: {h: }, vars: {x: a, y: a, ansible_group_priority: 5}}\n    p: {vars: {z: p}, children: {c: {hosts: {h: }, vars: {z: c}}}}\n",
    );
    assert_eq!(text(&inv, "h", "x"), "a");
    assert_eq!(text(&inv, "h", "z"), "c");
    let groups = inv.hosts["h"].groups.iter().map(GroupName::as_str);
    assert_eq!(groups.collect::<Vec<_>>(), ["all", "b", "p", "a", "c"]);
}

#[test]
fn children_hosts_belong_to_their_parents() {
    let inv =
        inventory("all: {children: {p: {children: {c: {hosts: {h1: , h2: }}}, hosts: {h3: }}}}");
    assert_eq!(names(&inv.groups["p"].hosts), ["h1", "h2", "h3"]);
}

#[test]
fn a_group_outside_all_is_a_child_of_it() {
    let inv = inventory("web: {hosts: {h: }}\nall: {vars: {x: 1}}\n");
    assert_eq!(text(&inv, "h", "x"), "1");
    assert_eq!(inv.groups["all"].children, [GroupName::from("web")]);
}

#[test]
fn ranges_expand() {
    let inv =
        inventory("all: {hosts: {'db[08:10]': {x: 1}, 'n[a:c]': , 'm[0:4:2].x': , 'h:2222': }}");
    let hosts: Vec<&str> = inv.hosts.keys().map(HostName::as_str).collect();
    let want = [
        "db08", "db09", "db10", "na", "nb", "nc", "m0.x", "m2.x", "m4.x", "h",
    ];
    assert_eq!(hosts, want);
    assert_eq!(text(&inv, "h", "ansible_port"), "2222");
    assert_eq!(text(&inv, "db09", "x"), "1");
}

#[test]
fn ipv6_addresses_are_host_names() {
    let inv = inventory("all: {hosts: {'fd00::1': {x: 1}}}");
    assert_eq!(text(&inv, "fd00::1", "x"), "1");
}

#[test]
fn wrong_shapes_have_places() {
    let cases = [
        ("- a\n", "inventory-shape 1:1"),
        ("all:\n  hosts: [a, b]\n", "inventory-shape 2:10"),
        ("all:\n  children:\n    - g\n", "inventory-shape 3:5"),
        ("all:\n  vars: 7\n  hosts: {h: }\n", "inventory-shape 2:9"),
        ("all:\n  hosts:\n    h: primary\n", "inventory-shape 3:8"),
        ("all:\n  children: {g: text}\n", "inventory-shape 2:17"),
        (
            "all:\n  host: {h: }\n  hosts: {h: }\n",
            "inventory-part 2:3",
        ),
        ("all: {hosts: {'a[3:1]': }}\n", "inventory-range 1:15"),
        ("all: {vars: {x: 1}}\n", "inventory-no-hosts 1:1"),
        ("# nothing\n", "inventory-empty"),
        ("all: {hosts: {h: {x: !vault abc}}}\n", "vault-format 1:29"),
        ("all: {hosts: {h: {x: [!odd abc]}}}\n", "yaml-tag 1:28"),
    ];
    for (text, want) in cases {
        assert_eq!(refused(text, &[]), [want], "{text}");
    }
}

#[test]
fn several_problems_are_reported_at_once() {
    let found = refused("all:\n  vars: 7\n  hosts: [h]\n  vras: {}\n", &["novalue"]);
    let want = [
        "extra-vars 1:1",
        "inventory-shape 2:9",
        "inventory-shape 3:10",
        "inventory-part 4:3",
    ];
    assert_eq!(found, want);
}

#[test]
fn groups_that_contain_themselves_are_refused() {
    let text = "a: {children: {b: }}\nb: {children: {a: }, hosts: {h: }}\n";
    assert_eq!(refused(text, &[]), ["inventory-cycle 1:1"]);
}

#[test]
fn a_missing_file_is_an_io_error() {
    let error = load(Path::new("/nonexistent/i.yml"), &[]).expect_err("missing");
    assert!(matches!(&error, LoadError::Io { .. }));
    assert!(error.to_string().starts_with("/nonexistent/i.yml: "));
}

#[test]
fn an_encrypted_file_is_named() {
    assert_eq!(
        refused("$ANSIBLE_VAULT;1.1;AES256\n6162\n", &[]),
        ["vault-format 1:1"]
    );
}

#[test]
fn malformed_extra_variables_are_refused() {
    let good = "all: {hosts: {h: }}";
    for bad in ["x", "=1", "1x=2", "x='a", "{x: ", "[1]", "a-b=1"] {
        let found = refused(good, &[bad]);
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
    }
}

#[test]
fn extra_variables_come_from_files_too() {
    let dir = write(&[("i.yml", "all: {hosts: {h: }}"), ("x.yml", "a: [1]\n")]);
    let extra = vec![format!("@{}", dir.path().join("x.yml").display())];
    let inv = load(&dir.path().join("i.yml"), &extra)
        .expect("good")
        .inventory;
    assert_eq!(inv.hosts["h"].vars.to_json(), json!({"a": [1]}));
    let missing = load(&dir.path().join("i.yml"), &["@/nonexistent".to_owned()]);
    assert!(matches!(missing, Err(LoadError::Io { .. })));
}

#[test]
fn a_second_vars_file_of_the_same_name_is_a_warning() {
    let dir = write(&[
        ("i.yml", "all: {hosts: {h: }}"),
        ("host_vars/h.yml", "a: 1"),
        ("host_vars/h.yaml", "a: 2"),
    ]);
    let loaded = load(&dir.path().join("i.yml"), &[]).expect("good");
    assert_eq!(text(&loaded.inventory, "h", "a"), "1");
    assert_eq!(
        places(&loaded.inventory.sources, &loaded.warnings),
        ["vars-file-shadowed"]
    );
}

#[test]
fn files_of_variables_that_nobody_reads_are_named() {
    let dir = write(&[
        ("i.yml", "all: {children: {pg-test: {hosts: {h: }}}}"),
        ("group_vars/pg-tset.yml", "a: 1"),
        ("group_vars/pg-test", "a: 1"),
        ("group_vars/all.yml", "a: 1"),
        ("group_vars/all.yml.bak", "a: 1"),
        ("host_vars/elsewhere/x.yml", "a: 1"),
    ]);
    let loaded = load(&dir.path().join("i.yml"), &[]).expect("good");
    let said = loaded.warnings.iter().map(|said| {
        let words = said.message.rsplit('/').next().unwrap_or_default();
        format!("{:?} {words} {}", said.severity, said.help.concat())
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "Warning pg-tset.yml is not read: there is no group `pg-tset` did you mean `pg-test`?",
            "Note elsewhere is not read: there is no host `elsewhere` ",
        ]
    );
}

#[test]
fn placeholders_expand_once_and_leave_the_unknown() {
    let lookup = |name: &str| (name == "admin_ip").then(|| "10.0.0.1".to_owned());
    let expand = |text| super::expand(text, &lookup);
    assert_eq!(expand("${admin_ip} i.pigsty"), "10.0.0.1 i.pigsty");
    assert_eq!(expand("${other} ${admin_ip}${"), "${other} 10.0.0.1${");
}

#[test]
fn lists_have_the_shape_of_ansible() {
    let inv = inventory(
        "all: {vars: {x: 1}, children: {p: {children: {c: {hosts: {h1: }}}, hosts: {h2: {y: 2}}}}}",
    );
    let want = json!({
        "_meta": {"hostvars": {"h1": {"x": 1}, "h2": {"x": 1, "y": 2}}},
        "all": {"children": ["p"]},
        "p": {"hosts": ["h2"], "children": ["c"]},
        "c": {"hosts": ["h1"]},
    });
    assert_eq!(list_json(&inv), want);
    assert_eq!(
        host_json(&inv, &HostName::from("h2")),
        Some(json!({"x": 1, "y": 2}))
    );
    assert_eq!(
        graph(&inv),
        "@all:\n  |--@p:\n  |  |--@c:\n  |  |  |--h1\n  |  |--h2\n"
    );
    let rows = origins(&inv);
    let (host, name, layer, place) = &rows[2];
    assert_eq!(
        (host.as_str(), name.as_str(), layer.as_str()),
        ("h2", "y", "host")
    );
    assert!(place.ends_with("i.yml:1:84"), "{place}");
}

#[test]
fn ten_thousand_hosts_load_quickly() {
    let hosts: String = (0..10_000)
        .map(|n| format!("    h{n}: {{pg_seq: {n}, pg_role: replica}}\n"))
        .collect();
    let inv = inventory(&format!("all:\n  vars: {{a: 1, b: 2}}\n  hosts:\n{hosts}"));
    assert_eq!(inv.hosts.len(), 10_000);
    assert_eq!(text(&inv, "h9999", "pg_seq"), "9999");
}
