//! The arguments of the process: options that all verbs share count wherever they stand.

use super::{Cli, help};
use clap::{ArgMatches, Command, FromArgMatches, parser::ValueSource};
use std::ffi::OsString;

impl Cli {
    /// Reads the command line, or ends the process with clap's words and exit code 2.
    ///
    /// clap takes the values of a global option from one place only, before the verb or behind it. `-e`, `-t` and the like
    /// add up here: `citusctl -e a=1 plan -e b=2` is `citusctl plan -e a=1 -e b=2`.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut all = help::command();
        let mut arguments = arguments.into_iter();
        let program = arguments.next();
        let arguments = program.into_iter().chain(moved(&all, arguments.collect()));
        let read = all.try_get_matches_from_mut(arguments).and_then(|found| {
            let named = found.subcommand_name().unwrap_or_default().to_owned();
            Self::from_arg_matches(&found).map(|read| Self { named, ..read })
        });
        read.unwrap_or_else(|error| error.exit())
    }
}

/// The same arguments with the options before a verb behind it, and so on for the verbs below it.
fn moved(command: &Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let Some((at, verb, general)) = split(command, &arguments) else {
        return arguments;
    };
    let mut head: Vec<OsString> = arguments.drain(..=at).collect();
    if general {
        head.rotate_right(1);
        arguments.splice(0..0, head.drain(1..));
    }
    head.extend(moved(verb, arguments));
    head
}

/// Where the verb stands, which it is, and whether only options that all verbs share stand before it.
fn split<'a>(command: &'a Command, arguments: &[OsString]) -> Option<(usize, &'a Command, bool)> {
    let found = level(command).try_get_matches_from(arguments).ok()?;
    let (name, rest) = found.subcommand()?;
    let rest = rest.get_many::<OsString>("").map_or(0, Iterator::count);
    let at = arguments.len().checked_sub(rest + 1)?;
    let verb = command.find_subcommand(name)?;
    Some((at, verb, is_general(command, &found)))
}

/// One level of the command: its own options, and anything for a verb.
fn level(command: &Command) -> Command {
    Command::new("level")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .allow_external_subcommands(true)
        .external_subcommand_value_parser(clap::value_parser!(OsString))
        .args_override_self(true)
        .args(options(command).map(|arg| arg.clone().required(false)))
}

/// What it takes besides `--help` and `--version`, which end it.
fn options(command: &Command) -> impl Iterator<Item = &clap::Arg> {
    use clap::ArgAction::{Help, HelpLong, HelpShort, Version};
    let ends = |arg: &&clap::Arg| matches!(arg.get_action(), Help | HelpLong | HelpShort | Version);
    command.get_arguments().filter(move |arg| !ends(arg))
}

fn is_general(command: &Command, found: &ArgMatches) -> bool {
    options(command)
        .filter(|arg| found.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine))
        .all(clap::Arg::is_global_set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(line: &str) -> super::super::Common {
        Cli::from_arguments(line.split(' ').map(OsString::from)).common
    }

    #[test]
    fn lists_add_up_before_and_behind_the_verb() {
        let common = common("citusctl -e a=1 -t x -e b=2 plan -e c=3 -t y,z");
        assert_eq!(common.extra, ["a=1", "b=2", "c=3"]);
        assert_eq!(common.tags, ["x", "y", "z"]);
    }

    #[test]
    fn verbs_of_verbs_too() {
        let common = common("citusctl -e a=1 etcd -e b=2 status -e c=3");
        assert_eq!(common.extra, ["a=1", "b=2", "c=3"]);
    }

    #[test]
    fn what_a_verb_requires_does_not_hide_the_verb_below_it() {
        let common = common("citusctl -e a=1 -i one.yml restore undo -e b=2");
        assert_eq!(common.extra, ["a=1", "b=2"]);
    }

    #[test]
    fn of_single_values_the_last_counts() {
        let common = common("citusctl -i one.yml -o json plan -i two.yml");
        assert_eq!(common.inventory_path().to_string_lossy(), "two.yml");
        assert!(common.options().json);
    }

    #[test]
    fn what_follows_the_verb_stays() {
        let common = common("citusctl -e a=1 exec -- plan -e b=2");
        assert_eq!(common.extra, ["a=1"]);
        assert_eq!(common_verbose("citusctl -v plan -v"), 2);
    }

    fn common_verbose(line: &str) -> u8 {
        common(line).verbose
    }

    #[test]
    fn before_a_way_back_as_behind_it() {
        let common = common("citusctl -e a=1 recover -e b=2 rejoin -e c=3");
        assert_eq!(common.extra, ["a=1", "b=2", "c=3"]);
    }
}
