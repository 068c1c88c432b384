//! Values that used to mean nothing, or something else: where they act now, in the model and in rendered files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// All files of an inventory by name.
fn rendered(text: &str) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("i.yml"), dir.path().join("out"));
    std::fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_citusctl"))
        .args(["render", "-q", "-i"])
        .arg(&path)
        .arg("-d")
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files = BTreeMap::new();
    gather(&out, &out, &mut files);
    files
}

fn gather(root: &Path, dir: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(root, &path, files);
            continue;
        }
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        files.insert(name, std::fs::read_to_string(&path).unwrap());
    }
}

fn has(files: &BTreeMap<String, String>, name: &str, words: &str) {
    let text = files
        .get(name)
        .unwrap_or_else(|| panic!("no {name} among {:?}", files.keys()));
    assert!(text.contains(words), "{name} has no {words:?}:\n{text}");
}

#[test]
fn hosts_of_ipv6_listen_there() {
    let files = rendered(
        "all: {children: {etcd: {hosts: {'fd00::1': {etcd_seq: 1}}},
          pg: {hosts: {'fd00::1': {pg_seq: 1, pg_role: primary}, 'fd00::2': {pg_seq: 2, pg_role: replica}}, vars: {pg_cluster: pg}}}}",
    );
    let at = |path: &str| format!("fd00::1/{path}");
    has(
        &files,
        &at("etc/haproxy/haproxy.cfg"),
        "bind [::]:9101 v4v6\n    mode http",
    );
    has(
        &files,
        &at("etc/haproxy/conf.d/pg-primary.cfg"),
        "bind [::]:5433 v4v6\n    mode tcp",
    );
    has(
        &files,
        &at("etc/haproxy/conf.d/pg-primary.cfg"),
        "server pg-2 [fd00::2]:6432",
    );
    has(
        &files,
        &at("etc/pgbouncer/listen.ini"),
        "listen_addr = 0.0.0.0,::\n",
    );
    let patroni = at("pg/conf/pg-1.yml");
    has(&files, &patroni, "listen: '0.0.0.0,:::5432'");
    has(&files, &patroni, "connect_address: '[fd00::1]:5432'");
    has(&files, &patroni, "host all +dbrole_readonly");
    let text = &files[&patroni];
    let lets_in = |address: &str| {
        text.lines()
            .any(|line| line.contains("+dbrole_readonly") && line.contains(address))
    };
    assert!(lets_in("fd00::1/128") && lets_in("fd00::2/128"), "{text}");
    has(
        &files,
        &at("etc/etcd/etcd.conf.yml"),
        "advertise-client-urls: https://[fd00::1]:2379",
    );
}

#[test]
fn hosts_of_ipv4_stay_as_they_were() {
    let files = rendered(
        "all: {children: {etcd: {hosts: {10.0.0.1: {etcd_seq: 1}}}, pg: {hosts: {10.0.0.1: {pg_seq: 1, pg_role: primary}}, vars: {pg_cluster: pg}}}}",
    );
    has(&files, "10.0.0.1/etc/haproxy/haproxy.cfg", "bind *:9101\n");
    has(
        &files,
        "10.0.0.1/etc/haproxy/conf.d/pg-primary.cfg",
        "bind *:5433\n    mode tcp\n",
    );
    has(
        &files,
        "10.0.0.1/pg/conf/pg-1.yml",
        "listen: '0.0.0.0:5432'",
    );
    assert!(!files["10.0.0.1/pg/conf/pg-1.yml"].contains("10.0.0.1/32 scram-sha-256 # intra"));
}

const PUBLIC: &str = "
all:
  children:
    etcd: { hosts: { 203.0.113.1: { etcd_seq: 1 } } }
    pg:
      hosts:
        203.0.113.1: { pg_seq: 1, pg_role: primary, pg_weight: 0, pg_vip_interface: eth1 }
        203.0.113.2: { pg_seq: 2, pg_role: replica, pg_weight: 50, pg_vip_interface: bond0 }
        203.0.113.3: { pg_seq: 3, pg_role: replica, pg_weight: 7 }
      vars: { pg_cluster: pg, pg_vip_enabled: true, pg_vip_address: 203.0.113.9/24 }
";

#[test]
fn an_interface_is_each_hosts_own() {
    let files = rendered(PUBLIC);
    has(
        &files,
        "203.0.113.1/etc/citusctl/vip.json",
        "\"interface\": \"eth1\"",
    );
    has(
        &files,
        "203.0.113.2/etc/citusctl/vip.json",
        "\"interface\": \"bond0\"",
    );
    has(
        &files,
        "203.0.113.3/etc/citusctl/vip.json",
        "\"interface\": null",
    );
}

#[test]
fn weights_do_not_count_where_one_server_is_picked() {
    let files = rendered(PUBLIC);
    let service = |name: &str| format!("203.0.113.1/etc/haproxy/conf.d/pg-{name}.cfg");
    for name in ["primary", "default"] {
        let text = &files[&service(name)];
        let servers: Vec<&str> = text
            .lines()
            .filter(|line| line.trim().starts_with("server "))
            .collect();
        assert!(
            servers.len() == 3 && servers.iter().all(|line| line.contains(" weight 100")),
            "{text}"
        );
    }
    has(&files, &service("replica"), "weight 50");
}

#[test]
fn members_with_public_addresses_come_through_haproxy() {
    let text = &rendered(PUBLIC)["203.0.113.1/pg/conf/pg-1.yml"];
    let lets_in = |address: &str| {
        text.lines()
            .any(|line| line.contains("+dbrole_readonly") && line.contains(address))
    };
    assert!(
        lets_in("10.0.0.0/8") && lets_in("203.0.113.1/32") && lets_in("203.0.113.3/32"),
        "{text}"
    );
}

fn standby(upstream: &str) -> String {
    let text = format!(
        "all: {{children: {{etcd: {{hosts: {{10.0.0.1: {{etcd_seq: 1}}}}}},
          pg-a: {{hosts: {{10.0.0.2: {{pg_seq: 2, pg_role: replica}}, 10.0.0.1: {{pg_seq: 1, pg_role: primary}}, 10.0.0.3: {{pg_seq: 3, pg_role: offline}}}},
            vars: {{pg_cluster: pg-a, pg_port: 5444}}}},
          pg-b: {{hosts: {{10.0.0.4: {{pg_seq: 1, pg_role: primary, pg_upstream: '{upstream}'}}}}, vars: {{pg_cluster: pg-b}}}}}}}}"
    );
    let file = rendered(&text)
        .remove("10.0.0.4/pg/conf/pg-b-1.yml")
        .unwrap();
    let mut lines = file
        .lines()
        .skip_while(|line| !line.contains("standby_cluster:"))
        .skip(1);
    let mut found = lines.by_ref().take(2).map(str::trim).collect::<Vec<_>>();
    found.sort_unstable();
    found.join(" ").replace('\'', "")
}

#[test]
fn a_standby_cluster_follows_what_may_lead_at_its_own_port() {
    for (upstream, want) in [
        ("pg-a", "host: 10.0.0.1,10.0.0.2 port: 5444"),
        ("pg-a-2", "host: 10.0.0.2 port: 5444"),
        ("10.0.0.3", "host: 10.0.0.3 port: 5444"),
        ("10.9.9.9", "host: 10.9.9.9 port: 5432"),
        ("db.example.com:6000", "host: db.example.com port: 6000"),
    ] {
        assert_eq!(standby(upstream), want, "{upstream}");
    }
}

#[test]
fn a_name_of_a_repository_stays_in_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("i.yml");
    let text = "all: {hosts: {10.0.0.1: {node_repos: [{name: ../../../../../../../escaped, line: deb https://a.example x y}]}}}";
    std::fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_citusctl"))
        .args(["render", "-i"])
        .arg(&path)
        .arg("-d")
        .arg(dir.path().join("a/b/c"))
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!dir.path().join("escaped.list").exists());
}

#[test]
fn own_variables_are_left_alone_and_near_misses_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let said = |name: &str| {
        let path = dir.path().join("i.yml");
        std::fs::write(
            &path,
            format!("all: {{hosts: {{10.0.0.1: {{{name}: 1}}}}}}"),
        )
        .unwrap();
        let (_, said) = crate::check::diagnose(&path);
        said.iter()
            .find(|problem| problem.code == "unknown-parameter")
            .map(|problem| problem.severity)
    };
    use citusctl::source::Severity::{Error, Warning};
    for (name, want) in [
        ("app_port", None),
        ("admin_password", None),
        ("my_own", None),
        ("node_name", Some(Warning)),
        ("pg_frobnicate", Some(Warning)),
        ("pg_verson", Some(Error)),
        ("pg_user", Some(Error)),
        ("patroni_enable", Some(Error)),
    ] {
        assert_eq!(said(name), want, "{name}");
    }
}
