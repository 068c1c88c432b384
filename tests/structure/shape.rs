//! The structure of rendered files: what their readers make of them, without the values.

use citusctl::source::{Node, Sources, yaml};
use std::path::{Path, PathBuf};

/// All files below a directory, each with its structure. Names that the inventory gives are not compared, their number is.
/// With `programs` they are asked as well, where they are installed.
pub fn of(root: &Path, programs: bool) -> Vec<String> {
    let mut rows = Vec::new();
    for path in files(root) {
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let plain = masked(&name);
        rows.push(plain.clone());
        rows.extend(
            structure(&name, &text)
                .into_iter()
                .map(|row| format!("{plain}: {row}")),
        );
        if programs {
            rows.extend(judged_by_its_program(root, &path, &name));
        }
    }
    rows.sort();
    rows
}

/// Files whose own name is the inventory's: of a service, of a repository.
fn masked(name: &str) -> String {
    let named = ["/conf.d/", "/sources.list.d/", "/keyrings/", "/pg/conf/"];
    match named.iter().find_map(|part| Some((part, name.find(part)?))) {
        Some((part, at)) => format!("{}{part}*", &name[..at]),
        None => name.to_owned(),
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn structure(name: &str, text: &str) -> Vec<String> {
    let lines = || {
        text.lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with(['#', ';']))
    };
    let first = |line: &str| {
        line.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    match name {
        _ if name.ends_with(".yml") => keys(text),
        // A longer name of the authority is a longer certificate.
        _ if name.ends_with(".crt") || name.ends_with(".key") => lines()
            .filter(|line| line.starts_with("-----"))
            .map(str::to_owned)
            .collect(),
        _ if name.ends_with(".json") => keys(text),
        _ if name.contains("/cron.d/") => {
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            // Of the superuser's own jobs: none may run as somebody else.
            let own = name.ends_with("pgsql");
            let users = unique(
                lines
                    .iter()
                    .filter(|line| own && !line.starts_with('#'))
                    .map(|line| user(line)),
            );
            vec![format!("{} lines, {} users", lines.len(), users.len())]
        }
        _ if name.contains("/sudoers.d/") => vec![format!(
            "{} lines of {:?}",
            lines().count(),
            unique(lines().map(first)).len()
        )],
        _ if name.contains("sysctl.d") || name.contains("profile.d") => {
            vec![format!("{} lines", lines().count())]
        }
        // A name that PgBouncer's files cannot say is left out there, which `check` warns of.
        _ if name.ends_with("databases.ini") || name.ends_with("useropts.ini") => {
            let assigns = lines().map(|line| line.contains(" = ").to_string());
            unique(assigns.chain(["true".to_owned()]))
                .into_iter()
                .collect()
        }
        _ if name.ends_with("userlist.txt") => lines()
            .map(|line| format!("{:?} words", quoted(line)))
            .collect(),
        _ if name.ends_with("/conf.d") || name.contains("/conf.d/") => haproxy(text),
        _ if name.ends_with(".cfg") => haproxy(text),
        _ if name.ends_with(".ini")
            || name.ends_with(".service")
            || name.contains(".service.d/") =>
        {
            lines().map(key).collect()
        }
        _ if name.ends_with(".list")
            || name.ends_with("pgb_hba.conf")
            || name.ends_with("resolv.conf") =>
        {
            lines().map(first).collect()
        }
        _ if name.ends_with(".conf") => lines().map(first).collect(),
        _ => vec![format!("{} lines", text.lines().count())],
    }
}

/// Words that make the structure; other lines are the inventory's own.
const HAPROXY: [&str; 14] = [
    "global",
    "defaults",
    "listen",
    "backend",
    "frontend",
    "userlist",
    "server",
    "bind",
    "user",
    "group",
    "use_backend",
    "stats",
    "http-request",
    "acl",
];

fn haproxy(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let words = lines.map(|line| line.split_whitespace().next().unwrap_or_default());
    words
        .filter(|word| HAPROXY.contains(word))
        .map(str::to_owned)
        .collect()
}

/// How many words in double quotes a line has; `None` where something stands outside of them.
fn quoted(line: &str) -> Option<usize> {
    let (mut words, mut rest) = (0, line);
    while let Some(inner) = rest.trim_start().strip_prefix('"') {
        let mut from = 0;
        let end = loop {
            let at = from + inner[from..].find('"')?;
            match inner[at + 1..].starts_with('"') {
                true => from = at + 2,
                false => break at,
            }
        };
        words += 1;
        rest = &inner[end + 1..];
    }
    rest.trim().is_empty().then_some(words)
}

/// The user that a line of a crontab runs as.
fn user(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.first() {
        Some(word) if word.contains('=') => {
            format!("sets {}", word.split('=').next().unwrap_or_default())
        }
        Some(word) if word.starts_with('@') => words.get(1).copied().unwrap_or_default().to_owned(),
        _ => words.get(5).copied().unwrap_or_default().to_owned(),
    }
}

fn unique(items: impl Iterator<Item = String>) -> std::collections::BTreeSet<String> {
    items.collect()
}

/// Keys of all mappings, and how long lists are. A text of `pg_hba` is its first word.
fn keys(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let node = yaml::parse_text(&mut sources, "rendered", text)
        .expect("YAML")
        .expect("a value");
    let mut rows = Vec::new();
    walk(&node, String::new(), &mut rows);
    rows
}

fn walk(node: &Node, path: String, rows: &mut Vec<String>) {
    for (key, value) in node.pairs().unwrap_or_default() {
        walk(
            value,
            format!("{path}/{}", key.as_str().unwrap_or_default()),
            rows,
        );
    }
    for item in node.items().unwrap_or_default() {
        walk(item, format!("{path}[]"), rows);
    }
    let text = node
        .as_str()
        .filter(|_| path.ends_with("pg_hba[]"))
        .unwrap_or_default();
    rows.push(format!(
        "{path} {}",
        text.split_whitespace().next().unwrap_or_default()
    ));
}

/// What HAProxy and sudo themselves have against a file, where they are installed.
fn judged_by_its_program(root: &Path, path: &Path, name: &str) -> Option<String> {
    if name.contains("/sudoers.d/") {
        return refused_by("visudo", &["-cf".to_owned(), path.display().to_string()]);
    }
    let judged = name.ends_with("/haproxy.cfg");
    judged
        .then(|| refused_by_haproxy(root, path, name))
        .flatten()
}

fn refused_by_haproxy(root: &Path, path: &Path, name: &str) -> Option<String> {
    let host = root.join(name.split('/').next().unwrap_or_default());
    let dir = tempfile::tempdir().unwrap();
    let moved = |from: &Path| {
        let to = dir.path().join(from.file_name().unwrap());
        let text = std::fs::read_to_string(from).unwrap();
        let ca = host.join("etc/haproxy/ca.crt");
        let text = text.replace("/etc/haproxy/ca.crt", &ca.to_string_lossy());
        std::fs::write(&to, text).unwrap();
        to.display().to_string()
    };
    let mut args = vec!["-c".to_owned(), "-f".to_owned(), moved(path)];
    for service in files(&host.join("etc/haproxy/conf.d")) {
        args.extend(["-f".to_owned(), moved(&service)]);
    }
    refused_by("haproxy", &args)
}

fn refused_by(program: &str, args: &[String]) -> Option<String> {
    // A program that is not there says nothing.
    let output = std::process::Command::new(program)
        .args(args)
        .output()
        .ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (!output.status.success()).then(|| format!("{program} refuses it: {said}"))
}
