//! The shipped templates, rendered for a host of a formation and for a plain one. With
//! `CITUSCTL_RENDERED=DIR` the files are left there, for the programs that read them to judge.

use crate::model::dcs::{DcsInput, SyncMode, bootstrap_config, dynamic_config, local_parameters};
use crate::model::hba::{HbaEnv, expand};
use crate::model::tuning::{Hardware, Profile, TuningInput, tuning};
use crate::pki::{Ca, LeafRequest, Usage};
use crate::secret::Secret;
use crate::source::{Sources, yaml};
use crate::template::{Context, Engine, secret};
use serde_json::{Value as Json, json};
use std::path::Path;

/// Everything that a quoting mistake would trip over.
const PASSWORD: &str = "it's #1: \"x\" \\ %s {{ y }} $HOME";

fn engine() -> Engine {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("roles");
    let mut files = Vec::new();
    for role in std::fs::read_dir(&root).unwrap() {
        let dir = role.unwrap().path().join("templates");
        for file in std::fs::read_dir(&dir).into_iter().flatten() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(root.parent().unwrap()).unwrap();
            files.push((
                name.to_str().unwrap().to_owned(),
                std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
    let shared = "templates/etcd.sh";
    let text = std::fs::read_to_string(root.with_file_name(shared)).unwrap();
    files.push((shared.to_owned(), text));
    Engine::new(files)
}

fn dcs(citus: bool, patroni: &str) -> Json {
    let options = TuningInput {
        citus,
        ..TuningInput::default()
    };
    let hardware = Hardware {
        cpu: 2,
        mem_mb: 1024,
        disk_gb: 20,
    };
    dynamic_config(&DcsInput {
        patroni: patroni.parse().unwrap(),
        citus,
        profile: Profile::Oltp,
        ttl: 30,
        loop_wait: 5,
        retry_timeout: 10,
        primary_start_timeout: 25,
        rpo: 1_048_576,
        synchronous: SyncMode::Auto,
        standby_of: None,
        parameters: tuning(Profile::Oltp, hardware, &options),
        overrides: serde_json::Map::new(),
    })
}

fn hba(citus: bool) -> Vec<String> {
    let addresses = vec![
        "10.10.10.11".parse().unwrap(),
        "10.10.10.12".parse().unwrap(),
    ];
    let env = HbaEnv {
        dbsu: "postgres".into(),
        replication: "replicator".into(),
        monitor: "dbuser_monitor".into(),
        admin: "dbuser_dba".into(),
        admin_ip: None,
        infra: Vec::new(),
        group: addresses.clone(),
        formation: addresses,
        citus_db: citus.then(|| "citus".to_owned()),
        pooler_asks: false,
        intranet: vec!["10.0.0.0/8".into()],
        password_method: "scram-sha-256".into(),
        role: "primary".into(),
        offline_query: false,
    };
    let rules = json!([{"user": "${admin}", "addr": "world", "auth": "ssl", "title": "it's: #1"}]);
    expand(&json!([]), &rules, &env).unwrap()
}

fn pg(citus: bool, patroni: &str) -> Json {
    let dcs = dcs(citus, patroni);
    let password = secret(&Secret::new(PASSWORD));
    json!({
        "name": "pg-citus0-1", "cluster": "pg-citus0", "address": "10.10.10.11", "port": 5432,
        "patroni_port": 8008, "scope": if citus { "pg-citus" } else { "pg-meta" },
        "group": if citus { json!(0) } else { Json::Null },
        "mode": if citus { "citus" } else { "pgsql" }, "namespace": "/pg", "version": 17,
        "bin_dir": "/usr/lib/postgresql/17/bin", "data_dir": "/pg/data", "conf_dir": "/pg/conf",
        "cert_dir": "/pg/cert", "log_dir": "/pg/log/postgres", "socket_dir": "/var/run/postgresql",
        "primary_db": "citus", "role": "primary", "delay": null, "dcs_prefix": "/pg/pg-citus/0/",
        "tags": {"nofailover": false, "noloadbalance": false, "nosync": false, "clonefrom": true,
                 "replicatefrom": null},
        "users": {"dbsu": "postgres", "dbsu_password": password, "replication": "replicator",
                  "replication_password": password},
        "patroni": {"version": patroni, "username": "postgres", "password": password, "client_auth": null,
                    "allowlist": ["10.10.10.11", "10.10.10.12"], "ssl": true, "watchdog": "off",
                    "config_file": "/pg/conf/pg-citus0-1.yml", "log_dir": "/pg/log/patroni",
                    "rto": {"safety_margin": 5, "retry_timeout": 10}},
        "etcd": {"hosts": ["10.10.10.10:2379"], "has_learner": false, "username": "pg-citus", "password": password,
                 "cacert": "/pg/cert/ca.crt", "cert": "/pg/cert/server.crt", "key": "/pg/cert/server.key"},
        "hba": hba(citus), "ident": [], "callback": "/pg/bin/callback", "session_options": "-c search_path=pg_catalog",
        "parameters": local_parameters("/pg/cert", "/var/run/postgresql", "/pg/log/postgres"),
        "bootstrap_dcs": bootstrap_config(&dcs), "dcs": dcs,
        "backup": {"stanza": "pg-citus0", "log_dir": "/pg/log/pgbackrest", "processes": 2, "server": {"host": "10.10.10.20", "port": 8432},
                   "lines": [{"option": "repo1-retention-full", "value": "2"}]},
        "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
    })
}

fn service() -> Json {
    json!({
        "name": "pg-citus0-primary", "kind": "cluster", "port": 5433, "bind": ["*"], "mode": "tcp",
        "check_path": "/primary", "check_port": 8008, "check_ssl": true, "check_method": "GET",
        "check_expect": null, "check_roles": ["primary", "master"], "balance": "roundrobin", "maxconn": 5000, "default_server": null,
        "options": [],
        "fallback": {"name": "pg-citus0-primary-fallback", "check_path": "/read-only", "servers": []},
        "timings": {"inter": "2s", "fastinter": "1s", "downinter": "2s", "rise": 3, "fall": 3},
        "servers": [
            {"name": "pg-citus0-1", "instance": "pg-citus0-1", "address": "10.10.10.11", "port": 5432,
             "check_port": null, "weight": 100, "backup": false, "options": null},
            {"name": "pg-citus0-2", "instance": "pg-citus0-2", "address": "fd00::2", "port": 5432,
             "check_port": 8008, "weight": 0, "backup": true, "options": null},
        ],
    })
}

fn context(citus: bool, patroni: &str) -> Json {
    let password = secret(&Secret::new(PASSWORD));
    let members: Vec<Json> = (1..=3)
        .map(|n| json!({"name": format!("etcd-{n}"), "address": format!("10.10.10.1{n}"), "host": "h", "learner": n == 3}))
        .collect();
    json!({
        "host": {"name": "h", "nodename": "h", "address": "10.10.10.11", "facts": {"cpu": 2, "mem_mb": 1024, "disk_gb": 20}},
        "pg": pg(citus, patroni),
        "etcd": {"name": "etcd", "member": members[0], "members": members, "client_port": 2379,
                 "peer_port": 2380, "root_password": password, "root_tls": {"cert": "crt", "key": password}, "endpoints": ["https://10.10.10.11:2379"],
                 "users": [{"name": "pg-citus", "password": password, "prefix": "/pg/pg-citus/", "seats": "/citusctl/seats/pg/pg-citus/", "members": "{}"}],
                 "data_dir": "/data/etcd", "cert_dir": "/etc/etcd"},
        "haproxy": {"stats_port": 9101, "stats_bind": "*", "admin_username": "admin", "admin_password": password,
                    "client_timeout": "24h", "server_timeout": "24h", "ca_file": "/etc/pki/ca.crt"},
        "service": service(),
        "pgbouncer": {"enabled": true, "port": 6432, "listen": "0.0.0.0", "log_dir": "/pg/log/pgbouncer",
                      "auth_query": true, "auth_user": "citusctl_pgbouncer", "sslmode": "prefer", "pool_mode": "transaction", "server_sslmode": "prefer",
                      "ignore": ["search_path"], "admins": ["postgres"], "stats_users": ["postgres"],
                      "databases": ["citus = host=/run port=5432"], "user_options": ["a = pool_mode=session"],
                      "userlist": [password], "hba": ["local all all scram-sha-256"]},
        "vip": {"leader": {"address": "10.10.10.2", "prefix": 24, "interface": null},
                "node": {"name": "vip_1", "address": "10.10.10.9", "prefix": 32, "vrid": 9, "priority": 100,
                         "peers": ["10.10.10.12"], "preempt": false, "interface": "", "auth": password,
                         "track": true}},
        "repository": {"address": "10.10.10.20", "port": 8432, "stanzas": [{"name": "pg-citus0", "members": ["pg-citus0-1"],
                       "lines": [{"option": "repo1-path", "value": "/data/backup"}, {"option": "repo1-cipher-pass", "value": password}]}]},
        "node": {"hosts": [{"address": "10.10.10.11", "names": ["pg-citus0-1", "h"]}]},
        "repo": {"name": "pgdg", "line": "deb https://example.com/apt trixie main"},
        "vars": {"node_dns_servers": ["10.0.0.2"], "node_dns_options": ["options timeout:1"], "node_tune": "oltp", "node_overcommit_ratio": 0, "node_hugepage_count": 0,
                 "node_hugepage_ratio": 0, "node_sysctl_params": {"fs.nr_open": 8388608},
                 "node_kernel_modules": ["softdog"], "node_aliases": {"pq": "psql -X"},
                 "node_admin_username": "ops", "node_admin_sudo": "limit", "pg_dbsu_sudo": "limit",
                 "node_ntp_servers": ["pool pool.ntp.org iburst"], "node_crontab": ["0 3 * * * root true"],
                 "pg_crontab": ["0 1 * * * true", "@daily true"]},
    })
}

fn read(text: &str) -> Json {
    let mut sources = Sources::default();
    yaml::parse_text(&mut sources, "rendered", text)
        .unwrap()
        .unwrap()
        .to_json()
}

#[test]
fn no_template_is_broken() {
    assert!(engine().check().is_empty());
}

#[test]
fn all_render_for_every_kind_of_host() {
    let engine = engine();
    for (kind, citus, patroni) in [
        ("citus-3.0.2", true, "3.0.2"),
        ("citus-4.0.7", true, "4.0.7"),
        ("plain-4.1.3", false, "4.1.3"),
    ] {
        let context = context(citus, patroni);
        for name in engine.names() {
            let rendered = engine
                .render(name, &Context::from(&context))
                .unwrap_or_else(|e| panic!("{e}"));
            assert!(
                !rendered.text.contains("{{ y }}") || rendered.sensitive,
                "{name}"
            );
            assert!(
                rendered.text.ends_with('\n') && !rendered.text.contains("\n\n\n"),
                "{name}"
            );
            if let Ok(dir) = std::env::var("CITUSCTL_RENDERED") {
                let path = Path::new(&dir)
                    .join(kind)
                    .join(name.trim_end_matches(".j2"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, rendered.text).unwrap();
            }
        }
    }
}

/// Certificates as the programs want them, for `openssl verify` and the like.
#[test]
fn certificates_for_every_instance() {
    let Ok(dir) = std::env::var("CITUSCTL_RENDERED") else {
        return;
    };
    let now = time::OffsetDateTime::now_utc();
    let dir = Path::new(&dir).join("pki");
    let ca = Ca::open_or_create(&dir, "citusctl-ca", now).unwrap();
    for (name, common_name) in [("pg-citus0-1", "pg-citus0-1"), ("etcd-1", "")] {
        let request = LeafRequest {
            name: name.into(),
            common_name: common_name.into(),
            sans: ["localhost", "127.0.0.1", "10.10.10.11", "fd00::2", name]
                .map(Into::into)
                .into(),
            usage: Usage::Both,
            lifetime: time::Duration::days(7300),
        };
        ca.leaf(&request, now).unwrap();
    }
}

#[test]
fn patroni_reads_what_was_meant() {
    let engine = engine();
    let context = context(true, "4.0.7");
    let rendered = engine
        .render(
            "roles/pgsql/templates/patroni.yml.j2",
            &Context::from(&context),
        )
        .unwrap();
    assert!(rendered.sensitive);
    let read = read(&rendered.text);
    assert_eq!(read["citus"]["group"], json!(0));
    assert_eq!(read["etcd3"]["password"], json!(PASSWORD));
    assert_eq!(
        read["postgresql"]["authentication"]["superuser"]["password"],
        json!(PASSWORD)
    );
    assert_eq!(read["postgresql"]["pg_hba"], context["pg"]["hba"]);
    assert_eq!(read["bootstrap"]["dcs"], context["pg"]["bootstrap_dcs"]);
    assert_eq!(read["bootstrap"]["initdb"], context["pg"]["initdb"]);
    assert_eq!(read["watchdog"]["mode"], json!("off"));
    assert_eq!(read["tags"]["clonefrom"], json!(true));
}

#[test]
fn a_plain_cluster_says_nothing_of_citus() {
    let context = context(false, "4.0.7");
    let text = engine()
        .render(
            "roles/pgsql/templates/patroni.yml.j2",
            &Context::from(&context),
        )
        .unwrap()
        .text;
    assert!(!text.contains("citus:\n") && !text.contains("citus.node_conninfo"));
}

#[test]
fn programs_that_judge_a_file_say_why_they_refuse_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("roles");
    for role in std::fs::read_dir(&root).unwrap() {
        let path = role.unwrap().path().join("role.yml");
        let text = std::fs::read_to_string(&path).unwrap();
        let judges = text.split("validate: \"").skip(1);
        for judge in judges.filter_map(|rest| rest.split('"').next()) {
            let quiet = |word: &str| word.starts_with('-') && word.contains('q');
            assert!(!judge.split(' ').any(quiet), "{}: {judge}", path.display());
        }
    }
}
