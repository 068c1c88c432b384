//! Arguments of `connect`.

use crate::app::connect::ConnectRequest;
use crate::model::access::{Purpose, Via};
use clap::Args;

/// Options of `connect`.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// Purpose: read-write, read-only from standbys, or administration
    #[arg(long, value_name = "ROLE", default_value = "rw")]
    role: Purpose,
    /// Limit to this formation or cluster
    #[arg(long, value_name = "NAME")]
    formation: Option<String>,
    /// Group number in a formation [default: the coordinator]
    #[arg(long, value_name = "N")]
    group: Option<u32>,
    /// Database [default: the formation's, or the first of `pg_databases`, or postgres]
    #[arg(short, long, value_name = "NAME")]
    database: Option<String>,
    /// Role to log in as [default: the database's owner, or the first of `pg_users` that may log in, or the administrator]
    #[arg(long = "as", value_name = "ROLE")]
    login: Option<String>,
    /// Print passwords in clear
    #[arg(long)]
    show_password: bool,
    /// Open a psql session; the password is passed in its environment
    #[arg(long)]
    psql: bool,
    /// Which route the session takes
    #[arg(long, value_name = "WAY", default_value = "members")]
    via: Via,
    /// Additional arguments for psql
    #[arg(last = true, requires = "psql", value_name = "ARGS")]
    more: Vec<String>,
}

impl ConnectArgs {
    /// The same as plain values.
    pub fn plain(self) -> ConnectRequest {
        ConnectRequest {
            purpose: self.role,
            formation: self.formation,
            group: self.group,
            database: self.database,
            login: self.login,
            show_password: self.show_password,
            psql: self.psql,
            via: self.via,
            more: self.more,
        }
    }
}
