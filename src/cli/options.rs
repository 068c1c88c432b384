//! Options that all verbs share.

use crate::app::{ConnectOptions, Options};
use crate::transport::HostKeyPolicy;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of all verbs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Shared options")]
pub struct Common {
    /// Inventory file [default: ./inventory.yml, else ./pigsty.yml]
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_INVENTORY"
    )]
    pub inventory: Option<PathBuf>,
    /// Limit to hosts matching an Ansible pattern (a,b  a:b  !a  &a, globs, groups, clusters)
    #[arg(short, long, global = true, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Select only resources with one of these tags
    #[arg(short, long, global = true, value_name = "TAGS", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Leave out resources with one of these tags
    #[arg(long, global = true, value_name = "TAGS", value_delimiter = ',')]
    pub skip_tags: Vec<String>,
    /// Set variables: KEY=VALUE, @FILE, or a JSON or YAML mapping
    #[arg(short, long, global = true, value_name = "VARS")]
    pub extra: Vec<String>,
    /// Maximum number of hosts in parallel
    #[arg(short, long, global = true, value_name = "N", default_value_t = 50)]
    pub forks: usize,
    /// Output format
    #[arg(
        short,
        long,
        global = true,
        value_name = "FORM",
        default_value = "text"
    )]
    pub output: Output,
    /// Print more detail (twice: all output of hosts)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print only the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Assume yes to all prompts
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Directory with roles/, playbooks/ or templates/ that override embedded files of the same path
    #[arg(long, global = true, value_name = "DIR", env = "CITUSCTL_CATALOG")]
    pub catalog: Option<PathBuf>,
    /// Run inside a lab's network [NAME: the lab, if there are several]
    #[arg(long, global = true, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true, env = "CITUSCTL_LAB")]
    pub lab: Option<String>,
    /// File with an ansible-vault password, or a program that prints it; repeatable
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
    /// Vault password with a vault id: ID@FILE or ID@prompt; repeatable
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
    /// SSH login user; overrides the inventory
    #[arg(
        short,
        long,
        global = true,
        env = "CITUSCTL_USER",
        help_heading = "Connection"
    )]
    pub user: Option<String>,
    /// SSH private key to try first
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_SSH_KEY",
        help_heading = "Connection"
    )]
    pub private_key: Option<PathBuf>,
    /// known_hosts file to use
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CITUSCTL_KNOWN_HOSTS",
        help_heading = "Connection"
    )]
    pub known_hosts: Option<PathBuf>,
    /// Policy for unknown host keys; changed ones are always refused [default: from ~/.ssh/config, else strict]
    #[arg(
        long,
        global = true,
        value_name = "POLICY",
        help_heading = "Connection"
    )]
    pub host_keys: Option<HostKeyPolicy>,
    /// Prompt for the login password
    #[arg(short = 'k', long, global = true, help_heading = "Connection")]
    pub ask_pass: bool,
    /// Prompt for the sudo password
    #[arg(short = 'K', long, global = true, help_heading = "Connection")]
    pub ask_become_pass: bool,
    /// Connection timeout in seconds
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

impl Common {
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

    /// The same as plain values.
    pub fn options(&self) -> Options {
        Options {
            inventory: self.inventory_path(),
            limit: self.limit.clone(),
            tags: self.tags.clone(),
            skip_tags: self.skip_tags.clone(),
            extra: self.extra.clone(),
            forks: self.forks,
            json: self.output == Output::Json,
            verbose: self.verbose,
            quiet: self.quiet,
            yes: self.yes,
            catalog: self.catalog.clone(),
            vault_password_file: self.vault_password_file.clone(),
            vault_id: self.vault_id.clone(),
            connect: self.connect.options(),
        }
    }
}

impl Connect {
    fn options(&self) -> ConnectOptions {
        ConnectOptions {
            user: self.user.clone(),
            private_key: self.private_key.clone(),
            known_hosts: self.known_hosts.clone(),
            host_keys: self.host_keys,
            ask_pass: self.ask_pass,
            ask_become_pass: self.ask_become_pass,
            connect_timeout: self.connect_timeout,
        }
    }
}
