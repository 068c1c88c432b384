//! Scripts of steps, run on this machine with the programs of a host replaced by functions that note what they are told.

use crate::model::etcd::FUNCTIONS;
use std::process::Command;

/// Runs `act` after `functions`; what was noted, and whether it succeeded.
fn run(functions: &str, act: &str) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "KEPT=$PWD/kept RUN=r ETCD_DATA=$PWD/data ETCD_NAME=etcd-1 ETCD_PEER=https://10.0.0.1:2380 ETCD_CONF=$PWD/conf ALIVE=x PATIENCE=0\n\
         note() {{ printf '%s\\n' \"$*\" >>noted; }}\nmkdir -p data/member; echo 'name: x' >conf\n\
         refuse() {{ note refuse \"$@\"; exit 94; }}\nsystemctl() {{ note systemctl \"$@\"; }}\nchown() {{ :; }}\n\
         etcd_stop() {{ note stop; }}\nmove_aside() {{ note aside; }}\nwithin() {{ (cd \"$1\" && shift && \"$@\"); }}\nbeside() {{ beside=$1; shift; \"$@\" \"$beside\"; }}\nput_dir() {{ command mkdir -p \"$1\"; }}\ncopy_aside() {{ :; }}\netcd_start_with() {{ :; }}\netcd_start_ordinary() {{ :; }}\n\
         {FUNCTIONS}etcd_leader_url() {{ :; }}\n{functions}\n( set -e\n{act}\n)\nrc=$?\ncat noted\nexit $rc\n"
    );
    let output = Command::new("sh")
        .current_dir(dir.path())
        .args(["-c", &text])
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), said)
}

fn join(list: &str) -> (bool, String) {
    let functions = format!(
        "etcd_ctl_at() {{ case \"$*\" in *' list') {list} ;; *) note etcd \"$@\" ;; esac; }}\nmkdir() {{ :; }}"
    );
    run(&functions, include_str!("../scripts/etcd-join.sh"))
}

#[test]
fn a_list_of_members_that_does_not_come_costs_nobody_his_data() {
    let (done, said) = join("echo 'context deadline exceeded'; return 1");
    assert!(
        !done && said.contains("context deadline exceeded"),
        "{said}"
    );
    assert!(!said.contains("aside") && !said.contains("stop"), "{said}");
    let (_, said) =
        join("echo 'b2, started, etcd-2, https://10.0.0.2:2380, https://10.0.0.2:2379, false'");
    assert!(said.contains("stop\naside\n"), "{said}");
}

#[test]
fn a_member_whose_data_is_gone_is_not_started_under_its_old_number() {
    let counted = "rm -rf data/member; echo 'b1, started, etcd-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false'";
    let (done, said) = join(counted);
    assert!(!done && said.contains("its data is not here"), "{said}");
    let there = counted.replace("rm -rf data/member; ", "");
    assert!(join(&there).0);
}

#[test]
fn a_copy_of_etcd_that_finds_no_room_changes_nothing() {
    let force = include_str!("../scripts/etcd-force.sh");
    let force = force
        .replace("/run/citusctl", "$PWD/run")
        .replace("/etc/citusctl", "$PWD/etc");
    let (done, said) = run(
        "du() { printf '99999\\tx\\n'; }\ndf() { echo Avail; echo 100; }",
        &force,
    );
    assert!(
        !done && said.contains("has 0 MB free, the copy of etcd's data needs 105 MB"),
        "{said}"
    );
    assert!(!said.contains("systemctl"), "{said}");
    // It fills up while it is copied: etcd goes on as it was.
    let (done, said) = run(
        "copy_aside() { echo 'No space left on device'; return 1; }",
        &force,
    );
    assert!(!done && said.contains("kill -s STOP"), "{said}");
    assert!(said.trim_end().contains("systemctl kill -s CONT"), "{said}");
    assert!(!said.contains("KILL"), "{said}");
}

fn follow_script() -> crate::runbook::Script {
    let bench = super::bench();
    let host = bench.model.hosts.get("10.10.10.12").unwrap();
    let step = crate::runbook::recover::follow::follow(bench.input(), host);
    let crate::runbook::Work::Hosts(scripts) = step.work else {
        panic!("a step on hosts");
    };
    scripts.into_values().next().unwrap()
}

/// What `follow` waits for, where PostgreSQL says whether it is in `recovery` and Patroni, asked whether it leads, `leads`.
fn follows(recovery: &str, leads: &str) -> (bool, String) {
    let holds = follow_script().holds.expose().to_owned();
    let functions = format!(
        "sql() {{ echo {recovery}; }}\npatroni_says() {{ note asked; {leads}; }}\nas_dbsu() {{ cat >/dev/null; note \"$*\" | tail -c 60; echo 'it does not stream'; return 1; }}\nnote begins"
    );
    run(&functions, &holds)
}

#[test]
fn a_group_that_nobody_was_left_of_gets_its_leader_back() {
    assert!(follows("f", "true").0);
    let (done, said) = follows("f", "false");
    assert!(
        !done && said.contains("does not have the leader key"),
        "{said}"
    );
    // A standby is judged by the leader's word and a mark, not by its own.
    let (done, said) = follows("t", "true");
    assert!(!done && said.contains("it does not stream"), "{said}");
    assert!(said.contains("python3 - follows -"), "{said}");
}

/// What `follow` does with a copy that stands so to the leader's.
fn followed(verdict: &str, room: u32) -> (bool, String) {
    let act = follow_script().act.expose().replace("/pg/tmp/", "tmp-");
    let functions = format!(
        "mkdir -p pgdata/pg_tblspc; PG_DATA=$PWD/pgdata PG_USER=root\n\
         as_dbsu() {{ case $1 in env) cat >/dev/null; echo '{verdict}' ;; *) \"$@\" ;; esac; }}\npg_control() {{ note pg_control \"$@\"; }}\n\
         pgrep() {{ false; }}\nsleep() {{ :; }}\ndf() {{ echo Avail; echo {room}; }}\n\
         trap 'ls -d pgdata*; ls pgdata' EXIT"
    );
    run(&functions, &act)
}

#[test]
fn a_copy_that_parts_from_the_leaders_is_put_aside_before_patroni_starts() {
    let (done, said) = followed("diverged it has 8 bytes", 999_999);
    assert!(done && said.contains("pgdata.diverged-r"), "{said}");
    let at = |word: &str| said.find(word).unwrap_or(usize::MAX);
    assert!(
        at("pg_control -m fast") < at("--no-block patroni.service"),
        "{said}"
    );
    let (done, said) = followed("diverged it has 8 bytes", 100);
    assert!(!done && said.contains("make room"), "{said}");
    assert!(
        !said.contains("diverged-r\n") && !said.contains("--no-block"),
        "{said}"
    );
}

#[test]
fn what_is_not_known_of_a_copy_does_not_start_it() {
    for verdict in [
        "unknown two members take writes",
        "stranger its system identifier is 8",
    ] {
        let (done, said) = followed(verdict, 999_999);
        assert!(!done && said.contains("refuse"), "{said}");
        assert!(!said.contains("--no-block"), "{said}");
    }
    for verdict in [
        "same",
        "behind",
        "alone",
        "empty 0 transactions only here",
        "none",
    ] {
        let (done, said) = followed(verdict, 100);
        assert!(
            done && said.contains("--no-block patroni.service"),
            "{said}"
        );
        assert!(!said.contains("pgdata.diverged"), "{said}");
    }
}

/// A promotion by hand of the third member of a group on timeline 5, with a history of 6 in the way.
fn promoted(result: &str) -> (bool, String) {
    let functions = format!(
        "mkdir -p pgdata/pg_wal/archive_status; PG_DATA=$PWD/pgdata PG_BIN=bin SYSTEM=77 PLACE=2; echo '5 old' >pgdata/pg_wal/00000006.history\n\
         sql() {{ note \"$2\"; case $2 in *system_identifier*) echo 't|77||off' ;; *pg_promote*) echo {result} ;; *'SELECT pg_is_in'*) echo t ;; esac; }}\n\
         as_dbsu() {{ case $1 in sh) \"$@\" ;; *) echo '77|5|0/1|' ;; esac; }}\n\
         trap '(cd pgdata/pg_wal; ls *.history | tail -n 1); cat pgdata/pg_wal/00000006.history' EXIT"
    );
    run(&functions, include_str!("../scripts/promote.sh"))
}

#[test]
fn a_promotion_by_hand_takes_a_number_that_nobody_counts_on_to() {
    let (done, said) = promoted("t");
    // 5 + 16 x 3 = 53: the promotion takes 54.
    assert!(done && said.contains("00000035.history"), "{said}");
    assert!(said.contains("5 old"), "{said}");
    let (done, said) = promoted("f");
    assert!(!done && said.contains("was not promoted"), "{said}");
    assert!(
        !said.contains("00000035.history") && said.contains("5 old"),
        "{said}"
    );
    let act = include_str!("../scripts/promote.sh").replace("\"$SYSTEM\"", "\"88\"");
    let (done, said) = run("sql() { echo 't|77||off'; }", &act);
    assert!(!done && said.contains("of another cluster now"), "{said}");
}

#[test]
fn the_guard_proves_itself() {
    let output = Command::new("python3")
        .args(["-c", crate::model::guard::GUARD, "selftest"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What is asked of hosts that are said to be off: one port that answers, one that refuses.
#[test]
fn a_refused_connection_is_an_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    let output = Command::new("python3")
        .args(["-c", include_str!("../scripts/alive.py")])
        .args([
            format!("127.0.0.1 {open} SSH"),
            "127.0.0.1 1 etcd".to_owned(),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said,
        "back 127.0.0.1 (SSH answers)\nback 127.0.0.1 (it refuses a connection to etcd)\nend\n"
    );
}
