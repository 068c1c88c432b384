//! The command line: parses, calls, maps outcomes to exit codes. One file for each verb.

mod apply;
mod arguments;
mod backup;
mod catalog;
mod cert;
mod check;
mod connect;
mod drill;
mod etcd;
mod exec;
mod group;
mod help;
mod init;
mod inventory;
mod journal;
mod lab;
mod man;
mod narrow;
mod options;
mod password;
mod patroni;
mod plan;
mod recover;
mod render;
mod restore;
mod runbook;
mod start;
mod status;
mod unlock;
mod values;
mod verify;

pub use crate::app::failure::{Failure, code};
pub use options::{Common, Connect};

use crate::app::failure::data;
use crate::app::{self, block_on};
use clap::{Args, Parser, Subcommand};

/// Declarative provisioning of highly available Citus and PostgreSQL over SSH.
#[derive(Debug, Parser)]
#[command(
    name = "citusctl",
    version,
    about,
    max_term_width = 110,
    propagate_version = true,
    args_override_self = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do; 1 internal error or ill health; 2 usage; 3 bad input; 4 refused; \
5 unreachable; 6 failed on a host; 7 declined or interrupted; 8 locked; 10 changes pending (--detailed-exitcode)."
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub verb: Verb,
    /// The verb's name.
    #[arg(skip)]
    pub named: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented starter inventory with generated passwords; never overwrites a file
    Init(init::InitArgs),
    /// Validate the inventory without contacting any host
    Check(check::CheckArgs),
    /// Show merged variables, the group tree, or where each value came from
    Inventory(inventory::InventoryArgs),
    /// Render every file of every host into a directory; works offline
    Render(render::RenderArgs),
    /// Show what would change on the hosts, without changing anything
    Plan(plan::PlanArgs),
    /// Show the plan, ask for confirmation, apply it
    Apply(apply::ApplyArgs),
    /// Show the health of a formation; exit 1 when it is not healthy
    Status(status::StatusArgs),
    /// Manage etcd members, quorum and snapshots
    Etcd(etcd::EtcdArgs),
    /// Bring a formation back after a power cut; start only what does not come up on its own
    Start(start::StartArgs),
    /// Move the leader role of a group to a standby, without data loss
    Switchover(patroni::HandOverArgs),
    /// Promote a standby in a group that has no leader
    Failover(patroni::HandOverArgs),
    /// Restart PostgreSQL on a member, or on a group one member at a time, replicas first
    Restart(patroni::RestartArgs),
    /// Reload the configuration of all members
    Reload(patroni::GroupsArgs),
    /// Re-clone a replica from its leader
    Reinit(patroni::ReinitArgs),
    /// Disable automatic failover
    Pause(patroni::GroupsArgs),
    /// Re-enable automatic failover
    Resume(patroni::GroupsArgs),
    /// Inject a fault into a lab under write load and measure downtime and lost rows; exit 1 on failure
    Drill(drill::DrillArgs),
    #[command(hide = true)]
    DrillSampler,
    /// Run an inventory's hosts as local machines
    Lab(lab::LabArgs),
    /// Test every service port end to end; exit 1 when a test fails
    Verify(verify::VerifyArgs),
    /// Print connection strings, or open a psql session
    Connect(connect::ConnectArgs),
    /// Make a backup of each group and a point to return to; list them
    Backup(backup::BackupArgs),
    /// Return a formation to a point, in place; old data is kept
    Restore(restore::RestoreArgs),
    /// Disaster recovery: make one surviving host writable after quorum is lost
    Recover(recover::RecoverArgs),
    /// Run a command as root on hosts in parallel; exit 6 when it fails on one
    Exec(exec::ExecArgs),
    /// List certificates, compare them with what is served, renew them
    Cert(cert::CertArgs),
    /// Add, drain or remove worker groups of a Citus formation
    Group(group::GroupArgs),
    /// Rotate passwords: write them to the inventory, apply, verify
    Password(password::PasswordArgs),
    /// Show who holds locks on hosts; release those of dead runs
    Unlock(unlock::UnlockArgs),
    /// Show facts gathered from hosts
    Facts(Connect),
    /// List past runs
    History,
    /// Show the output of a past run
    Replay(journal::ReplayArgs),
    /// Show embedded roles, playbooks, templates and all parameters
    Catalog(catalog::CatalogArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print the manual page of citusctl or of a verb
    Man(ManArgs),
}

/// Which shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    shell: clap_complete::Shell,
}

/// Which manual page.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The verb, as in `citusctl man etcd add` [default: citusctl itself]
    verb: Vec<String>,
    /// Write the pages of all verbs into this directory
    #[arg(short, long, value_name = "DIR", conflicts_with = "verb")]
    dir: Option<std::path::PathBuf>,
}

/// Runs the command line and gives the exit code.
pub fn run(cli: Cli) -> u8 {
    let color = cli.common.color_choice();
    color.write_global();
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.code
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    narrow::refuse_ignored(&cli.common, &cli.named)?;
    lab::enter(cli.common.lab.as_deref())?;
    let options = &cli.common.options();
    match cli.verb {
        Verb::Init(args) => app::init::run(options, &args.what),
        Verb::Check(args) => app::check::run(options, args.explain_values),
        Verb::Inventory(args) => inventory::run(options, &args),
        Verb::Render(args) => app::render::run(options, &args.playbook, &args.dir),
        Verb::Plan(args) => block_on(plan::run(options, args)),
        Verb::Apply(args) => block_on(apply::run(options, args)),
        Verb::Status(args) => block_on(app::status::run(options, args.watch)),
        Verb::Etcd(args) => block_on(etcd::run(options, &args)),
        Verb::Drill(args) => block_on(app::drill::run(options, &args.plain())),
        Verb::DrillSampler => block_on(app::drill::child()),
        Verb::Start(args) => block_on(start::run(options, &args)),
        Verb::Switchover(args) => block_on(app::patroni::switchover(options, &args.plain())),
        Verb::Failover(args) => block_on(app::patroni::failover(options, &args.plain())),
        Verb::Restart(args) => block_on(app::patroni::restart(options, &args.plain())),
        Verb::Reload(args) => block_on(args.on(options, app::patroni::reload)),
        Verb::Reinit(args) => block_on(args.run(options)),
        Verb::Pause(args) => block_on(args.on(options, app::patroni::pause)),
        Verb::Resume(args) => block_on(args.on(options, app::patroni::resume)),
        Verb::Lab(args) => lab::run(options, &args),
        Verb::Verify(args) => block_on(verify::run(options, args)),
        Verb::Connect(args) => app::connect::run(options, &args.plain()),
        Verb::Recover(args) => block_on(recover::run(options, args)),
        Verb::Exec(args) => block_on(app::exec::run(options, &args.plain())),
        Verb::Cert(args) => block_on(cert::run(options, &args)),
        Verb::Group(args) => block_on(group::run(options, &args)),
        Verb::Password(args) => block_on(password::run(options, &args)),
        Verb::Unlock(args) => block_on(unlock::run(options, args)),
        Verb::Facts(_) => block_on(app::facts::run(options)),
        Verb::History => journal::history(options),
        Verb::Replay(args) => journal::replay(options, &args),
        Verb::Catalog(args) => catalog::run(options, &args),
        Verb::Completions(args) => generate(|out| {
            clap_complete::generate(args.shell, &mut help::command(), "citusctl", out)
        }),
        Verb::Man(args) => man::run(&args),
        Verb::Backup(args) => block_on(backup::run(options, args)),
        Verb::Restore(args) => block_on(restore::run(options, args)),
    }
}

fn generate(write: impl FnOnce(&mut Vec<u8>)) -> Result<u8, Failure> {
    let mut text = Vec::new();
    write(&mut text);
    data(&String::from_utf8_lossy(&text))?;
    Ok(code::DONE)
}
