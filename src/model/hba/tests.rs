use super::*;
use serde_json::json;

fn env() -> HbaEnv {
    let ip = |text: &str| text.parse().unwrap();
    HbaEnv {
        dbsu: "postgres".into(),
        replication: "replicator".into(),
        monitor: "dbuser_monitor".into(),
        admin: "dbuser_dba".into(),
        admin_ip: Some(ip("10.10.10.10")),
        infra: vec![ip("10.10.10.10")],
        group: vec![ip("10.10.10.12"), ip("10.10.10.11")],
        formation: vec![ip("10.10.10.12"), ip("10.10.10.11"), ip("10.10.10.13")],
        citus_db: None,
        pooler_asks: false,
        intranet: vec!["10.0.0.0/8".into()],
        password_method: "scram-sha-256".into(),
        role: "replica".into(),
        offline_query: false,
    }
}

/// The lines of the user's rules alone.
fn lines(rules: Value, env: &HbaEnv) -> Vec<String> {
    let all = expand(&json!([]), &rules, env).unwrap();
    let ours = cluster_lines(env).len();
    all[ours..all.len() - closing_lines(env).len()].to_vec()
}

#[test]
fn aliases_become_addresses() {
    let cases = [
        (
            json!({"user": "${admin}", "addr": "world", "auth": "ssl"}),
            vec![
                "hostssl all dbuser_dba 0.0.0.0/0 scram-sha-256",
                "hostssl all dbuser_dba ::/0 scram-sha-256",
            ],
        ),
        (
            json!({"user": "u", "db": "d", "addr": "localhost", "auth": "ssl"}),
            vec![
                "local d u scram-sha-256",
                "hostssl d u 127.0.0.1/32 scram-sha-256",
                "hostssl d u ::1/128 scram-sha-256",
            ],
        ),
        (
            json!({"user": "${dbsu}", "addr": "local", "auth": "ident"}),
            vec!["local all postgres peer"],
        ),
        (
            json!({"addr": "intra"}),
            vec!["host all all 10.0.0.0/8 scram-sha-256"],
        ),
        (
            json!({"addr": "admin", "auth": "deny"}),
            vec!["host all all 10.10.10.10/32 reject"],
        ),
        (
            json!({"addr": "fd00::5", "auth": "cert"}),
            vec!["hostssl all all fd00::5/128 cert"],
        ),
        (
            json!({"addr": ".example.com", "auth": "md5"}),
            vec!["host all all .example.com md5"],
        ),
        (
            json!({"addr": "samenet", "user": ["a", "+b"], "db": ["x", "y"]}),
            vec!["host x,y a,+b samenet scram-sha-256"],
        ),
        (
            json!({"rules": ["host all all 1.2.3.4/32 trust"]}),
            vec!["host all all 1.2.3.4/32 trust"],
        ),
    ];
    for (rule, want) in cases {
        assert_eq!(lines(json!([rule]), &env()), want, "{rule}");
    }
}

#[test]
fn order_comes_first_and_the_rest_as_written() {
    let rules = json!([
        {"rules": ["# b"]},
        {"rules": ["# z"], "order": 1000},
        {"rules": ["# a"], "order": 10, "title": "mine"},
        {"rules": ["# c"]},
    ]);
    assert_eq!(lines(rules, &env()), ["# mine", "# a", "# z", "# b", "# c"]);
}

#[test]
fn roles_that_may_change_hands_stand_on_every_candidate() {
    let rules =
        json!([{"rules": ["# p"], "role": "primary"}, {"rules": ["# o"], "role": "offline"}]);
    assert_eq!(lines(rules.clone(), &env()), ["# p"]);
    let offline = HbaEnv {
        role: "offline".into(),
        ..env()
    };
    assert_eq!(lines(rules.clone(), &offline), ["# o"]);
    let both = HbaEnv {
        offline_query: true,
        ..env()
    };
    assert_eq!(lines(rules, &both), ["# p", "# o"]);
}

#[test]
fn a_formation_lets_all_its_nodes_in() {
    let citus = HbaEnv {
        citus_db: Some("my db".into()),
        ..env()
    };
    let all = expand(&json!([]), &json!([]), &citus).unwrap();
    for line in [
        "hostssl all postgres 10.10.10.13/32 scram-sha-256",
        "hostssl \"my db\" all 10.10.10.13/32 scram-sha-256",
        "hostssl replication replicator 10.10.10.11/32 scram-sha-256",
    ] {
        assert!(all.iter().any(|have| have == line), "{line}");
    }
    assert_eq!(all.last().unwrap(), "local \"my db\" all scram-sha-256");
    let stranger = "hostssl replication replicator 10.10.10.13/32 scram-sha-256";
    assert!(!all.iter().any(|line| line == stranger));
    let plain = expand(&json!([]), &json!([]), &env()).unwrap();
    assert_eq!(plain.len(), 8);
}

#[test]
fn all_bad_rules_are_reported() {
    let rules = json!([
        {"addr": "nowhere!", "auth": "pwd"},
        {"addr": "10.1.2.300"},
        {"addr": "world", "auth": "magic"},
        {"addr": "world", "user": "${nobody}"},
        {"user": "x"},
        {"addr": "world", "auth": "peer"},
        {"addr": "world", "role": "boss"},
        {"addr": "world", "user": "a b"},
        {"rules": ["a\nb"]},
        7,
    ]);
    let errors = expand(&json!([]), &rules, &env()).unwrap_err();
    let keys: Vec<_> = errors
        .iter()
        .map(|error| error.key.unwrap_or("-"))
        .collect();
    assert_eq!(
        keys,
        [
            "addr", "addr", "auth", "user", "-", "auth", "role", "user", "rules", "-"
        ]
    );
    assert!(
        errors[0]
            .to_string()
            .starts_with("rule 1 of `pg_hba_rules`: `nowhere!` is no address")
    );
}

#[test]
fn pgbouncer_asks_as_itself_and_by_no_other_way() {
    let asks = HbaEnv {
        pooler_asks: true,
        ..env()
    };
    let all = expand(
        &json!([]),
        &json!([{"addr": "world", "auth": "trust"}]),
        &asks,
    )
    .unwrap();
    let place = |line: &str| all.iter().position(|other| other == line).unwrap();
    let own = place("local all citusctl_pgbouncer peer map=citusctl");
    assert_eq!(own + 1, place("host all citusctl_pgbouncer all reject"));
    assert!(own < place("host all all 0.0.0.0/0 trust"), "{all:?}");
}
