//! `inventory`: what was read and merged.

use crate::app::Options;
use crate::app::failure::{Failure, code, pretty, result};
use crate::app::vault;
use crate::inventory::{self, graph, host_json, list_json, origins};
use crate::names::HostName;
use clap::Args;

/// What to show.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    /// Print all hosts and groups as JSON, in the format of ansible-inventory
    #[arg(long, conflicts_with_all = ["host", "graph", "vars_origin"])]
    list: bool,
    /// Print the merged variables of one host as JSON
    #[arg(long, value_name = "HOST", conflicts_with_all = ["graph", "vars_origin"])]
    host: Option<String>,
    /// Print the tree of groups
    #[arg(long, conflicts_with = "vars_origin")]
    graph: bool,
    /// Print where each value came from
    #[arg(long)]
    vars_origin: bool,
}

/// Runs it.
pub fn run(options: &Options, args: &InventoryArgs) -> Result<u8, Failure> {
    let inventory =
        inventory::load_with(&options.inventory, &options.extra, vault::keys(options)?)?.inventory;
    if let Some(host) = &args.host {
        let found = host_json(&inventory, &HostName::new(host.clone()));
        let value =
            found.ok_or_else(|| Failure::new(code::USAGE, format!("there is no host `{host}`")))?;
        result(&pretty(&value)?)?;
    } else if args.graph {
        result(&graph(&inventory))?;
    } else if args.vars_origin {
        let limit = options.limit.as_deref();
        let chosen = limit.map(|pattern| inventory::select(&inventory, pattern));
        let chosen = chosen.transpose()?;
        let rows = origins(&inventory);
        let wanted = |host: &HostName| chosen.as_ref().is_none_or(|hosts| hosts.contains(host));
        result(
            &rows
                .iter()
                .filter(|(host, ..)| wanted(host))
                .map(|(h, n, l, p)| format!("{h}\t{n}\t{l}\t{p}\n"))
                .collect::<String>(),
        )?;
    } else {
        result(&pretty(&list_json(&inventory))?)?;
    }
    Ok(code::DONE)
}
