//! Arguments of `group`.

use super::runbook::RunbookArgs;
use crate::app::Options;
use crate::app::failure::Failure;
use crate::app::group::{self, Moving};
use clap::{Args, Subcommand};

/// What to do with a group.
#[derive(Debug, Args)]
pub struct GroupArgs {
    #[command(subcommand)]
    what: GroupVerb,
}

#[derive(Debug, Subcommand)]
enum GroupVerb {
    /// Add a worker group of the inventory with an ordinary apply; --rebalance moves shards to it
    Add {
        #[command(flatten)]
        moving: MovingArgs,
        /// Rebalance shards over all groups
        #[arg(long)]
        rebalance: bool,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
    /// Move all shards of a worker group to the others, online
    Drain {
        #[command(flatten)]
        moving: MovingArgs,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
    /// Drain a worker group, then remove it with its hosts, as `apply pgsql-rm` does
    Remove {
        #[command(flatten)]
        moving: MovingArgs,
        #[command(flatten)]
        runbook: RunbookArgs,
    },
}

/// Whose shards, and how they move.
#[derive(Debug, Args)]
struct MovingArgs {
    /// Group number or cluster name
    #[arg(value_name = "N|CLUSTER")]
    group: String,
    /// Block writes to a shard while it moves; required for tables without a replica identity
    #[arg(long)]
    block_writes: bool,
}

impl MovingArgs {
    fn plain(&self) -> Moving {
        Moving {
            group: self.group.clone(),
            block_writes: self.block_writes,
        }
    }
}

pub async fn run(options: &Options, args: &GroupArgs) -> Result<u8, Failure> {
    match &args.what {
        GroupVerb::Add {
            moving,
            rebalance,
            runbook,
        } => group::add(options, &moving.plain(), *rebalance, &runbook.approval()).await,
        GroupVerb::Drain { moving, runbook } => {
            group::drain(options, &moving.plain(), &runbook.approval()).await
        }
        GroupVerb::Remove { moving, runbook } => {
            group::leave(options, &moving.plain(), &runbook.approval()).await
        }
    }
}
