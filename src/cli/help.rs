//! The help that people read: verbs in groups, and at each verb only the shared options that mean something to it.

use super::Cli;
use super::narrow::limits;
use clap::{Command, CommandFactory};

/// Verbs by what they are for, in the order of `--help`.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Provision",
        &[
            "init",
            "check",
            "inventory",
            "render",
            "plan",
            "apply",
            "group",
            "cert",
            "password",
        ],
    ),
    (
        "Operate",
        &[
            "status",
            "verify",
            "connect",
            "switchover",
            "restart",
            "reload",
            "pause",
            "resume",
            "exec",
            "unlock",
            "facts",
            "history",
            "replay",
        ],
    ),
    ("Keep data", &["backup", "restore"]),
    (
        "Recover",
        &["recover", "failover", "reinit", "etcd", "start"],
    ),
    ("Try", &["lab", "drill"]),
    ("Reference", &["catalog", "completions", "man", "help"]),
];

/// Verbs that connect to hosts.
const CONNECT: &[&str] = &[
    "plan",
    "apply",
    "group",
    "cert",
    "password",
    "status",
    "verify",
    "switchover",
    "restart",
    "reload",
    "pause",
    "resume",
    "exec",
    "unlock",
    "facts",
    "recover",
    "failover",
    "reinit",
    "etcd",
    "start",
    "drill",
    "backup",
    "restore",
];

/// Verbs that never ask, and so take no `--yes`, though they connect to hosts.
const NEVER_ASK: &[&str] = &["plan", "status", "verify", "exec", "facts"];

/// Verbs that read no inventory.
const ALONE: &[&str] = &["completions", "man", "catalog", "help"];

/// Whether a shared option means something to a verb.
fn concerns(option: &str, verb: &str) -> bool {
    match option {
        "tags" | "skip_tags" => ["plan", "apply", "render"].contains(&verb),
        "limit" => {
            CONNECT.contains(&verb) && limits(verb)
                || ["inventory", "render", "lab"].contains(&verb)
        }
        "yes" => CONNECT.contains(&verb) && !NEVER_ASK.contains(&verb),
        "lab" => CONNECT.contains(&verb) || verb == "connect",
        "forks" | "user" | "private_key" | "known_hosts" | "host_keys" | "ask_pass"
        | "ask_become_pass" | "connect_timeout" => CONNECT.contains(&verb),
        "inventory" | "extra" | "vault_password_file" | "vault_id" => {
            !ALONE.contains(&verb) && verb != "init"
        }
        "catalog" => !["completions", "man", "help", "init", "history", "replay"].contains(&verb),
        _ => true,
    }
}

/// The command line with its help as people read it.
pub(super) fn command() -> Command {
    let mut all = Cli::command();
    all.build();
    let template = format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{}\u{1b}[1m\u{1b}[4mOptions:\u{1b}[0m\n{{options}}{{after-help}}",
        groups(&all)
    );
    all.help_template(template).mut_subcommands(|verb| {
        let name = verb.get_name().to_owned();
        relevant(verb, &name)
    })
}

/// Hides what means nothing to a verb from its help, and from that of the verbs below it. It is still understood.
fn relevant(command: Command, verb: &str) -> Command {
    let command = command.mut_args(|arg| {
        let hidden = arg.is_global_set() && !concerns(arg.get_id().as_str(), verb);
        arg.hide(hidden || hidden_already(verb))
    });
    command.mut_subcommands(|below| relevant(below, verb))
}

/// A verb that is no business of people's shows nothing.
fn hidden_already(verb: &str) -> bool {
    verb == "drill-sampler"
}

fn groups(all: &Command) -> String {
    let about = |name: &str| {
        let verb = all.find_subcommand(name)?;
        Some(verb.get_about()?.to_string())
    };
    let group = |(title, verbs): &(&str, &[&str])| {
        let lines = verbs.iter().map(|verb| {
            let about = about(verb).unwrap_or_default();
            format!("  \u{1b}[1m{verb:<12}\u{1b}[0m {about}\n")
        });
        let lines: String = lines.collect();
        format!("\u{1b}[1m\u{1b}[4m{title}:\u{1b}[0m\n{lines}\n")
    };
    GROUPS.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_verb_is_in_one_group() {
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, verbs)| *verbs)
            .copied()
            .collect();
        let once: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(once.len(), grouped.len(), "a verb is in two groups");
        let mut all = Cli::command();
        all.build();
        let visible = all.get_subcommands().filter(|verb| !verb.is_hide_set());
        let visible: BTreeSet<&str> = visible.map(Command::get_name).collect();
        assert_eq!(once, visible);
    }

    #[test]
    fn shared_options_are_shown_only_where_they_mean_something() {
        let help = |verb: &str| {
            let mut all = command();
            let found = all.find_subcommand_mut(verb);
            found
                .map(|verb| verb.render_long_help().to_string())
                .unwrap_or_default()
        };
        assert!(help("apply").contains("--tags"));
        assert!(!help("recover").contains("--tags"));
        assert!(help("recover").contains("--connect-timeout"));
        assert!(!help("check").contains("--connect-timeout"));
        assert!(!help("completions").contains("--inventory"));
        assert!(!help("status").contains("--yes"));
    }
}
