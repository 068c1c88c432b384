//! `check --explain-values`: each value of an inventory acts somewhere, or a sentence names it.

use std::path::Path;
use std::process::{Command, Output};

fn explain(arguments: &[&str], inventory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citusctl"));
    command
        .args(["check", "--explain-values", "-o", "json", "-i"])
        .arg(inventory)
        .args(arguments);
    command.output().unwrap()
}

/// Value, verdict, and the first place or the reason.
fn rows(output: &Output) -> Vec<(String, String, String)> {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let rows = report["values"].as_array().unwrap().iter().map(|row| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let words = match row["why"].as_str() {
            Some(why) => why.to_owned(),
            None => text(&row["at"][0]),
        };
        (text(&row["value"]), text(&row["verdict"]), words)
    });
    rows.collect()
}

fn of_text(text: &str, arguments: &[&str]) -> (Option<i32>, Vec<(String, String, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("i.yml");
    std::fs::write(&path, text).unwrap();
    let output = explain(arguments, &path);
    (output.status.code(), rows(&output))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn nothing_left(inventory: &Path) -> usize {
    let output = explain(&[], inventory);
    let rows = rows(&output);
    let left: Vec<_> = rows.iter().filter(|row| row.1 == "left-over").collect();
    assert!(left.is_empty(), "{}: {left:#?}", inventory.display());
    assert_eq!(output.status.code(), Some(0), "{}", inventory.display());
    rows.iter().filter(|row| row.1 == "acts").count()
}

/// Whether this run has time for hundreds of comparisons, as `ci/test` has.
fn is_long() -> bool {
    std::env::var_os("CITUSCTL_TESTS").is_some_and(|which| which == "all")
}

#[test]
fn no_value_of_the_shipped_inventories_is_left_over() {
    let larger = [("citus-min", 30), ("citus-ha", 45)];
    let all = larger.into_iter().filter(|_| is_long());
    for (name, at_least) in [("single", 20), ("ha-trio", 25)].into_iter().chain(all) {
        let acting = nothing_left(&root().join(format!("inventory/{name}.yml")));
        assert!(acting >= at_least, "{name}: {acting}");
    }
}

/// Every parameter that there is: too many for a quick run.
#[test]
fn no_value_of_the_whole_surface_is_left_over() {
    if is_long() {
        let acting = nothing_left(&root().join("tests/surface/inventory.yml"));
        assert!(acting >= 400, "{acting}");
    }
}

const SMALL: &str = "
all:
  vars: { app_port: 8080, redis_port: 6379, pg_vip_interface: eth1, haproxy_client_timeout: 11h, pg_io_method: worker, pg_version: 17, pg_extensions: [] }
  children:
    etcd: { hosts: { 10.0.0.1: { etcd_seq: 1, ansible_port: 2222, ansible_become_method: sudo } } }
    pg:
      hosts: { 10.0.0.1: { pg_seq: 1, pg_role: primary, pg_conf: oltp.yml, node_timezone: null } }
      vars: { pg_cluster: pg, pg_conf: olap.yml, pg_users: [{ name: app, connlimit: 7 }], pg_parameters: { work_mem: 8MB } }
    nobody: { hosts: {}, vars: { pg_dbsu: nobody } }
";

#[test]
fn each_value_has_a_place_or_a_sentence() {
    let (code, rows) = of_text(SMALL, &[]);
    let left: Vec<_> = rows.iter().filter(|row| row.1 == "left-over").collect();
    assert!(left.is_empty() && code == Some(0), "{left:#?}");
    for (value, verdict, words) in [
        (
            "haproxy_client_timeout",
            "acts",
            "10.0.0.1:/etc/haproxy/haproxy.cfg:",
        ),
        ("ansible_port", "acts", "10.0.0.1: connection, port"),
        ("pg_users[0].connlimit", "acts", "pg: formation/role-app"),
        (
            "pg_parameters.work_mem",
            "acts",
            "10.0.0.1:/pg/conf/pg-1.yml:",
        ),
        ("app_port", "named", "a variable of your own"),
        ("redis_port", "named", "a parameter of `redis`"),
        (
            "pg_vip_interface",
            "named",
            "it needs `pg_vip_address`, which is not given",
        ),
        ("pg_io_method", "named", "it needs `pg_version: 18`"),
        (
            "ansible_become_method",
            "named",
            "`sudo` is the only value there is",
        ),
        ("node_timezone", "named", "the default counts"),
        ("pg_extensions", "named", "as by default"),
        ("pg_conf", "named", "hidden: a stronger value"),
        ("pg_dbsu", "named", ""),
    ] {
        let found = rows.iter().filter(|row| row.0 == value);
        let fits = |row: &(String, String, String)| row.1 == verdict && row.2.contains(words);
        let found: Vec<_> = found.collect();
        assert!(found.iter().any(|row| fits(row)), "{value}: {found:?}");
    }
}

/// The planted fault: a template that reads a parameter no more.
#[test]
fn a_value_that_acts_nowhere_is_left_over() {
    let path = "roles/haproxy/templates/haproxy.cfg.j2";
    let template = std::fs::read_to_string(root().join(path)).unwrap();
    let deaf = template.replace("{{ haproxy.client_timeout }}", "24h");
    assert_ne!(template, deaf);
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join(path);
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, deaf).unwrap();
    let catalog = dir.path().to_string_lossy().into_owned();
    let (code, rows) = of_text(SMALL, &["--catalog", &catalog]);
    let left: Vec<_> = rows
        .iter()
        .filter(|row| row.1 == "left-over")
        .map(|row| row.0.as_str())
        .collect();
    assert_eq!(left, ["haproxy_client_timeout"]);
    assert_eq!(code, Some(3));
}

const CLUSTER: &str = "
all:
  vars: { VALUES }
  children:
    etcd: { hosts: { 10.0.0.1: { etcd_seq: 1 } } }
    pg: { hosts: { 10.0.0.1: { pg_seq: 1, pg_role: primary } }, vars: { pg_cluster: pg, pg_version: 17 } }
";

/// Verdict and words of a parameter among these values of a cluster of one host.
fn of_value(name: &str, values: &str) -> (String, String) {
    let (_, rows) = of_text(&CLUSTER.replace("VALUES", values), &[]);
    let found = rows.into_iter().find(|row| row.0 == name);
    let (_, verdict, words) = found.unwrap_or_else(|| panic!("{name}: no such row"));
    (verdict, words)
}

/// What `plan::explain` takes for granted where no comparison finds an effect: shown where it is so, and shown to act where
/// it is not.
#[test]
fn a_circumstance_is_named_where_it_holds_and_nowhere_else() {
    let (verdict, words) = of_value("pg_dbsu_uid", "pg_dbsu_uid: 26");
    assert_eq!(verdict, "named");
    assert!(words.starts_with("the account is the package's"), "{words}");
    let acting = [
        ("pg_dbsu_uid", "pg_dbsu_uid: 26, pg_dbsu: dba"),
        ("nodename_overwrite", "nodename_overwrite: true"),
        ("admin_ip", "admin_ip: 10.0.0.1"),
    ];
    for (name, values) in acting {
        let (verdict, words) = of_value(name, values);
        assert_eq!(verdict, "acts", "{name}: {words}");
    }
    let nobody =
        "all: { hosts: { 10.0.0.1: {} }, vars: { nodename_overwrite: false, admin_ip: 10.0.0.1 } }";
    let (_, rows) = of_text(nobody, &[]);
    for (name, words) in [
        (
            "nodename_overwrite",
            "none of these hosts has a name to set",
        ),
        ("admin_ip", "nothing refers to `${admin_ip}`"),
    ] {
        let row = rows.iter().find(|row| row.0 == name).unwrap();
        assert!(row.1 == "named" && row.2.starts_with(words), "{row:?}");
    }
    let (verdict, words) = of_value("node_id_from_pg", "nodename: db, node_id_from_pg: false");
    assert_eq!(
        (verdict.as_str(), words.as_str()),
        ("named", "hidden: `nodename` is stronger")
    );
}

/// How many values have each verdict, of an inventory with errors.
fn of_refused(text: &str, arguments: &[&str]) -> Vec<(String, String, String)> {
    let (code, rows) = of_text(text, arguments);
    assert_eq!(code, Some(3));
    let open = |row: &&(String, String, String)| row.1 == "left-over" || row.1 == "unknown";
    let open: Vec<_> = rows.iter().filter(open).collect();
    assert!(open.is_empty(), "{open:#?}");
    rows
}

#[track_caller]
fn is(rows: &[(String, String, String)], value: &str, verdict: &str, words: &str) {
    let found: Vec<_> = rows.iter().filter(|row| row.0 == value).collect();
    let fits = found
        .iter()
        .any(|row| row.1 == verdict && row.2.contains(words));
    assert!(fits, "{value}: {found:?}");
}

/// What is refused is named with the error, and the rest is told as if that were not there.
#[test]
fn an_inventory_with_errors_is_told_value_by_value() {
    let rows = of_refused(
        &CLUSTER.replace(
            "VALUES",
            "pg_verson: 17, haproxy_client_timeout: 11h, pg_users: [{ name: app, paswd: App.Test-1, connlimit: 7 }],
             pg_parameters: { max_conections: 9, work_mem: 8MB }",
        ),
        &[],
    );
    is(
        &rows,
        "pg_verson",
        "refused",
        "there is no parameter `pg_verson`",
    );
    is(
        &rows,
        "pg_users[0].paswd",
        "refused",
        "has no field `paswd`",
    );
    is(
        &rows,
        "pg_users[0].connlimit",
        "acts",
        "pg: formation/role-app",
    );
    is(
        &rows,
        "pg_parameters.max_conections",
        "refused",
        "has no setting `max_conections`",
    );
    is(
        &rows,
        "pg_parameters.work_mem",
        "acts",
        "/pg/conf/pg-1.yml:",
    );
    is(
        &rows,
        "haproxy_client_timeout",
        "acts",
        "/etc/haproxy/haproxy.cfg:",
    );
}

/// A model with errors lacks all that stands beside them: what is refused is taken out, so that the rest can be compared.
#[test]
fn one_rule_that_is_refused_hides_no_other() {
    let rows = of_refused(
        &CLUSTER.replace(
            "VALUES",
            "pg_hba_rules: [{ title: one, user: app, db: all, addr: intra, auth: pwd }, { title: two, user: ops, db: all, addr: admin, auth: ssl }]",
        ),
        &[],
    );
    is(
        &rows,
        "pg_hba_rules[1].addr",
        "refused",
        "`admin` stands for `admin_ip`, which is not set",
    );
    for field in ["title", "user", "db", "addr", "auth"] {
        is(
            &rows,
            &format!("pg_hba_rules[0].{field}"),
            "acts",
            "/pg/conf/pg-1.yml:",
        );
    }
}

/// Five inventories in the shape of Autobase's: each is refused, and each of its values is named.
#[test]
fn no_value_of_autobases_inventories_is_left_over() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("tests/explained/autobase")).unwrap() {
        let path = entry.unwrap().path();
        let rows = of_refused(&std::fs::read_to_string(&path).unwrap(), &[]);
        assert!(rows.len() > 5, "{}", path.display());
        let refused = rows.iter().filter(|row| row.1 == "refused");
        let mut words = refused.map(|row| row.2.as_str());
        assert!(
            words.any(|words| words.starts_with("no host belongs to a cluster, and ")),
            "{}: {rows:#?}",
            path.display()
        );
        count += 1;
    }
    assert_eq!(count, 5);
}

/// Inventories written by hand: each value acts, or a sentence names it.
#[test]
fn no_value_of_hand_made_inventories_is_left_over() {
    let dir = root().join("tests/explained");
    let mut count = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            nothing_left(&path);
            count += 1;
        }
    }
    assert_eq!(count, 5);
}
