//! Opens what ansible-vault encrypted: single values, and whole files.

use std::collections::HashMap;
use std::fmt;

use super::error::LoadContext;
use crate::secret::Secret;
use crate::secret::vault::{self, Sealed};
use crate::source::{Data, Diagnostic, Node, SourceId, Span};

/// Asks a person for the password of a vault id; `None` where nobody can be asked.
pub type Asked = Box<dyn Fn(Option<&str>) -> Option<Secret>>;

/// Passwords of ansible-vault. All are tried, whatever their ids, as Ansible does it.
#[derive(Default)]
pub struct Keys {
    known: Vec<Secret>,
    ask: Option<Asked>,
    /// Ids that were asked for already.
    asked: Vec<Option<String>>,
    /// What was opened already: aliases repeat a value.
    opened: HashMap<Span, Option<Secret>>,
}

impl Keys {
    /// Known passwords, and a way to ask for another.
    pub fn new(known: Vec<Secret>, ask: Option<Asked>) -> Self {
        Self {
            known,
            ask,
            ..Self::default()
        }
    }

    /// The text in clear, or what is wrong.
    fn open(&mut self, text: &str) -> Result<Secret, Locked> {
        let sealed = vault::read(text).map_err(|error| Locked::Malformed(error.to_string()))?;
        if let Some(clear) = Self::try_all(&sealed, &self.known)? {
            return Ok(clear);
        }
        let asked = self.ask_for(&sealed);
        let tried = self.known.len() + asked.len();
        if let Some(clear) = Self::try_all(&sealed, &asked)? {
            self.known.extend(asked);
            return Ok(clear);
        }
        match tried {
            0 => Err(Locked::NoPassword(sealed.id)),
            _ => Err(Locked::WrongPassword(sealed.id)),
        }
    }

    fn try_all(sealed: &Sealed, passwords: &[Secret]) -> Result<Option<Secret>, Locked> {
        for password in passwords {
            let clear = sealed.open(password);
            if let Some(clear) = clear.map_err(|error| Locked::Malformed(error.to_string()))? {
                return Ok(Some(clear));
            }
        }
        Ok(None)
    }

    /// What a person answers, once for each vault id.
    fn ask_for(&mut self, sealed: &Sealed) -> Vec<Secret> {
        if self.asked.contains(&sealed.id) {
            return Vec::new();
        }
        self.asked.push(sealed.id.clone());
        let answer = self.ask.as_ref().and_then(|ask| ask(sealed.id.as_deref()));
        answer.into_iter().collect()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} passwords)", self.known.len())
    }
}

/// Why something stays closed.
enum Locked {
    NoPassword(Option<String>),
    WrongPassword(Option<String>),
    Malformed(String),
}

/// The text of an encrypted file, as a source whose lines are not shown.
pub(super) fn open_file(context: &mut LoadContext, name: &str, text: &str) -> Option<SourceId> {
    match context.keys.open(text) {
        Ok(clear) => Some(context.sources.add_hidden(name, clear.expose())),
        Err(locked) => {
            let source = context.sources.add(name, text);
            let end = text.find('\n').unwrap_or(text.len());
            let span = Span {
                source,
                start: 0,
                end,
            };
            context.report(problem(&locked, "file").at(span, "encrypted by ansible-vault"));
            None
        }
    }
}

/// A node with all encrypted values in clear. What stays closed is reported.
pub(super) fn open_values(context: &mut LoadContext, node: Node) -> Node {
    let Node { data, span, tag } = node;
    let data = match data {
        Data::Scalar { text, .. } if is_vault(tag.as_deref()) => {
            return match open_value(context, &text, span) {
                Some(clear) => Node::secret(clear.expose(), span),
                None => Node::string(String::new(), span),
            };
        }
        Data::Scalar { text, plain } => Data::Scalar { text, plain },
        Data::Seq(items) => {
            let items = items.into_iter().map(|item| open_values(context, item));
            Data::Seq(items.collect())
        }
        Data::Map(entries) => {
            let entries = entries.into_iter();
            let opened = entries.map(|(key, value)| (key, open_values(context, value)));
            Data::Map(opened.collect())
        }
    };
    Node { data, span, tag }
}

fn is_vault(tag: Option<&str>) -> bool {
    matches!(tag, Some("!vault" | "!vault-encrypted"))
}

fn open_value(context: &mut LoadContext, text: &str, span: Span) -> Option<Secret> {
    if let Some(before) = context.keys.opened.get(&span) {
        return before.clone();
    }
    let clear = match context.keys.open(text) {
        Ok(clear) => Some(clear),
        Err(locked) => {
            context.report(problem(&locked, "value").at(span, "encrypted by ansible-vault"));
            None
        }
    };
    context.keys.opened.insert(span, clear.clone());
    clear
}

fn problem(locked: &Locked, what: &str) -> Diagnostic {
    let of = |id: &Option<String>| match id {
        Some(id) => format!(" of vault id `{id}`"),
        None => String::new(),
    };
    match locked {
        Locked::NoPassword(id) => Diagnostic::error(
            "vault-password",
            format!("encrypted {what}: the vault password{} is needed", of(id)),
        )
        .help("give `--vault-password-file FILE` or ANSIBLE_VAULT_PASSWORD_FILE; at a terminal it is asked for"),
        Locked::WrongPassword(id) => Diagnostic::error(
            "vault-password",
            format!("encrypted {what}: no given vault password{} opens it", of(id)),
        )
        .help("the password is another one, or the text was changed; `--vault-password-file` may be given several times"),
        Locked::Malformed(reason) => {
            Diagnostic::error("vault-format", format!("encrypted {what}: the text {reason}"))
                .help("encrypt it anew with `ansible-vault encrypt_string`, and keep all of its lines")
        }
    }
}

/// What came from an encrypted file: its strings are guarded, numbers and booleans are as they are.
pub(super) fn guard(node: Node) -> Node {
    if node.is_secret() {
        return node;
    }
    if let (Some("!unsafe"), Some(text)) = (node.tag.as_deref(), node.as_str()) {
        return Node::secret(text, node.span);
    }
    let is_text = node.to_json().is_string();
    let Node { data, span, tag } = node;
    let data = match data {
        Data::Scalar { text, .. } if is_text => return Node::guarded(text, span),
        Data::Scalar { text, plain } => Data::Scalar { text, plain },
        Data::Seq(items) => Data::Seq(items.into_iter().map(guard).collect()),
        Data::Map(entries) => {
            let guarded = entries.into_iter().map(|(key, value)| (key, guard(value)));
            Data::Map(guarded.collect())
        }
    };
    Node { data, span, tag }
}
