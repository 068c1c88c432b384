//! What `~/.ssh/config` says about a host: asked of `ssh -G`, which knows all of its rules.
//!
//! Without an ssh program a small reader takes over. It refuses `Match` and `Include` instead of
//! guessing: libraries that guess apply settings to the wrong hosts.

use super::known_hosts::glob;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Settings of one host: lower-case keyword to its values, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshSettings(BTreeMap<String, Vec<String>>);

impl SshSettings {
    /// The first value of a keyword.
    pub(crate) fn first(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).first().map(String::as_str)
    }

    /// All values of a keyword that may be repeated.
    pub(crate) fn all(&self, keyword: &str) -> &[String] {
        self.0.get(keyword).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, keyword: &str, value: &str) {
        let values = self.0.entry(keyword.to_ascii_lowercase()).or_default();
        values.push(value.to_owned());
    }
}

/// What to ask about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The host as given: `Host` patterns match this.
    pub(crate) host: &'a str,
    /// A user or port that is already decided; `Match` may depend on them.
    pub(crate) user: Option<&'a str>,
    pub(crate) port: Option<u16>,
    /// The file to read instead of the usual ones (`ssh -F`).
    pub(crate) file: Option<&'a Path>,
    /// Settings that stand before those of the files.
    pub(crate) options: &'a [(String, String)],
    /// The user's home, for the reader that takes over.
    pub(crate) home: Option<&'a Path>,
}

impl Question<'_> {
    /// The files to read, in order.
    fn files(&self) -> Vec<PathBuf> {
        if let Some(file) = self.file {
            return vec![file.to_owned()];
        }
        let own = self.home.map(|home| home.join(".ssh/config"));
        own.into_iter()
            .chain(["/etc/ssh/ssh_config".into()])
            .collect()
    }
}

/// Without any file there is nothing to ask. Else asks `ssh -G`, or reads the files when there is no ssh program.
///
/// # Errors
/// Words that name the file and the line.
pub(crate) async fn ask(question: Question<'_>) -> Result<SshSettings, String> {
    if question.host.starts_with('-') || question.host.is_empty() {
        return Err(format!("`{}` is no address", question.host));
    }
    if !question.files().iter().any(|file| file.is_file()) {
        return Ok(given(question.options));
    }
    let output = command(question).output().await;
    match output {
        Ok(output) if output.status.success() => {
            Ok(parse_answer(&String::from_utf8_lossy(&output.stdout)))
        }
        Ok(output) => Err(format!(
            "ssh does not accept its configuration: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => read_files(question),
        Err(error) => Err(format!("`ssh -G` could not be run: {error}")),
    }
}

/// The settings that were given, without any file.
fn given(options: &[(String, String)]) -> SshSettings {
    let mut settings = SshSettings::default();
    for (keyword, value) in options {
        set(&mut settings, keyword, std::slice::from_ref(value));
    }
    settings
}

fn command(question: Question<'_>) -> Command {
    let mut command = Command::new("ssh");
    command.arg("-G").stdin(Stdio::null()).kill_on_drop(true);
    if let Some(file) = question.file {
        command.arg("-F").arg(file);
    }
    if let Some(user) = question.user {
        command.arg("-l").arg(user);
    }
    if let Some(port) = question.port {
        command.arg("-p").arg(port.to_string());
    }
    for (keyword, value) in question.options {
        command.arg("-o").arg(format!("{keyword}={value}"));
    }
    command.arg("--").arg(question.host);
    command
}

fn parse_answer(text: &str) -> SshSettings {
    let mut settings = SshSettings::default();
    for line in text.lines() {
        if let Some((keyword, value)) = line.split_once(' ') {
            settings.add(keyword, value);
        }
    }
    settings
}

fn read_files(question: Question<'_>) -> Result<SshSettings, String> {
    let mut settings = given(question.options);
    for file in question.files() {
        match fs_err::read_to_string(&file) {
            Ok(text) => read_text(&text, &file, question.host, &mut settings)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(settings)
}

/// Keywords whose values add up; of all others the first one wins.
const REPEATABLE: [&str; 2] = ["identityfile", "certificatefile"];

fn read_text(
    text: &str,
    file: &Path,
    host: &str,
    settings: &mut SshSettings,
) -> Result<(), String> {
    let mut applies = true;
    for (index, line) in text.lines().enumerate() {
        let Some((keyword, values)) = words(line) else {
            continue;
        };
        let place = format!("{}:{}", file.display(), index + 1);
        match keyword.as_str() {
            "host" => applies = host_matches(&values, host),
            "match" | "include" => {
                return Err(format!(
                    "{place}: `{keyword}` can only be followed with an ssh program installed"
                ));
            }
            _ if applies => set(settings, &keyword, &values),
            _ => {}
        }
    }
    Ok(())
}

fn set(settings: &mut SshSettings, keyword: &str, values: &[String]) {
    if settings.first(keyword).is_none() || REPEATABLE.contains(&keyword) {
        settings.add(keyword, &values.join(" "));
    }
}

fn host_matches(patterns: &[String], host: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, host) => return false,
            Some(_) => {}
            None => found |= glob(pattern, host),
        }
    }
    found
}

/// `Keyword value ...` or `Keyword=value`; values may stand in double quotes. `None` for blanks and comments.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=')?;
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword.to_ascii_lowercase(), split(rest)))
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What `%` tokens, `~` and `${NAME}` in a file name stand for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    pub(crate) home: Option<&'a Path>,
    /// `%h`: the address connected to.
    pub(crate) address: &'a str,
    /// `%n`: the host as given.
    pub(crate) original: &'a str,
    /// `%r`: the login user.
    pub(crate) user: &'a str,
    /// `%p`.
    pub(crate) port: u16,
}

impl Tokens<'_> {
    /// A file name with everything expanded; `None` if it cannot be.
    pub(crate) fn expand(&self, text: &str) -> Option<PathBuf> {
        let text = match text.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.home?.display()),
            None => text.to_owned(),
        };
        self.percent(&environment(&text)?).map(PathBuf::from)
    }

    pub(crate) fn percent(&self, text: &str) -> Option<String> {
        let mut expanded = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                expanded.push(c);
                continue;
            }
            match rest.next()? {
                '%' => expanded.push('%'),
                'd' => expanded.push_str(self.home?.to_str()?),
                'h' => expanded.push_str(self.address),
                'n' => expanded.push_str(self.original),
                'r' => expanded.push_str(self.user),
                'u' => expanded.push_str(&std::env::var("USER").ok()?),
                'p' => expanded.push_str(&self.port.to_string()),
                _ => return None,
            }
        }
        Some(expanded)
    }
}

/// Replaces `${NAME}`; `None` if one is not set.
fn environment(text: &str) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        expanded.push_str(before);
        expanded.push_str(&std::env::var(name).ok()?);
        rest = after;
    }
    expanded.push_str(rest);
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, host: &str) -> Result<SshSettings, String> {
        let mut settings = SshSettings::default();
        read_text(text, Path::new("config"), host, &mut settings).map(|()| settings)
    }

    #[test]
    fn the_first_value_wins_and_identities_add_up() {
        let text = "User=top\nHost db-* !db-9\n  Port 2200\n  IdentityFile \"~/.ssh/a b\"\nHost *\n Port 22\n IdentityFile b\n";
        let settings = read(text, "db-1").unwrap();
        assert_eq!(settings.first("user"), Some("top"));
        assert_eq!(settings.first("port"), Some("2200"));
        assert_eq!(settings.all("identityfile"), ["~/.ssh/a b", "b"]);
        assert_eq!(read(text, "db-9").unwrap().first("port"), Some("22"));
    }

    #[test]
    fn match_and_include_are_refused_with_their_place() {
        for text in ["\nMatch host a\n", "\nInclude x\n"] {
            assert!(read(text, "a").unwrap_err().starts_with("config:2: "));
        }
    }

    #[test]
    fn tokens() {
        let tokens = Tokens {
            home: Some(Path::new("/h")),
            address: "10.0.0.1",
            original: "db",
            user: "u",
            port: 22,
        };
        let expand = |text| {
            tokens
                .expand(text)
                .and_then(|p| p.to_str().map(str::to_owned))
        };
        assert_eq!(
            expand("~/.ssh/%r@%h:%p-%n%%").as_deref(),
            Some("/h/.ssh/u@10.0.0.1:22-db%")
        );
        assert_eq!(expand("%d/x").as_deref(), Some("/h/x"));
        assert_eq!(expand("%Z"), None);
        assert_eq!(expand("${CITUSCTL_NO_SUCH}/x"), None);
    }

    #[test]
    fn a_host_is_never_an_option() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let question = Question {
            host: "-oProxyCommand=x",
            user: None,
            port: None,
            options: &[],
            file: None,
            home: None,
        };
        assert!(runtime.block_on(ask(question)).is_err());
    }
}
