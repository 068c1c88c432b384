//! What each verb does, on plain options: open the project, look, plan, ask for consent, act, show the result.
//! Knows no command line; gives an exit code or a failure.

pub mod apply;
pub mod backup;
pub mod cert;
pub mod check;
pub mod connect;
pub mod drill;
pub mod etcd;
pub mod exec;
mod explain;
pub mod facts;
pub mod failure;
pub mod group;
pub mod init;
pub mod lab;
mod options;
pub mod password;
pub mod patroni;
pub mod plan;
pub mod project;
mod rebuild;
pub mod recover;
pub mod rehearsal;
mod remove;
pub mod render;
mod rest;
pub mod restore;
pub mod rotate;
mod rotate_lost;
mod runbook;
mod session;
mod sinks;
mod snapshot_file;
pub mod start;
pub mod status;
pub mod unlock;
pub mod vault;
pub mod verify;
mod why;

pub use options::{ConnectOptions, Options};
pub use runbook::Approval;
pub use session::block_on;
