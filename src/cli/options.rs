//! Options that all verbs share.

use super::exit::{Failure, code};
use crate::transport::HostKeyPolicy;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of all verbs.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The inventory [default: ./inventory.yml, else ./pigsty.yml]
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_INVENTORY"
    )]
    pub inventory: Option<PathBuf>,
    /// Only these hosts (Ansible's patterns: a,b  a:b  !a  &a  globs, groups, clusters)
    #[arg(short, long, global = true, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Only resources with one of these tags
    #[arg(short, long, global = true, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// No resources with one of these tags
    #[arg(long, global = true, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,
    /// Set variables: KEY=VALUE, @FILE, or a mapping
    #[arg(short, long, global = true, value_name = "VARS")]
    pub extra: Vec<String>,
    /// How many hosts are talked to at once
    #[arg(short, long, global = true, value_name = "N", default_value_t = 50)]
    pub forks: usize,
    /// Form of the result
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORM",
        default_value = "text"
    )]
    pub output: Output,
    /// Say more (twice: all output of hosts)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Do not ask
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// A directory with roles/, playbooks/ or templates/ that replace embedded files of the same path
    #[arg(long, global = true, value_name = "DIR", env = "CITUSCTL_CATALOG")]
    pub catalog: Option<PathBuf>,
    /// Run this command inside a lab's network [NAME: the lab's name, if there are several]
    #[arg(long, global = true, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true, env = "CITUSCTL_LAB")]
    pub lab: Option<String>,
    /// A file with a password of ansible-vault, or a program that prints it; may be repeated
    #[arg(
        long,
        visible_alias = "vault-pass-file",
        global = true,
        value_name = "FILE",
        env = "ANSIBLE_VAULT_PASSWORD_FILE",
        hide_env_values = true,
        help_heading = "Secrets"
    )]
    pub vault_password_file: Vec<PathBuf>,
    /// The same with a vault id: ID@FILE, ID@prompt; may be repeated
    #[arg(
        long,
        global = true,
        value_name = "[ID@]FILE",
        help_heading = "Secrets"
    )]
    pub vault_id: Vec<String>,
    #[command(flatten)]
    pub connect: Connect,
}

/// How to get into hosts.
#[derive(Clone, Debug, Default, Args)]
pub struct Connect {
    /// Login user, over the inventory's
    #[arg(
        short,
        long,
        global = true,
        env = "CITUSCTL_USER",
        help_heading = "Connection"
    )]
    pub user: Option<String>,
    /// Private key, before any other
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_SSH_KEY",
        help_heading = "Connection"
    )]
    pub private_key: Option<PathBuf>,
    /// Another known_hosts file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_KNOWN_HOSTS",
        help_heading = "Connection"
    )]
    pub known_hosts: Option<PathBuf>,
    /// What to do about unknown host keys [default: as ~/.ssh/config says, else strict]
    #[arg(
        long,
        global = true,
        value_name = "POLICY",
        help_heading = "Connection"
    )]
    pub host_keys: Option<HostKeys>,
    /// Ask for the login password
    #[arg(short = 'k', long, global = true, help_heading = "Connection")]
    pub ask_pass: bool,
    /// Ask for the sudo password
    #[arg(short = 'K', long, global = true, help_heading = "Connection")]
    pub ask_become_pass: bool,
    /// Seconds for connecting to a host
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 10,
        help_heading = "Connection"
    )]
    pub connect_timeout: u64,
}

/// Form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// What to do about unknown host keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HostKeys {
    Strict,
    AcceptNew,
    Off,
}

impl From<HostKeys> for HostKeyPolicy {
    fn from(policy: HostKeys) -> Self {
        match policy {
            HostKeys::Strict => Self::Strict,
            HostKeys::AcceptNew => Self::AcceptNew,
            HostKeys::Off => Self::Off,
        }
    }
}

impl Common {
    /// Refuses `-l`, `-t` and `--skip-tags` where there is no part to choose: `why`, and the way out.
    ///
    /// # Errors
    /// One of them was given.
    pub fn undivided(&self, why: &str, hint: &str) -> Result<(), Failure> {
        match self.limit.is_none() && self.tags.is_empty() && self.skip_tags.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(code::USAGE, why).hint(hint)),
        }
    }

    /// The inventory's path: as named, else the first usual one that is there.
    pub fn inventory_path(&self) -> PathBuf {
        let usual = || {
            ["inventory.yml", "pigsty.yml"]
                .map(PathBuf::from)
                .into_iter()
                .find(|path| path.is_file())
        };
        self.inventory
            .clone()
            .or_else(usual)
            .unwrap_or_else(|| PathBuf::from("inventory.yml"))
    }

    /// The choice for the streams.
    pub fn color_choice(&self) -> anstream::ColorChoice {
        match self.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
    }

    /// For verbs whose one JSON result is all of stdout: their events go to the journal alone then.
    #[must_use]
    pub fn without_events(&self) -> Self {
        Self {
            output: Output::Text,
            quiet: self.quiet || self.json(),
            ..self.clone()
        }
    }

    /// Whether the result is JSON.
    pub fn json(&self) -> bool {
        self.output == Output::Json
    }
}
