//! `recover rebuild`: the new inventory beside the old one, and the steps on what is left.

use super::failure::{Failure, chain, code, result, say};
use super::options::Options;
use super::project::{Project, diagnose, state_dir};
use super::recover::{input, look};
use super::runbook::{self, Approval};
use super::session::Session;
use crate::engine::Run;
use crate::names::HostName;
use crate::runbook::Runbook;
use crate::runbook::recover::{InventoryEdit, plan_rebuild};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes the new inventory (`new`, or beside the old one), and goes on with what is left.
pub(super) async fn run(
    options: &Options,
    project: &Project,
    new: Option<&Path>,
    approval: &Approval,
) -> Result<u8, Failure> {
    let hosts = project.model.hosts.keys().cloned().collect();
    let session = Session::reach(options, project, "recover rebuild", hosts).await?;
    let run = session.run()?;
    let new = new.map_or_else(|| beside(&project.inventory.path), Path::to_owned);
    let planned = planned(options, &session, &run, &new).await;
    let (book, text) = match planned {
        Ok((book, text)) => (Ok(book), text),
        Err(failure) => (Err(failure), String::new()),
    };
    let write = || put(project, &new, &text);
    runbook::run_after(options, approval, &session, &run, book, write).await
}

fn beside(old: &Path) -> PathBuf {
    let stem = old.file_stem().unwrap_or_default().to_string_lossy();
    old.with_file_name(format!("{stem}-rebuilt.yml"))
}

async fn planned(
    options: &Options,
    session: &Session<'_>,
    run: &Run<'_>,
    new: &Path,
) -> Result<(Runbook, String), Failure> {
    let project = session.project;
    let seen = look(session, run).await;
    let (mut book, edit) = plan_rebuild(input(session, &seen))?;
    let old = fs_err::read_to_string(&project.inventory.path)
        .map_err(|error| Failure::new(code::INPUT, chain(&error)))?;
    let text = edit.apply(&old);
    checked(options, project, &edit, &text)?;
    session.emitter.pause();
    if !options.json {
        let diff = similar::TextDiff::from_lines(&old, &text);
        let names = (
            project.inventory.path.display().to_string(),
            new.display().to_string(),
        );
        let diff = diff.unified_diff().header(&names.0, &names.1).to_string();
        result(&format!("{}\n", session.masker.mask(&diff)))?;
    }
    book.afterwards = vec![
        format!(
            "{} is written; the old inventory and its state stay as they are.",
            new.display()
        ),
        format!(
            "Next: `citusctl apply -i {}`, then add hosts to it in the ordinary way.",
            new.display()
        ),
    ];
    Ok((book, text))
}

/// The edit is one of text: what it means is read again and compared, before anything is done with it.
fn checked(
    options: &Options,
    project: &Project,
    edit: &InventoryEdit,
    text: &str,
) -> Result<(), Failure> {
    let path = &project.inventory.path;
    let failed = |error: &dyn std::error::Error| Failure::new(code::INPUT, chain(error));
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .suffix(".yml")
        .tempfile_in(dir)
        .map_err(|error| failed(&error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.flush())
        .map_err(|error| failed(&error))?;
    let options = Options {
        inventory: file.path().to_owned(),
        ..options.clone()
    };
    let (inventory, model, said) = diagnose(&options)?;
    let wanted: BTreeSet<&HostName> = project
        .model
        .hosts
        .keys()
        .filter(|host| !edit.lost.contains(*host))
        .collect();
    let hosts: BTreeSet<&HostName> = inventory.hosts.keys().collect();
    let model = model.filter(|_| !said.has_errors() && hosts == wanted);
    let primaries = |model: &crate::model::Model| {
        let all: BTreeSet<&HostName> = model
            .groups()
            .filter_map(|(_, group)| Some(&group.primary()?.host))
            .collect();
        edit.primaries.iter().all(|host| all.contains(host))
    };
    if model.as_ref().is_some_and(primaries) {
        return Ok(());
    }
    let mut words = format!(
        "{}: this inventory cannot be edited without a hand; nothing was changed",
        path.display()
    );
    if said.has_errors() {
        words.push('\n');
        words.push_str(&super::sinks::of_inventory(&inventory, said.iter()));
    }
    let lost: Vec<&str> = edit.lost.iter().map(HostName::as_str).collect();
    Err(Failure::new(code::INPUT, words).hint(format!(
        "copy it, take {} out, make the survivors `pg_role: primary`, and name one host in `etcd`",
        lost.join(", ")
    )))
}

/// Writes the new inventory, and gives it the authority and what is known of the hosts. Nothing is overwritten.
fn put(project: &Project, new: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(code::INTERNAL, chain(&error));
    if let Ok(there) = fs_err::read_to_string(new) {
        if there != text {
            return Err(Failure::new(
                code::INPUT,
                format!(
                    "{} is there already and says something else; nothing was changed",
                    new.display()
                ),
            )
            .hint("name another file with `--new FILE`"));
        }
    } else {
        let mut file = fs_err::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(new)
            .map_err(failed)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        say(&format!("wrote {}", new.display()));
    }
    let state = state_dir(new);
    copy_missing(&project.state_dir.join("pki"), &state.join("pki")).map_err(failed)?;
    copy_missing(
        &project.state_dir.join("known.json"),
        &state.join("known.json"),
    )
    .map_err(failed)
}

/// Copies a file or a directory with its permissions; what is there already stays.
fn copy_missing(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    if from.is_file() {
        return match to.exists() {
            true => Ok(()),
            false => fs_err::copy(from, to).map(|_| ()),
        };
    }
    fs_err::create_dir_all(to)?;
    fs_err::set_permissions(to, fs_err::metadata(from)?.permissions())?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        copy_missing(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
