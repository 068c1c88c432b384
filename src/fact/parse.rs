//! From the output of an observe program to an [`Observed`].

use super::{
    Observed, OpenRestore, PathKind, PathState, Probe, Stamp, Traits, UnitState, UserState,
};
use super::{kept, listeners};
use crate::command::{Frame, Sections};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The answer could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// The program did not come to its end.
    #[error("the answer of the host is incomplete; its last words: {tail}")]
    Incomplete { tail: String },
}

/// Reads the whole output of [`super::observe_program`].
pub fn parse(frame: &Frame, probes: &[Probe], output: &str) -> Result<Observed, ParseError> {
    let sections = frame.sections(output);
    if sections.get("done").is_none() {
        let tail: Vec<&str> = output.lines().rev().take(3).collect();
        return Err(ParseError::Incomplete {
            tail: tail.into_iter().rev().collect::<Vec<_>>().join(" | "),
        });
    }
    let mut observed = Observed {
        traits: traits(sections.get("traits").unwrap_or_default()),
        paths: paths(&sections),
        packages: packages(sections.get("packages").unwrap_or_default()),
        units: units(
            probes,
            sections.get("units").unwrap_or_default(),
            booted(sections.get("traits").unwrap_or_default()),
        ),
        users: users(sections.get("users").unwrap_or_default()),
        stamps: stamps(sections.get("stamps").unwrap_or_default()),
        manifest: lines(sections.get("manifest").unwrap_or_default()),
        emergency: sections
            .get("emergency")
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned),
        restoring: sections.get("restoring").and_then(OpenRestore::read),
        listeners: listeners::read(
            sections.get("listeners").unwrap_or_default(),
            sections.get("processes").unwrap_or_default(),
        ),
        kept: kept::read(sections.get("kept").unwrap_or_default()),
        scripts: scripts(&sections),
        contents: BTreeMap::new(),
    };
    observed.distrust();
    Ok(observed)
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

fn scripts(sections: &Sections) -> BTreeMap<String, String> {
    // The mark that follows starts with an empty line of its own.
    let text = |text: &str| {
        text.strip_suffix("\n\n")
            .map_or(text.to_owned(), |t| format!("{t}\n"))
    };
    sections
        .starting_with("script")
        .map(|(name, body)| (name.to_owned(), text(body)))
        .collect()
}

fn traits(text: &str) -> Traits {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .unwrap_or_default()
            .trim()
    };
    let number = |key: &str| value(key).parse::<u64>().unwrap_or_default();
    let (hostname, machine) = value("uname").split_once(' ').unwrap_or_default();
    let (size, free) = disk(text).unwrap_or_default();
    Traits {
        os_id: value("os_id").to_owned(),
        os_version: value("os_version").to_owned(),
        machine: machine.to_owned(),
        hostname: hostname.to_owned(),
        cpus: value("cpus").parse().unwrap_or_default(),
        mem_mb: number("mem_kb") / 1024,
        disk_gb: size / 1024 / 1024,
        disk_free_mb: free / 1024,
        clock: value("clock").parse().unwrap_or_default(),
    }
}

/// Size and free space in KiB: the line below `df`'s header.
fn disk(text: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("df "));
    let mut words = lines.nth(1)?.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn paths(sections: &Sections) -> BTreeMap<String, PathState> {
    let sums = sums(sections.get("sums").unwrap_or_default());
    let stat = sections.get("stat").unwrap_or_default();
    stat.lines().filter_map(|line| path(line, &sums)).collect()
}

fn sums(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split_once("  ").map(|(sum, path)| (path, sum)))
        .collect()
}

/// Reads `mode owner group size ctime kind|'name'` and, for a link, ` -> 'target'`.
fn path(line: &str, sums: &BTreeMap<&str, &str>) -> Option<(String, PathState)> {
    let (head, name) = line.split_once('|')?;
    let mut words = head.splitn(6, ' ');
    let (mode, owner, group) = (words.next()?, words.next()?, words.next()?);
    let size = words.next()?.parse().ok()?;
    let changed = words.next()?.parse().ok();
    let kind = words.next()?;
    let (name, target) = name
        .split_once(" -> ")
        .map_or((name, None), |(n, t)| (n, Some(t)));
    let name = unquote(name);
    let kind = match kind {
        "regular file" | "regular empty file" => PathKind::File {
            sha256: (*sums.get(name.as_str())?).to_owned(),
        },
        "directory" => PathKind::Directory,
        "symbolic link" => PathKind::Link {
            to: unquote(target.unwrap_or_default()),
        },
        other => PathKind::Other(other.to_owned()),
    };
    let state = PathState {
        kind,
        mode: mode.into(),
        owner: owner.into(),
        group: group.into(),
        size,
        changed,
    };
    Some((name, state))
}

fn unquote(name: &str) -> String {
    name.trim_matches('\'').to_owned()
}

fn packages(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, status, version) = (words.next()?, words.next()?, words.next()?);
            (status == "installed").then(|| (name.to_owned(), version.to_owned()))
        })
        .collect()
}

/// `systemctl show` answers in the order of the question, one paragraph per unit.
fn units(probes: &[Probe], text: &str, booted: Option<f64>) -> BTreeMap<String, UnitState> {
    let names = probes.iter().filter_map(Probe::unit).cloned();
    names
        .zip(text.split("\n\n").map(|it| unit(it, booted)))
        .collect()
}

/// When the host began to count its time, in seconds since 1970.
fn booted(traits: &str) -> Option<f64> {
    let number = |key: &str| -> Option<f64> {
        let mut lines = traits.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
        value.trim().parse().ok()
    };
    Some(number("clock")? - number("uptime")?)
}

fn unit(paragraph: &str, booted: Option<f64>) -> UnitState {
    let value = |key: &str| {
        let line = paragraph
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default()
    };
    let started = value("ExecMainStartTimestampMonotonic").parse::<f64>().ok();
    UnitState {
        loaded: value("LoadState") == "loaded",
        masked: value("LoadState") == "masked",
        active: matches!(value("ActiveState"), "active" | "reloading" | "refreshing"),
        active_state: value("ActiveState").to_owned(),
        enabled: matches!(value("UnitFileState"), "enabled" | "enabled-runtime"),
        files: [value("FragmentPath"), value("DropInPaths")]
            .iter()
            .flat_map(|paths| paths.split_whitespace())
            .map(str::to_owned)
            .collect(),
        started: started
            .filter(|micros| *micros > 0.0)
            .zip(booted)
            .map(|(micros, booted)| booted + micros / 1e6),
    }
}

fn users(text: &str) -> BTreeMap<String, UserState> {
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, _, home, shell] = fields.as_slice() else {
                return None;
            };
            let state = UserState {
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                home: (*home).to_owned(),
                shell: (*shell).to_owned(),
            };
            Some(((*name).to_owned(), state))
        })
        .collect()
}

fn stamps(text: &str) -> BTreeMap<String, Stamp> {
    let mut stamps = BTreeMap::<String, Stamp>::new();
    let mut unit = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["=", name] => unit = (*name).to_owned(),
            [word @ ("restart" | "reload"), input, digest, at @ ..] => {
                let stamp = stamps.entry(unit.clone()).or_default();
                let digests = match *word {
                    "restart" => &mut stamp.restart,
                    _ => &mut stamp.reload,
                };
                digests.insert((*input).to_owned(), (*digest).to_owned());
                let at = at.first().and_then(|at| at.strip_prefix('@')?.parse().ok());
                stamp
                    .at
                    .extend(at.map(|at: f64| (format!("{word} {input}"), at)));
            }
            ["started"] => {
                stamps.entry(unit.clone()).or_default();
            }
            _ => {}
        }
    }
    stamps
}

/// Reads `ip -o addr`: `2: eth0    inet 10.0.0.1/24 brd ...`.
pub fn addresses(text: &str) -> BTreeSet<IpAddr> {
    let of_line = |line: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| matches!(*word, "inet" | "inet6"))?;
        words.next()?.split('/').next()?.parse().ok()
    };
    text.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_answer_is_an_error() {
        let error = parse(&Frame::new("n"), &[], "\n@@n traits\nbroken pipe\n");
        assert!(
            matches!(error, Err(ParseError::Incomplete { tail }) if tail.contains("broken pipe"))
        );
    }

    #[test]
    fn reads_what_a_real_shell_answers() {
        let frame = Frame::new("n7");
        let probes = [
            Probe::Path("/".into()),
            Probe::Path("/etc/passwd".into()),
            Probe::Path("/nowhere".into()),
            Probe::User("root".into()),
            Probe::Script {
                name: "hello".into(),
                text: "echo hello; exit 3".into(),
            },
        ];
        let program = super::super::observe_program(&frame, &probes, "/nowhere/data");
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(program.expose())
            .output();
        let output = String::from_utf8(output.expect("sh runs").stdout).expect("text");
        let seen = parse(&frame, &probes, &output).expect("complete");
        assert_eq!(seen.paths["/"].kind, PathKind::Directory);
        assert!(
            matches!(&seen.paths["/etc/passwd"].kind, PathKind::File { sha256 } if sha256.len() == 64)
        );
        assert!(!seen.paths.contains_key("/nowhere"));
        assert_eq!(seen.users["root"].uid, 0);
        assert_eq!(seen.scripts["hello"], "hello\n");
        assert!(seen.traits.cpus > 0 && seen.traits.mem_mb > 0 && seen.traits.disk_gb > 0);
        assert!(seen.traits.clock > 1.0e9);
        assert!(
            seen.paths["/etc/passwd"]
                .changed
                .is_some_and(|at| at > 1.0e9)
        );
    }

    #[test]
    fn reads_units_in_the_order_of_the_question() {
        let probes = [
            Probe::Unit("a".into()),
            Probe::Package("x".into()),
            Probe::Unit("b".into()),
        ];
        let text = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nFragmentPath=/usr/lib/a\nDropInPaths=/etc/a.d/citusctl.conf /etc/a.d/x.conf\nExecMainStartTimestampMonotonic=2500000\n\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\nFragmentPath=\nDropInPaths=\nExecMainStartTimestampMonotonic=0\n";
        let units = units(&probes, text, booted("clock 1000.5\nuptime 100.5\n"));
        assert_eq!(units["a"].started, Some(902.5));
        assert_eq!(units["b"].started, None);
        assert!(units["a"].active && units["a"].enabled);
        assert!(!units["b"].loaded && !units["b"].active);
        let foreign = |unit: &str, manifest: &[String]| {
            let files = units[unit].foreign_files(manifest);
            files.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(foreign("a", &[]), ["/etc/a.d/x.conf"]);
        let ours = ["node/x /etc/a.d/x.conf".to_owned()];
        assert!(foreign("a", &ours).is_empty() && foreign("b", &[]).is_empty());
    }

    #[test]
    fn reads_addresses_of_both_families() {
        let text = "1: lo    inet 127.0.0.1/8 scope host lo\\ valid_lft forever\n2: eth0    inet6 fd00::2/64 scope global\n3: odd\n";
        let found: Vec<String> = addresses(text).iter().map(IpAddr::to_string).collect();
        assert_eq!(found, ["127.0.0.1", "fd00::2"]);
    }
}
