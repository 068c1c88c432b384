//! What `pg_amcheck` and `pg_checksums` said of a restored member.

use super::{Finding, Proof};
use crate::command::Frame;
use crate::names::HostName;

/// Judges the pages of a group.
pub fn judge_pages(
    frame: &Frame,
    cluster: &str,
    host: &HostName,
    answer: &Result<String, String>,
) -> Vec<Finding> {
    let text = match answer {
        Ok(text) => text,
        Err(why) => {
            return vec![Finding::new(
                cluster,
                "pages",
                Proof::Unknown,
                format!("{host}: {why}"),
            )];
        }
    };
    let sections = frame.sections(text);
    let last = |name: &str| {
        let text = sections.get(name).unwrap_or_default();
        text.lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .unwrap_or("it says nothing")
            .to_owned()
    };
    let ended = |name: &str| {
        let mark = format!("{name}-ended");
        let code = sections.starting_with(&mark).next();
        code.map(|(code, _)| code.to_owned())
    };
    let amcheck = match ended("amcheck").as_deref() {
        Some("0") => Finding::new(
            cluster,
            "amcheck",
            Proof::Holds,
            format!("pg_amcheck finds nothing on {host}"),
        ),
        Some(_) => Finding::new(
            cluster,
            "amcheck",
            Proof::Fails,
            format!("{host}: {}", last("amcheck")),
        ),
        None if sections.get("amcheck").is_some() => Finding::new(
            cluster,
            "amcheck",
            Proof::Skipped,
            format!("pg_amcheck is not installed on {host}"),
        ),
        None => Finding::new(
            cluster,
            "amcheck",
            Proof::Unknown,
            format!("{host}: its answer is not whole"),
        ),
    };
    let said = sections.get("checksums").unwrap_or_default();
    let checksums = match ended("checksums").as_deref() {
        Some("0") => Finding::new(
            cluster,
            "checksums",
            Proof::Holds,
            format!("pg_checksums finds no bad page on {host}"),
        ),
        Some(_) if said.contains("not enabled") => Finding::new(
            cluster,
            "checksums",
            Proof::Skipped,
            "this cluster has no data checksums",
        ),
        Some(_) => Finding::new(
            cluster,
            "checksums",
            Proof::Fails,
            format!("{host}: {}", last("checksums")),
        ),
        None => Finding::new(
            cluster,
            "checksums",
            Proof::Unknown,
            format!("{host}: its answer is not whole"),
        ),
    };
    vec![amcheck, checksums]
}
