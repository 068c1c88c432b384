//! The catalog's readers: a mistake in an overlay of the user's is told once, in the user's file, with its place.

use citusctl::catalog::{Assets, Catalog};
use citusctl::source::{Diagnostic, Sources};
use std::process::Command;

/// The embedded catalog with these files of a user's over it.
fn overlaid(files: &[(&str, &str)]) -> Result<Catalog, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut assets = Assets::embedded();
    assets.overlay(dir.path()).unwrap();
    Catalog::parse(assets).map_err(|error| {
        let problems = error.diagnostics.iter();
        problems
            .map(|problem| line(&error.sources, problem, dir.path().to_str().unwrap()))
            .collect()
    })
}

fn line(sources: &Sources, problem: &Diagnostic, dir: &str) -> String {
    let place = problem.labels.first().map(|label| {
        let place = sources.place(label.span).to_string();
        place.replace(dir, "DIR")
    });
    format!(
        "{} {} ({})",
        place.unwrap_or_default(),
        problem.message.replace(dir, "DIR"),
        problem.help.join("; ")
    )
}

#[test]
fn the_embedded_catalog_has_no_problems() {
    assert!(overlaid(&[]).is_ok());
}

#[test]
fn an_unknown_key_of_a_stage_is_an_error_in_the_users_file() {
    let text = "- { stage: haproxy, hosts: haproxy, rles: [haproxy], rollot: rolling }\n";
    let said = overlaid(&[("playbooks/haproxy.yml", text)]).unwrap_err();
    assert_eq!(
        said,
        [
            "DIR/playbooks/haproxy.yml:1:37 a stage has no key `rles` (did you mean `roles`?)",
            "DIR/playbooks/haproxy.yml:1:54 a stage has no key `rollot` (did you mean `rollout`?)",
        ]
    );
}

#[test]
fn an_unknown_key_of_a_role_is_an_error_in_the_users_file() {
    let text = "about: x\nreources:\n  - package: { id: p, names: [haproxy] }\n";
    let said = overlaid(&[("roles/haproxy/role.yml", text)]).unwrap_err();
    assert_eq!(
        said,
        ["DIR/roles/haproxy/role.yml:2:1 a role has no key `reources` (did you mean `resources`?)"]
    );
}

#[test]
fn values_of_another_shape_are_errors() {
    let stage = "- { stage: haproxy, hosts: haproxy, roles: haproxy }\n";
    let said = overlaid(&[("playbooks/haproxy.yml", stage)]).unwrap_err();
    assert_eq!(
        said,
        ["DIR/playbooks/haproxy.yml:1:44 `roles` must be a list, not a string ()"]
    );
    let role = "about: x\nresources:\n  - package: { id: p, names: [x], tags: y }\n";
    let said = overlaid(&[("roles/haproxy/role.yml", role)]).unwrap_err();
    assert_eq!(
        said,
        ["DIR/roles/haproxy/role.yml:3:41 `tags` must be a list, not a string ()"]
    );
    let said = overlaid(&[("playbooks/haproxy.yml", "stage: haproxy\n")]).unwrap_err();
    assert!(said[0].contains("is not a list of stages"), "{said:?}");
}

#[test]
fn a_file_that_nothing_reads_is_an_error() {
    let said = overlaid(&[("roles/haproxy/role.yaml", "about: x\n")]).unwrap_err();
    assert!(
        said[0].contains("DIR/roles/haproxy/role.yaml: no role"),
        "{said:?}"
    );
    assert!(overlaid(&[("roles/haproxy/README.md", "notes\n")]).is_ok());
}

/// What `check` says of citus-ha, whose seven hosts all have the role, with one line of the role changed.
fn check_with(from: &str, to: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let role = include_str!("../roles/haproxy/role.yml");
    assert!(role.contains(from), "the role has changed: {from}");
    std::fs::create_dir_all(dir.path().join("roles/haproxy")).unwrap();
    std::fs::write(
        dir.path().join("roles/haproxy/role.yml"),
        role.replacen(from, to, 1),
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_citusctl"))
        .args(["check", "-i", "inventory/citus-ha.yml", "--catalog"])
        .arg(dir.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bad_field_is_told_once_however_many_hosts_have_the_role() {
    let said = check_with("path: /etc/haproxy/conf.d,", "paht: /etc/haproxy/conf.d,");
    assert_eq!(
        said.matches("`directory` has no key `paht`").count(),
        1,
        "{said}"
    );
    assert!(said.contains("did you mean `path`?"), "{said}");
    assert!(said.contains("1 error"), "{said}");
    let said = check_with("path: /etc/haproxy/conf.d, ", "");
    assert_eq!(said.matches("missing field `path`").count(), 1, "{said}");
    assert!(said.contains("1 error"), "{said}");
    let said = check_with("- directory:", "- directroy:");
    assert!(
        said.contains("there is no resource kind `directroy`"),
        "{said}"
    );
    assert!(said.contains("did you mean `directory`?"), "{said}");
}
