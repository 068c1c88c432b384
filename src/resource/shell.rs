//! Shell functions that steps share (`scripts/walk.sh`, `scripts/steps.sh`), and calls of them.
//!
//! Root writes only where root alone can. Below a directory of another account everything is done as that account, and a link
//! that it may have put there is refused in words: what a path leads to is decided when the step runs, not when it was planned.

use crate::command::quote;
use base64::Engine;

const PLAIN: &str = include_str!("scripts/plain.sh");
const WALK: &str = include_str!("scripts/walk.sh");
const STEPS: &str = include_str!("scripts/steps.sh");

/// Functions at the head of every program of steps; what each does stands beside it there. `keep PATH` saves what is about to be
/// replaced under the run's own directory; nothing is deleted.
pub fn prelude(run: &str) -> String {
    format!(
        "RUN={}\nKEPT=/var/lib/citusctl/replaced/$RUN\n{}{}",
        quote(run),
        bare(WALK),
        bare(STEPS)
    )
}

/// Shell text that says what is in a file that a step may edit: a line `there` and its content, or `absent`, or why not.
pub(super) fn show_file(path: &str) -> String {
    let slow = format!("{}show {}", bare(WALK), quote(path));
    match parts(path) {
        Some(parts) => {
            let (plain, file) = (bare(PLAIN), quote(path));
            format!(
                "{{ {plain}if plain {parts}; then echo there; head -c 1048576 -- {file}; else\n{slow}\nfi; }} 2>&1"
            )
        }
        None => format!("{{ {slow}; }} 2>&1"),
    }
}

/// The directories that lead to a file, and the file, as words; none where the path is not written plainly.
fn parts(path: &str) -> Option<String> {
    let names = path.strip_prefix('/')?;
    let plainly = |name: &str| !matches!(name, "" | "." | "..");
    let ends = names.match_indices('/').map(|(at, _)| at + 1);
    let parts: Vec<String> = ends
        .chain([path.len()])
        .map(|end| quote(&path[..end]))
        .collect();
    names
        .split('/')
        .all(plainly)
        .then(|| format!("/ {}", parts.join(" ")))
}

/// The text without its comments, which no host reads.
fn bare(script: &str) -> String {
    let lines = script
        .lines()
        .filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// How a file is to be written.
pub(super) struct Write<'a> {
    pub path: &'a str,
    pub content: &'a [u8],
    pub mode: &'a str,
    pub owner: &'a str,
    pub group: &'a str,
    /// A command that must accept the new file, `%s` standing for it.
    pub validate: Option<&'a str>,
}

/// Shell text: temporary file beside the target, mode and owner before content, validator, the replaced version kept, rename.
pub(super) fn write_file(write: &Write<'_>) -> String {
    let name = write.path.rsplit('/').next().unwrap_or_default();
    let suffix = name
        .rsplit_once('.')
        .map(|(_, suffix)| format!(".{suffix}"))
        .unwrap_or_default();
    let validate = write
        .validate
        .map(|validate| quote(&validate.replace("%s", "\"$tmp\"")))
        .unwrap_or_default();
    format!(
        "put_file {} {} {} {} {} {validate} <<'CITUSCTL_END'\n{}CITUSCTL_END\n",
        quote(write.path),
        quote(write.owner),
        quote(write.group),
        quote(write.mode),
        quote(&suffix),
        encoded(write.content),
    )
}

/// How a block of lines is to be written.
pub(super) struct WriteBlock<'a> {
    pub path: &'a str,
    pub name: &'a str,
    /// The lines with their markers.
    pub lines: &'a str,
    /// It comes before what others wrote, not after it.
    pub first: bool,
    /// Digest of what was seen between the markers.
    pub seen: &'a str,
}

/// Shell text that edits the block in the file as that is when the step runs.
pub(super) fn write_block(block: &WriteBlock<'_>) -> String {
    format!(
        "put_block {} {} {} {} <<'CITUSCTL_END'\n{}CITUSCTL_END\n",
        quote(block.path),
        quote(block.name),
        if block.first { "first" } else { "last" },
        block.seen,
        encoded(block.lines.as_bytes()),
    )
}

fn encoded(content: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(content);
    let mut text = String::with_capacity(encoded.len() + encoded.len() / 76 + 1);
    for chunk in encoded.as_bytes().chunks(76) {
        text.push_str(&String::from_utf8_lossy(chunk));
        text.push('\n');
    }
    text
}

#[cfg(test)]
pub(in crate::resource) mod tests;
