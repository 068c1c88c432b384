//! Arguments of `drill`.

use crate::app::drill::{
    Back, ChaosRequest, DrillRequest, LossRequest, RestoreDrill, Scenario, Survivor,
};
use crate::runbook::recover::RecoverMethod;
use clap::Args;
use std::path::PathBuf;

/// Options of `drill`.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// Drill to run
    name: Scenario,
    /// Group number or cluster name [default: the only one, or the coordinator]
    #[arg(short, long, value_name = "N|CLUSTER")]
    group: Option<String>,
    /// File for the HTML timeline [default: drills/ beside the journals]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Run on this production formation instead of a lab; `switchover` only, with the same name in `--confirm`
    #[arg(long, value_name = "NAME")]
    formation: Option<String>,
    /// Formation name, repeated
    #[arg(long, value_name = "NAME", requires = "formation")]
    confirm: Option<String>,
    #[command(flatten)]
    loss: LossArgs,
    #[command(flatten)]
    chaos: ChaosArgs,
    #[command(flatten)]
    restore: RestoreDrillArgs,
}

/// Options of `drill restore`.
#[derive(Clone, Debug, Default, Args)]
struct RestoreDrillArgs {
    /// restore: point to restore to, as `citusctl backup list` names it [default: the newest]
    #[arg(long, value_name = "NAME", help_heading = "restore")]
    point: Option<String>,
    /// restore: name of the lab [default: drill-restore]
    #[arg(long = "lab-name", value_name = "LAB", help_heading = "restore")]
    name_lab: Option<String>,
    /// restore: leave the lab as it is
    #[arg(long, help_heading = "restore")]
    keep: bool,
    /// restore: query that has to answer `t` after the restore, tables named with their schemas
    #[arg(long, value_name = "QUERY", help_heading = "restore")]
    check_sql: Option<String>,
    /// restore: database that `--check-sql` asks [default: the formation's, or the first of `pg_databases`, or postgres]
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "restore",
        requires = "check_sql"
    )]
    check_db: Option<String>,
}

/// Options of `drill chaos`.
#[derive(Clone, Debug, Default, Args)]
struct ChaosArgs {
    /// chaos: number that decides what happens when [default: a random one, which is printed]
    #[arg(
        long,
        value_name = "N",
        help_heading = "chaos",
        conflicts_with = "trace"
    )]
    seed: Option<u64>,
    /// chaos: how long faults begin [default: 3]
    #[arg(long, value_name = "M", help_heading = "chaos", value_parser = clap::value_parser!(u64).range(1..=240), conflicts_with = "trace")]
    minutes: Option<u64>,
    /// chaos: play what an earlier run wrote down
    #[arg(long, value_name = "FILE", help_heading = "chaos")]
    trace: Option<PathBuf>,
}

/// Options of `drill three-lose-two`.
#[derive(Clone, Debug, Default, Args)]
struct LossArgs {
    /// three-lose-two: who is left [default: replica]
    #[arg(long, value_name = "ROLE", help_heading = "three-lose-two")]
    survivor: Option<Survivor>,
    /// three-lose-two: how it is made writable [default: etcd]
    #[arg(long, value_name = "WAY", help_heading = "three-lose-two")]
    via: Option<RecoverMethod>,
    /// three-lose-two: how it ends [default: rejoin]
    #[arg(long, value_name = "WAY", help_heading = "three-lose-two")]
    back: Option<Back>,
    /// three-lose-two: a host that goes as well; repeat for each
    #[arg(long, value_name = "HOST", help_heading = "three-lose-two")]
    lose: Vec<String>,
}

impl DrillArgs {
    /// The same as plain values.
    pub fn plain(self) -> DrillRequest {
        DrillRequest {
            name: self.name,
            group: self.group,
            html: self.html,
            formation: self.formation,
            confirm: self.confirm,
            loss: LossRequest {
                survivor: self.loss.survivor,
                via: self.loss.via,
                back: self.loss.back,
                lose: self.loss.lose,
            },
            chaos: ChaosRequest {
                seed: self.chaos.seed,
                minutes: self.chaos.minutes,
                trace: self.chaos.trace,
            },
            restore: RestoreDrill {
                point: self.restore.point,
                name: self.restore.name_lab,
                keep: self.restore.keep,
                check_sql: self.restore.check_sql,
                check_db: self.restore.check_db,
            },
        }
    }
}
