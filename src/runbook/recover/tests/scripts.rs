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
         etcd_stop() {{ note stop; }}\nmove_aside() {{ note aside; }}\netcd_start_with() {{ :; }}\netcd_start_ordinary() {{ :; }}\n\
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
    let (done, said) = run("cp() { echo 'No space left on device'; return 1; }", &force);
    assert!(!done && said.contains("kill -s STOP"), "{said}");
    assert!(said.trim_end().contains("systemctl kill -s CONT"), "{said}");
    assert!(!said.contains("KILL"), "{said}");
}

/// What `follow` waits for, where PostgreSQL says `role` and Patroni, asked whether it leads, `leads`.
fn follows(role: &str, leads: &str) -> (bool, String) {
    let bench = super::bench();
    let host = bench.model.hosts.get("10.10.10.12").unwrap();
    let step = crate::runbook::recover::rejoin::follow(host);
    let crate::runbook::Work::Hosts(scripts) = step.work else {
        panic!("a step on hosts");
    };
    let holds = scripts.values().next().unwrap().holds.expose().to_owned();
    let functions =
        format!("sql() {{ echo {role}; }}\npatroni_says() {{ note asked; {leads}; }}\nnote begins");
    run(&functions, &holds)
}

#[test]
fn a_group_that_nobody_was_left_of_gets_its_leader_back() {
    assert!(follows("streaming", "false").0);
    assert!(follows("leads", "true").0);
    let (done, said) = follows("leads", "false");
    assert!(
        !done && said.contains("does not have the leader key"),
        "{said}"
    );
    assert!(!follows("'not streaming'", "true").0);
}
