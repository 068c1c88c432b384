//! `init`: a starter inventory for given hosts, with generated passwords.

use super::failure::{Failure, chain, code, result};
use super::options::Options;
use super::project;
use crate::names::words::count;
use crate::source::yaml;
use crate::template::Context;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What the hosts are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Citus,
    Ha,
    Single,
}

impl Layout {
    fn named(word: &str) -> Option<Self> {
        match word {
            "citus" => Some(Self::Citus),
            "ha" => Some(Self::Ha),
            "single" => Some(Self::Single),
            _ => None,
        }
    }
}

/// One host of the new inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct HostPlace {
    etcd: bool,
    /// Group of the formation and number in it, if it is a database host.
    member: Option<(usize, usize)>,
}

/// Writes a starter inventory for a layout and its hosts, as they are named.
///
/// # Errors
/// Words that are no layout and no hosts, or a file that is there.
pub fn run(options: &Options, words: &[String]) -> Result<u8, Failure> {
    let (layout, hosts) = read(words)?;
    let places = places(layout, hosts.len())?;
    let (_, templates) = project::catalog(options)?;
    let name = match layout {
        Layout::Citus => "templates/init/citus.yml.j2",
        Layout::Ha => "templates/init/ha.yml.j2",
        Layout::Single => "templates/init/single.yml.j2",
    };
    let context = context(layout, hosts, &places)?;
    let rendered = templates.render(name, &Context::from(&context));
    let text = rendered.map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    let path = &options.inventory;
    write(path, &text.text)?;
    result(&format!(
        "{}: {}; generated passwords are in it (mode 0600)\nnext: `citusctl -i {} check`, then `plan`, then `apply`\n",
        path.display(),
        count(hosts.len(), "host"),
        path.display()
    ))?;
    Ok(code::DONE)
}

/// The layout, as named or by the number of hosts, and the hosts.
fn read(words: &[String]) -> Result<(Layout, &[String]), Failure> {
    let named = words
        .split_first()
        .and_then(|(first, rest)| Some((Layout::named(first)?, rest)));
    let (layout, hosts) = named.unwrap_or(match words {
        [_] => (Layout::Single, words),
        _ => (Layout::Citus, words),
    });
    let mut seen = BTreeSet::new();
    for host in hosts {
        if host.parse::<std::net::IpAddr>().is_err() {
            let message = format!("`{host}` is no IP address");
            let failure = Failure::new(code::USAGE, message);
            return Err(failure
                .hint("write `citusctl init [citus|ha|single] ADDRESS...`; etcd, Patroni and HAProxy need addresses"));
        }
        if !seen.insert(host) {
            return Err(Failure::new(
                code::USAGE,
                format!("host `{host}` is given twice"),
            ));
        }
    }
    Ok((layout, hosts))
}

/// Who does what, in the order of the hosts.
fn places(layout: Layout, hosts: usize) -> Result<Vec<HostPlace>, Failure> {
    let wrong = |wanted: &str| {
        let name = format!("{layout:?}").to_lowercase();
        let message = format!(
            "layout `{name}` wants {wanted}; {} given",
            count(hosts, "host")
        );
        Err(Failure::new(code::USAGE, message))
    };
    match (layout, hosts) {
        (Layout::Single, 1) => Ok(row(1, 1)),
        (Layout::Single, _) => wrong("exactly one host"),
        (Layout::Ha, 0..=2) => wrong("three hosts or more, because etcd needs a majority"),
        (Layout::Ha, _) => Ok(row(hosts, 3)),
        (Layout::Citus, 3) => Ok(bare_formation()),
        (Layout::Citus, 0..=4) => wrong(
            "three hosts (no standbys), or five and more (pairs, and etcd's majority outlives each pair)",
        ),
        (Layout::Citus, _) => Ok(formation(hosts)),
    }
}

/// One cluster on all hosts, etcd on the first of them.
fn row(hosts: usize, etcd: usize) -> Vec<HostPlace> {
    let place = |at| HostPlace {
        etcd: at < etcd,
        member: Some((0, at + 1)),
    };
    (0..hosts).map(place).collect()
}

/// Three groups of one host each.
fn bare_formation() -> Vec<HostPlace> {
    let place = |group| HostPlace {
        etcd: true,
        member: Some((group, 1)),
    };
    (0..3).map(place).collect()
}

/// Groups of two hosts; where the number is odd, the first host is for etcd alone. No group has two members of etcd.
fn formation(hosts: usize) -> Vec<HostPlace> {
    let alone = hosts % 2;
    let place = |at: usize| match at.checked_sub(alone) {
        None => HostPlace {
            etcd: true,
            member: None,
        },
        Some(at) => HostPlace {
            etcd: at % 2 == 0 && at / 2 + alone < 3,
            member: Some((at / 2, at % 2 + 1)),
        },
    };
    (0..hosts).map(place).collect()
}

fn context(layout: Layout, hosts: &[String], places: &[HostPlace]) -> Result<Value, Failure> {
    let mut etcd = 0;
    let mut rows = Vec::new();
    for (name, place) in hosts.iter().zip(places) {
        etcd += usize::from(place.etcd);
        let seq = place.member.map(|(_, seq)| seq);
        rows.push(json!({
            "name": yaml::scalar(name),
            "etcd_seq": place.etcd.then_some(etcd),
            "group": place.member.map(|(group, _)| group),
            "seq": seq,
            "role": if seq == Some(1) { "primary" } else { "replica" },
        }));
    }
    let groups = places
        .iter()
        .filter_map(|place| place.member)
        .map(|(group, _)| group);
    Ok(json!({
        "hosts": rows,
        "citus": layout == Layout::Citus,
        "workers": groups.max().unwrap_or_default(),
        "standbys": places.iter().any(|place| place.member.is_some_and(|(_, seq)| seq > 1)),
        "secrets": secrets()?,
    }))
}

fn secrets() -> Result<Value, Failure> {
    let names = [
        "replication",
        "admin",
        "monitor",
        "patroni",
        "haproxy",
        "etcd",
        "patroni_etcd",
        "superuser",
        "app",
    ];
    let made = names
        .iter()
        .map(|name| Ok(((*name).to_owned(), Value::from(password()?))));
    Ok(Value::Object(made.collect::<Result<_, Failure>>()?))
}

/// Characters of generated passwords: none that has a meaning anywhere, and no two that look alike.
const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// A password of that many characters has 139 bits.
const LENGTH: usize = 24;

/// A new one, of letters and digits.
pub(super) fn password() -> Result<String, Failure> {
    // A letter in front: the text is no number in any reader.
    let random = SystemRandom::new();
    let mut text = String::new();
    while text.len() < LENGTH {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|_| {
            Failure::new(
                code::INTERNAL,
                "the system gives no random numbers for passwords",
            )
        })?;
        // 56 * 4 = 224: what is above would favour some letters.
        let at = usize::from(byte[0]);
        let letter = char::from(LETTERS[at % LETTERS.len()]);
        if at < LETTERS.len() * 4 && (!text.is_empty() || letter.is_ascii_alphabetic()) {
            text.push(letter);
        }
    }
    Ok(text)
}

/// Writes a new file for its owner only.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            code::REFUSED,
            format!("{} is there already and is not overwritten", path.display()),
        )
        .hint("name another file with `-i`"),
        _ => Failure::new(code::INPUT, format!("{}: {error}", path.display())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pair_holds_two_members_of_etcd() {
        for hosts in 5..12 {
            let made = formation(hosts);
            assert_eq!(made.iter().filter(|place| place.etcd).count(), 3, "{hosts}");
            let groups = made
                .iter()
                .filter(|place| place.etcd)
                .filter_map(|place| place.member);
            let unique: BTreeSet<usize> = groups.clone().map(|(group, _)| group).collect();
            assert_eq!(unique.len(), groups.count(), "{hosts}");
        }
    }

    #[test]
    fn numbers_of_hosts_are_judged() {
        let refused = [
            (Layout::Single, 2),
            (Layout::Ha, 2),
            (Layout::Citus, 4),
            (Layout::Citus, 2),
        ];
        for (layout, hosts) in refused {
            assert_eq!(
                places(layout, hosts).err().map(|f| f.code),
                Some(code::USAGE),
                "{layout:?} {hosts}"
            );
        }
    }

    #[test]
    fn what_it_writes_lacks_a_repository_for_backups_and_nothing_else() {
        let names: Vec<String> = (1..=9).map(|n| format!("10.10.10.{n}")).collect();
        let cases = [
            (Layout::Single, 1),
            (Layout::Ha, 3),
            (Layout::Ha, 5),
            (Layout::Citus, 3),
            (Layout::Citus, 5),
        ];
        for (layout, count) in cases.into_iter().chain((6..=9).map(|n| (Layout::Citus, n))) {
            let said = said_of(layout, &names[..count]);
            let others = said
                .lines()
                .filter(|line| !line.contains("keeps no backups"));
            assert_eq!(others.count(), 0, "{layout:?} {count}: {said}");
            assert!(said.contains("keeps no backups"), "{layout:?} {count}");
        }
    }

    /// What `check` says of a new inventory.
    fn said_of(layout: Layout, hosts: &[String]) -> String {
        let assets = crate::catalog::Assets::embedded();
        let texts = assets
            .iter()
            .map(|(path, asset)| (path.to_owned(), asset.text.clone()));
        let engine = crate::template::Engine::new(texts.collect::<Vec<_>>());
        let context = context(layout, hosts, &places(layout, hosts.len()).unwrap()).unwrap();
        let name = format!(
            "templates/init/{}.yml.j2",
            format!("{layout:?}").to_lowercase()
        );
        let text = engine.render(&name, &Context::from(&context)).unwrap().text;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("i.yml");
        write(&path, &text).unwrap();
        let loaded = crate::inventory::load(&path, &[]).unwrap();
        let (model, problems) = crate::model::build(&loaded.inventory);
        let lint = crate::lint::check(&loaded.inventory, &model.unwrap());
        let checked = crate::inventory::parameters::check_vars(&loaded.inventory);
        let all = loaded
            .warnings
            .into_iter()
            .chain(problems)
            .chain(lint)
            .chain(checked);
        all.map(|said| said.message + "\n").collect()
    }
}
