//! Manual pages: one for the program and one for each verb, out of the same command line that is parsed.

use super::{ManArgs, help};
use crate::app::failure::{Failure, chain, code, result};
use clap::Command;
use std::path::Path;

/// Prints one page, or writes all of them.
pub(super) fn run(args: &ManArgs) -> Result<u8, Failure> {
    let all = help::command();
    if let Some(dir) = &args.dir {
        let count = write_all(&all, "citusctl", dir)
            .map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
        result(&format!("{count} pages below {}\n", dir.display()))?;
        return Ok(code::DONE);
    }
    let mut command = &all;
    let mut name = "citusctl".to_owned();
    for verb in &args.verb {
        command = command.find_subcommand(verb).ok_or_else(|| {
            Failure::new(code::USAGE, format!("`{name}` has no verb `{verb}`"))
                .hint("`citusctl --help` lists the verbs")
        })?;
        name = format!("{name} {verb}");
    }
    let page = page(command, &name).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
    result(&String::from_utf8_lossy(&page))?;
    Ok(code::DONE)
}

fn page(command: &Command, name: &str) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let named = command.clone().name(name.replace(' ', "-")).bin_name(name);
    clap_mangen::Man::new(named).render(&mut out)?;
    Ok(out)
}

fn write_all(command: &Command, name: &str, dir: &Path) -> std::io::Result<usize> {
    fs_err::create_dir_all(dir)?;
    let path = dir.join(format!("{}.1", name.replace(' ', "-")));
    fs_err::write(path, page(command, name)?)?;
    let mut count = 1;
    let below = command.get_subcommands();
    for verb in below.filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        count += write_all(verb, &format!("{name} {}", verb.get_name()), dir)?;
    }
    Ok(count)
}
