//! What weakens the way into a host, and what of it has no effect, is told by the program itself.

use std::path::Path;
use std::process::{Command, Output};

/// The program beside an inventory of one host that nobody answers for.
fn citusctl(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citusctl"));
    command
        .args(arguments)
        .args(["-e", "ansible_host=127.0.0.1", "-e", "ansible_port=1"])
        .args(["--connect-timeout", "2"])
        .current_dir(dir)
        .env("HOME", dir)
        .env_remove("ANSIBLE_HOST_KEY_CHECKING")
        .envs(environment.iter().copied());
    command.output().unwrap()
}

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let inventory = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/single.yml");
    std::fs::copy(inventory, dir.path().join("inventory.yml")).unwrap();
    dir
}

fn told(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    let warnings = text
        .lines()
        .filter_map(|line| Some(line.split_once("warning: ")?.1));
    warnings
        .filter(|line| line.contains("host"))
        .map(str::to_owned)
        .collect()
}

const OFF: &str = ": unknown host keys are accepted and recorded, changed ones are refused";

#[test]
fn every_switch_of_ansible_is_told_once_and_says_what_it_means() {
    let dir = project();
    let run = ["exec", "-q"];
    let with = |more: &[&str], environment: &[(&str, &str)]| {
        let words = [&run[..], more, &["--", "true"]].concat();
        let output = citusctl(dir.path(), &words, environment);
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        told(&output)
    };
    assert_eq!(with(&[], &[]), Vec::<String>::new());
    let variable = with(&["-e", "ansible_ssh_host_key_checking=false"], &[]);
    assert_eq!(
        variable,
        [format!("`ansible_host_key_checking: false` (1 host){OFF}")]
    );
    let environment = with(&[], &[("ANSIBLE_HOST_KEY_CHECKING", "False")]);
    assert_eq!(
        environment,
        [format!("ANSIBLE_HOST_KEY_CHECKING (false){OFF}")]
    );
    let arguments = with(
        &[
            "-e",
            "{ansible_ssh_common_args: -o StrictHostKeyChecking=no}",
        ],
        &[],
    );
    assert_eq!(
        arguments,
        [format!(
            "`StrictHostKeyChecking no` (ssh configuration or arguments){OFF}"
        )]
    );
    std::fs::write(
        dir.path().join("ansible.cfg"),
        "[defaults]\nhost_key_checking = False\n",
    )
    .unwrap();
    let file = with(&[], &[]);
    assert_eq!(
        file,
        [format!("`host_key_checking` in ansible.cfg (false){OFF}")]
    );
    let over = with(&["--host-keys", "strict"], &[]);
    assert!(
        over[0].ends_with("`--host-keys strict` overrules it"),
        "{over:?}"
    );
}

#[test]
fn arguments_without_effect_are_named_and_names_of_ansible_are_no_errors() {
    let dir = project();
    let words = [
        "check",
        "-e",
        "{ansible_ssh_args: -C -o ControlPersist=60s -o User=dba}",
        "-e",
        "{ansible_become_flags: -H -S}",
        "-e",
        "ansible_become_exe=/opt/sudo",
    ];
    let output = citusctl(dir.path(), &words, &[]);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("`ansible_ssh_args`: without effect here: `-C`, `-o ControlPersist=60s`"),
        "{text}"
    );
    assert!(text.contains("parameters of `Ansible` have no effect here: `ansible_become_exe`, `ansible_become_flags`"), "{text}");
    assert!(!text.contains("did you mean"), "{text}");
}
