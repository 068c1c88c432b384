//! Passwords of ansible-vault: from files, from programs, from a person.

use super::failure::{Failure, code};
use super::options::Options;
use crate::inventory::{Asked, Keys};
use crate::secret::Secret;
use crate::ui::term;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Passwords of the options, and a question where there is a terminal.
pub fn keys(options: &Options) -> Result<Keys, Failure> {
    let mut known = Vec::new();
    for path in &options.vault_password_file {
        known.push(from_file(path, None)?);
    }
    let mut prompts = Vec::new();
    for given in &options.vault_id {
        match given.rsplit_once('@') {
            Some((id, "prompt")) => prompts.push(Some(id)),
            None if given == "prompt" => prompts.push(None),
            Some((id, file)) => known.push(from_file(Path::new(file), Some(id))?),
            None => known.push(from_file(Path::new(given), None)?),
        }
    }
    for id in prompts {
        known.push(ask(id).ok_or_else(no_terminal)?);
    }
    let question: Asked = Box::new(ask);
    Ok(Keys::new(known, Some(question)))
}

thread_local! {
    /// Answers of a person: an inventory may be read more than once.
    static ANSWERS: RefCell<BTreeMap<Option<String>, Secret>> = const { RefCell::new(BTreeMap::new()) };
}

/// What a person answers; `None` without a terminal.
fn ask(id: Option<&str>) -> Option<Secret> {
    let key = id.map(str::to_owned);
    if let Some(before) = ANSWERS.with_borrow(|answers| answers.get(&key).cloned()) {
        return Some(before);
    }
    if !term::can_ask() || !term::is_drawn() {
        return None;
    }
    let prompt = match id {
        Some(id) => format!("Vault password ({id}): "),
        None => "Vault password: ".to_owned(),
    };
    let answer = term::ask_hidden(&prompt)
        .ok()
        .filter(|answer| !answer.is_empty())?;
    let answer = Secret::new(answer);
    ANSWERS.with_borrow_mut(|answers| answers.insert(key, answer.clone()));
    Some(answer)
}

fn no_terminal() -> Failure {
    let failure = Failure::new(
        code::INPUT,
        "`--vault-id prompt`: there is no terminal to ask at, or no answer",
    );
    failure.hint("give a file: `--vault-id ID@FILE`")
}

/// The password in a file; one that may be executed prints it, as in Ansible.
fn from_file(path: &Path, id: Option<&str>) -> Result<Secret, Failure> {
    let unusable = |reason: String| {
        let message = format!("vault password file {}: {reason}", path.display());
        Failure::new(code::INPUT, message)
            .hint("the file holds the password in its first line, or is a program that prints it")
    };
    let about = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?;
    let runs = about.is_file() && about.permissions().mode() & 0o111 != 0;
    let text = match runs {
        true => printed(path, id).map_err(unusable)?,
        false => std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?,
    };
    match text.trim() {
        "" => Err(unusable("it is empty".to_owned())),
        password => Ok(Secret::new(password)),
    }
}

/// What a program prints. One whose name ends with `-client` is told the vault id.
fn printed(path: &Path, id: Option<&str>) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let mut command = Command::new(&path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem.ends_with("-client") {
        command.arg("--vault-id").arg(id.unwrap_or("default"));
    }
    let ran = command.stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| format!("cannot be run: {error}"))?;
    match ran.status.success() {
        true => String::from_utf8(ran.stdout).map_err(|_| "it printed no UTF-8 text".to_owned()),
        false => Err(format!("it ended with {}", ran.status)),
    }
}
