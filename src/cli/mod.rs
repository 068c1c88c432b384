//! The command line: parses, calls, maps outcomes to exit codes. One file for each verb.

mod apply;
mod arguments;
mod catalog;
mod cert;
mod check;
mod connect;
mod drill;
mod etcd;
mod exec;
mod exit;
mod facts;
mod group;
mod init;
mod inventory;
mod journal;
mod lab;
mod options;
mod password;
mod patroni;
mod plan;
mod project;
mod rebuild;
mod recover;
mod remove;
mod render;
mod rest;
mod rotate;
mod rotate_lost;
mod runbook;
mod session;
mod sinks;
mod snapshot_file;
mod start;
mod status;
mod status_view;
mod vault;
mod verify;

pub use exit::{Failure, code};
pub use options::{Common, Connect};

use clap::{Args, CommandFactory, Parser, Subcommand};

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
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented starter inventory with generated passwords; never overwrites
    Init(init::InitArgs),
    /// Read, merge, model and lint the inventory; no network
    Check,
    /// Show merged variables, the group tree, or where each value came from
    Inventory(inventory::InventoryArgs),
    /// Write every file of every host below a directory; works offline
    Render(render::RenderArgs),
    /// Connect, look, and show what would change; changes nothing on any host
    Plan(plan::PlanArgs),
    /// Plan, ask, carry out
    Apply(apply::ApplyArgs),
    /// The formation at a glance; exit 1 when it is not healthy
    Status(status::StatusArgs),
    /// etcd's members, majorities and snapshots
    Etcd(etcd::EtcdArgs),
    /// All machines were off and are up again: watch what comes by itself, start what does not
    Start(start::StartArgs),
    /// Hand the lead of a group over to a standby, without loss
    Switchover(patroni::HandOverArgs),
    /// Make a standby lead where nobody does
    Failover(patroni::HandOverArgs),
    /// Restart PostgreSQL of a member, or of a group one by one, replicas first
    Restart(patroni::RestartArgs),
    /// Make all members read their configuration again
    Reload(patroni::GroupsArgs),
    /// Remove a replica's copy and make it anew
    Reinit(patroni::ReinitArgs),
    /// Switch automatic failover off
    Pause(patroni::GroupsArgs),
    /// Switch automatic failover on again
    Resume(patroni::GroupsArgs),
    /// A fault on purpose, in a lab, under load: write gap, lost rows, a timeline; exit 1 when it did not pass
    Drill(drill::DrillArgs),
    #[command(hide = true)]
    DrillSampler,
    /// The hosts of an inventory as machines on this computer
    Lab(lab::LabArgs),
    /// Prove the formation end to end through every service port; exit 1 when a proof fails
    Verify(verify::VerifyArgs),
    /// Connection strings for clients, or with --psql a session
    Connect(connect::ConnectArgs),
    /// Two of three hosts are gone and nothing fails over: make the last copy writable
    Recover(recover::RecoverArgs),
    /// Run a command as root on all hosts, or those of --limit, at once; exit 6 when it fails on one
    Exec(exec::ExecArgs),
    /// Certificates: those that are kept, those that listeners show, new ones
    Cert(cert::CertArgs),
    /// Worker groups of a Citus formation: bring one in, empty one, take one out
    Group(group::GroupArgs),
    /// New passwords, written into the inventory, applied and proved
    Password(password::PasswordArgs),
    /// What was observed of the hosts
    Facts(Connect),
    /// Past runs
    History,
    /// Show a past run again
    Replay(journal::ReplayArgs),
    /// Embedded roles, playbooks, templates and every parameter
    Catalog(catalog::CatalogArgs),
    /// Completions for a shell
    Completions(CompletionsArgs),
    /// The manual page
    Man,
}

/// Which shell.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    shell: clap_complete::Shell,
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
    let common = cli.common;
    lab::enter(&common)?;
    match cli.verb {
        Verb::Init(args) => init::run(&common, &args),
        Verb::Check => check::run(&common),
        Verb::Inventory(args) => inventory::run(&common, &args),
        Verb::Render(args) => render::run(&common, &args),
        Verb::Plan(args) => session::block_on(plan::run(&common, &args)),
        Verb::Apply(args) => session::block_on(apply::run(&common, &args)),
        Verb::Status(args) => session::block_on(status::run(&common, &args)),
        Verb::Etcd(args) => session::block_on(etcd::run(&common, &args)),
        Verb::Drill(args) => session::block_on(drill::run(&common, &args)),
        Verb::DrillSampler => session::block_on(drill::child()),
        Verb::Start(args) => session::block_on(start::run(&common, &args)),
        Verb::Switchover(args) => session::block_on(patroni::switchover(&common, &args)),
        Verb::Failover(args) => session::block_on(patroni::failover(&common, &args)),
        Verb::Restart(args) => session::block_on(patroni::restart(&common, &args)),
        Verb::Reload(args) => session::block_on(patroni::reload(&common, &args)),
        Verb::Reinit(args) => session::block_on(patroni::reinit(&common, &args)),
        Verb::Pause(args) => session::block_on(patroni::pause(&common, &args)),
        Verb::Resume(args) => session::block_on(patroni::resume(&common, &args)),
        Verb::Lab(args) => lab::run(&common, &args),
        Verb::Verify(args) => session::block_on(verify::run(&common, &args)),
        Verb::Connect(args) => connect::run(&common, &args),
        Verb::Recover(args) => session::block_on(recover::run(&common, &args)),
        Verb::Exec(args) => session::block_on(exec::run(&common, &args)),
        Verb::Cert(args) => session::block_on(cert::run(&common, &args)),
        Verb::Group(args) => session::block_on(group::run(&common, &args)),
        Verb::Password(args) => session::block_on(password::run(&common, &args)),
        Verb::Facts(args) => session::block_on(facts::run(&common, &args)),
        Verb::History => journal::history(&common),
        Verb::Replay(args) => journal::replay(&common, &args),
        Verb::Catalog(args) => catalog::run(&common, &args),
        Verb::Completions(args) => generate(|out| {
            clap_complete::generate(args.shell, &mut Cli::command(), "citusctl", out)
        }),
        Verb::Man => generate(|out| {
            // A closed pipe is the reader's choice.
            let _ = clap_mangen::Man::new(Cli::command()).render(out);
        }),
    }
}

fn generate(write: impl FnOnce(&mut Vec<u8>)) -> Result<u8, Failure> {
    let mut text = Vec::new();
    write(&mut text);
    exit::data(&String::from_utf8_lossy(&text))?;
    Ok(code::DONE)
}
