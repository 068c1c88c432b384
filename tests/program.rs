//! The program itself: exit codes, and what goes to stdout.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn citusctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citusctl"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn rows(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let rows: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    rows.as_array().unwrap().clone()
}

fn errors(output: &Output) -> Vec<String> {
    let rows = rows(output);
    let errors = rows.iter().filter(|row| row["severity"] == "error");
    errors
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn check_speaks_json_whoever_found_it() {
    // The reader of YAML, the reader of parameters, the model, a lint.
    for name in ["duplicate-key", "bad-user", "duplicate-pg-seq", "bad-vip"] {
        let path = format!("tests/broken/{name}.yml");
        let output = citusctl(&["check", "-o", "json", "-i", &path])
            .output()
            .unwrap();
        assert!(!errors(&output).is_empty(), "{name}");
        assert_eq!(output.status.code(), Some(3), "{name}");
    }
    let output = citusctl(&["check", "-o", "json", "-i", "inventory/single.yml"])
        .output()
        .unwrap();
    assert_eq!((errors(&output).len(), output.status.code()), (0, Some(0)));
}

#[test]
fn check_speaks_json_of_a_template_that_does_not_render() {
    let dir = tempfile::tempdir().unwrap();
    let templates = dir.path().join("roles/haproxy/templates");
    std::fs::create_dir_all(&templates).unwrap();
    std::fs::write(templates.join("haproxy.cfg.j2"), "{{ nope.x }}\n").unwrap();
    let output = citusctl(&["check", "-o", "json", "-i", "inventory/single.yml"])
        .arg("--catalog")
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(errors(&output), ["template"]);
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: this system has no /dev/full");
        return;
    }
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = citusctl(&["inventory", "--list", "-i", "inventory/single.yml"])
        .stdout(Stdio::from(full))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("No space left"), "{said}");
}
