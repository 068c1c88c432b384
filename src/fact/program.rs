//! All probes of a host as one shell program: one process per kind of question, not one per question.

use super::Probe;
use crate::command::{Frame, quote, whole_program};
use crate::secret::Secret;
use base64::Engine;
use std::collections::BTreeMap;

/// Where stamps, the manifest and the emergency marker live on a host.
pub const STATE_DIR: &str = "/etc/citusctl";

const TRAITS: &str = include_str!("scripts/traits.sh");

const STATE: &str = include_str!("scripts/state.sh");

/// The program that answers all probes. `data_dir` is where disk space is measured.
pub fn observe_program(frame: &Frame, probes: &[Probe], data_dir: &str) -> Secret {
    let mut body = frame.define_mark();
    body.push_str(&format!("DATA={}; STATE={STATE_DIR}\n", quote(data_dir)));
    let rest = [
        TRAITS,
        STATE,
        super::kept::PROGRAM,
        super::listeners::PROGRAM,
        &paths(probes),
        &named(probes, "packages", PACKAGES, Probe::package),
        &named(probes, "units", UNITS, Probe::unit),
        &named(probes, "users", "getent passwd", Probe::user),
        &scripts(probes),
    ]
    .concat();
    body.push_str(&beside(
        &super::sql_program::questions(frame, probes),
        &rest,
    ));
    body.push_str("mark done\n");
    whole_program(&body)
}

/// SQL and the rest at the same time, the answers one after the other: what `psql` says waits in the pipe.
fn beside(sql: &str, rest: &str) -> String {
    match sql {
        "" => rest.to_owned(),
        sql => format!("{{\n{sql}}} | {{\nexec 6<&0 </dev/null\n{rest}cat <&6\n}}\n"),
    }
}

const PACKAGES: &str =
    "dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\\n' -- 2>/dev/null";
const UNITS: &str = "systemctl show --property=LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,ExecMainStartTimestampMonotonic --";

fn named(
    probes: &[Probe],
    section: &str,
    command: &str,
    pick: impl Fn(&Probe) -> Option<&String>,
) -> String {
    let names: Vec<String> = probes
        .iter()
        .filter_map(pick)
        .map(|name| quote(name))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let (command, tail) = command
        .split_once(" 2>")
        .map_or((command, ""), |(c, t)| (c, t));
    let redirect = if tail.is_empty() {
        String::new()
    } else {
        format!(" 2>{tail}")
    };
    format!("mark {section}\n{command} {}{redirect}\n", names.join(" "))
}

fn paths(probes: &[Probe]) -> String {
    let names: Vec<String> = probes
        .iter()
        .filter_map(Probe::path)
        .map(|path| quote(path))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let names = names.join(" ");
    // What is no regular file has no digest: a link is not followed, and nobody is waited for who has put a pipe there.
    format!(
        "mark stat\nstat -c '%a %U %G %s %.9Z %F|%N' -- {names} 2>/dev/null\nmark sums\nset --; for f in {names}; do [ -f \"$f\" ] && [ ! -L \"$f\" ] && set -- \"$@\" \"$f\"; done\n\
         sums=; [ $# = 0 ] || sums=\"\n$(sha256sum -- \"$@\" 2>/dev/null)\n\"; printf '%s' \"$sums\"\n"
    )
}

/// What the digests of a look hold, as a pattern of the shell's `case`, where a path has this digest; see [`SUMS`].
pub fn sum_pattern(path: &str, sha256: &str) -> String {
    format!("*\"\n{sha256}  \"{}\"\n\"*", quote(path))
}

/// The digests of a look, for scripts that come after them: empty where nothing was asked.
pub const SUMS: &str = "\"${sums-}\"";

fn scripts(probes: &[Probe]) -> String {
    let mut text = String::new();
    for probe in probes {
        if let Probe::Script { name, text: body } = probe {
            text.push_str(&format!("mark script {name}\n( {body}\n)\n"));
        }
    }
    text
}

/// The program of the second look: contents of files that differ, for the diff that people read.
pub fn fetch_program(frame: &Frame, paths: &[String]) -> Secret {
    let mut body = frame.define_mark();
    for (index, path) in paths.iter().enumerate() {
        let path = quote(path);
        body.push_str(&format!(
            "mark content {index}\ndd if={path} iflag=nofollow,nonblock,count_bytes,fullblock bs=65536 count=262144 status=none 2>/dev/null | base64\n"
        ));
    }
    body.push_str("mark done\n");
    whole_program(&body)
}

/// Reads the answer to [`fetch_program`].
pub fn parse_contents(frame: &Frame, paths: &[String], output: &str) -> BTreeMap<String, Vec<u8>> {
    let sections = frame.sections(output);
    let mut contents = BTreeMap::new();
    for (index, path) in paths.iter().enumerate() {
        let text: String = sections
            .get(&format!("content {index}"))
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) {
            contents.insert(path.clone(), bytes);
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Each side waits for the other, so that neither order would end well.
    #[test]
    fn sql_is_asked_beside_the_rest_and_its_answer_follows() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().display();
        let wait = |name: &str| {
            format!(
                "i=0; until [ -f {place}/{name} ] || [ $i -ge 200 ]; do i=$((i+1)); sleep 0.05; done; [ -f {place}/{name} ] || exit 1\n"
            )
        };
        let sql = format!("touch {place}/sql\n{}echo answer\n", wait("rest"));
        let rest = format!("{}echo rest\ntouch {place}/rest\n", wait("sql"));
        let text = beside(&sql, &rest);
        let output = Command::new("sh").args(["-c", &text]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "rest\nanswer\n");
    }

    #[test]
    fn without_sql_there_is_no_pipe() {
        assert_eq!(beside("", "rest\n"), "rest\n");
    }
}
