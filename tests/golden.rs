//! What the tool writes and says, kept whole: rendered files, help, errors. A change shows up in the diff of
//! `tests/snapshots`, where it is reviewed like code. `INSTA_UPDATE=always cargo test golden` writes them again.

use citusctl::catalog::{Assets, Catalog};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

fn citusctl(arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_citusctl"));
    command
        .args(arguments)
        .current_dir(dir)
        .env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CITUSCTL_") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All rendered files of an inventory, by host and path. Keys and certificates are new in each run.
fn rendered(inventory: &Path) -> BTreeMap<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("inventory.yml");
    std::fs::copy(inventory, &own).unwrap();
    let beside = inventory.parent().unwrap().join("files");
    if beside.is_dir() {
        std::fs::create_dir(dir.path().join("files")).unwrap();
        for entry in std::fs::read_dir(beside).unwrap() {
            let path = entry.unwrap().path();
            let to = dir.path().join("files").join(path.file_name().unwrap());
            std::fs::copy(path, to).unwrap();
        }
    }
    let output = citusctl(
        &["render", "-q", "-i", "inventory.yml", "-d", "out"],
        dir.path(),
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", inventory.display());
    let mut files = BTreeMap::new();
    read_below(&dir.path().join("out"), "", &mut files);
    files
}

fn read_below(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}/{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            read_below(&path, &name, files);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.insert(name, without_pem(&String::from_utf8_lossy(&bytes)));
        }
    }
}

/// The text with what stands between the lines of a PEM block left out.
fn without_pem(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        let ends = line.contains("-----END ");
        if !inside || ends {
            kept.push_str(line);
            kept.push('\n');
        }
        inside = !ends && (inside || line.contains("-----BEGIN "));
    }
    kept
}

/// Each text once; a file that is equal to one above names it.
fn whole(files: &BTreeMap<String, String>) -> String {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut text = String::new();
    for (name, content) in files {
        match first.get(content.as_str()) {
            Some(known) => writeln!(text, "==== {name}\n(as {known})").unwrap(),
            None => {
                writeln!(text, "==== {name}\n{content}").unwrap();
                first.insert(content, name);
            }
        }
    }
    text
}

fn digests(files: &BTreeMap<String, String>) -> String {
    let line = |(name, content): (&String, &String)| {
        let digest = citusctl::resource::sha256_hex(content.as_bytes());
        format!("{} {name}\n", &digest[..12])
    };
    files.iter().map(line).collect()
}

#[test]
fn golden_files_of_a_single_host() {
    insta::assert_snapshot!(whole(&rendered(&root().join("inventory/single.yml"))));
}

#[test]
fn golden_files_of_three_hosts() {
    insta::assert_snapshot!(whole(&rendered(&root().join("inventory/ha-trio.yml"))));
}

#[test]
fn golden_files_of_a_small_formation() {
    insta::assert_snapshot!(whole(&rendered(&root().join("inventory/citus-min.yml"))));
}

#[test]
fn golden_digests_of_a_formation() {
    insta::assert_snapshot!(digests(&rendered(&root().join("inventory/citus-ha.yml"))));
}

#[test]
fn golden_digests_of_every_parameter() {
    insta::assert_snapshot!(digests(&rendered(
        &root().join("tests/surface/inventory.yml")
    )));
}

/// The help of a verb and of those below it, without the options that all share.
fn help(verbs: &mut Vec<String>, text: &mut String) {
    let mut arguments: Vec<&str> = verbs.iter().map(String::as_str).collect();
    arguments.push("--help");
    let output = citusctl(&arguments, root());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let own = match verbs.is_empty() {
        true => said.as_str(),
        false => said.split("\nShared options:").next().unwrap_or_default(),
    };
    writeln!(
        text,
        "==== citusctl {}\n{}",
        arguments.join(" "),
        own.trim_end()
    )
    .unwrap();
    for verb in listed(own, verbs.is_empty()) {
        verbs.push(verb);
        help(verbs, text);
        verbs.pop();
    }
}

/// The verbs that a help lists.
fn listed(help: &str, top: bool) -> Vec<String> {
    let section = match top {
        true => help
            .split("Provision:")
            .nth(1)
            .and_then(|rest| rest.split("\nOptions:").next()),
        false => help
            .split("\nCommands:")
            .nth(1)
            .and_then(|rest| rest.split("\n\n").next()),
    };
    let lines = section.unwrap_or_default().lines();
    lines
        .filter_map(|line| {
            line.strip_prefix("  ")?
                .split_whitespace()
                .next()
                .filter(|_| !line.starts_with("   "))
        })
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn golden_help_of_every_verb() {
    let mut text = String::new();
    help(&mut Vec::new(), &mut text);
    insta::assert_snapshot!(text);
}

/// One row of `check -o json` as lines: the sentence with its code, its places, the way out.
fn row(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| row[key].as_array().cloned().unwrap_or_default();
    let mut said = format!(
        "{}[{}]: {}\n",
        text("severity"),
        text("code"),
        text("message")
    );
    for place in list("places") {
        let (line, column) = (&place["line"], &place["column"]);
        writeln!(
            said,
            "  {line}:{column} {}",
            place["text"].as_str().unwrap_or_default()
        )
        .unwrap();
    }
    for help in list("help") {
        writeln!(said, "  help: {}", help.as_str().unwrap_or_default()).unwrap();
    }
    said
}

#[test]
fn golden_errors_of_broken_inventories() {
    let dir = std::fs::read_dir(root().join("tests/broken")).unwrap();
    let mut names: Vec<String> = dir
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        let path = format!("tests/broken/{name}");
        let output = citusctl(&["check", "-o", "json", "-i", &path], root());
        let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = rows
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["code"] != "default-password");
        let said: String = said.map(row).collect();
        writeln!(text, "==== {name}\n{said}").unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn golden_errors_of_command_lines() {
    let lines = [
        "nope",
        "check -i nowhere.yml",
        "check -q -i inventory/single.yml --catalog nowhere",
        "render -i inventory/single.yml -t nothing",
        "render -i inventory/single.yml nothing",
        "render -i inventory/single.yml pgsql-rm",
        "inventory -i inventory/single.yml --host nobody",
        "inventory -i inventory/single.yml -e nonsense",
        "catalog show nothing",
        "catalog eject nothing",
        "catalog vars nothing",
        "backup --type full",
        "restore --latest",
        "man nope",
        "recover -i inventory/single.yml",
        "switchover -i inventory/single.yml --nope",
        "replay nothing -i inventory/single.yml",
        "init ha 10.0.0.1",
        "connect -i inventory/single.yml nobody",
        "password rotate -i inventory/single.yml -l all -y",
        "cert rotate-ca -i inventory/single.yml -l all -y",
    ];
    let mut text = String::new();
    for line in lines {
        let arguments: Vec<&str> = line.split(' ').collect();
        let output = citusctl(&arguments, root());
        let code = output.status.code().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        writeln!(
            text,
            "$ citusctl {line}\n{}\nexit {code}\n",
            said.trim_end()
        )
        .unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn golden_catalog_of_roles() {
    let catalog = Catalog::parse(Assets::embedded()).unwrap();
    let mut text = String::new();
    for (name, role) in &catalog.roles {
        writeln!(text, "{name}: {}", role.about).unwrap();
        for declared in &role.resources {
            writeln!(
                text,
                "  {} {} {}",
                declared.kind,
                declared.id,
                declared.tags.join(",")
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
