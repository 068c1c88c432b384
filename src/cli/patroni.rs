//! Arguments of Patroni's verbs: `switchover`, `failover`, `restart`, `reload`, `reinit`, `pause`, `resume`.

use super::runbook::RunbookArgs;
use crate::app::failure::Failure;
use crate::app::patroni::{HandOver, Restart, reinit};
use crate::app::{Approval, Options};
use clap::Args;

/// A group, and a member to become its leader.
#[derive(Debug, Args)]
pub struct HandOverArgs {
    /// Group number or cluster name [default: the only one, or that of `--to`]
    #[arg(short, long, value_name = "N|CLUSTER")]
    group: Option<String>,
    /// Next leader, by member name or host [default: the best candidate]
    #[arg(long, value_name = "MEMBER")]
    to: Option<String>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// Whom to restart.
#[derive(Debug, Args)]
pub struct RestartArgs {
    /// Restart only this member, in place [default: the group, replicas first, with a switchover before the leader]
    member: Option<String>,
    /// Group number or cluster name [default: the only one]
    #[arg(short, long, value_name = "N|CLUSTER")]
    group: Option<String>,
    /// Restart only members with a pending restart
    #[arg(long)]
    pending: bool,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// Whose copy to make anew.
#[derive(Debug, Args)]
pub struct ReinitArgs {
    /// Member by name or host
    member: String,
    #[command(flatten)]
    runbook: RunbookArgs,
}

/// One group, or all.
#[derive(Debug, Args)]
pub struct GroupsArgs {
    /// Group number or cluster name [default: all]
    #[arg(short, long, value_name = "N|CLUSTER")]
    group: Option<String>,
    #[command(flatten)]
    runbook: RunbookArgs,
}

impl HandOverArgs {
    /// The same as plain values.
    pub fn plain(self) -> HandOver {
        HandOver {
            group: self.group,
            to: self.to,
            approval: self.runbook.approval(),
        }
    }
}

impl RestartArgs {
    /// The same as plain values.
    pub fn plain(self) -> Restart {
        Restart {
            member: self.member,
            group: self.group,
            pending: self.pending,
            approval: self.runbook.approval(),
        }
    }
}

impl ReinitArgs {
    pub async fn run(self, options: &Options) -> Result<u8, Failure> {
        reinit(options, &self.member, &self.runbook.approval()).await
    }
}

impl GroupsArgs {
    /// Does something to the group, or to all.
    pub async fn on(
        self,
        options: &Options,
        act: impl AsyncFn(&Options, Option<&str>, &Approval) -> Result<u8, Failure>,
    ) -> Result<u8, Failure> {
        act(options, self.group.as_deref(), &self.runbook.approval()).await
    }
}
