//! `verify`: proves the formation through every service port.

use super::exit::{Failure, code, pretty, result};
use super::options::Common;
use super::project::Project;
use super::session::Session;
use super::status::access;
use super::status_view::verify_view;
use crate::engine::status::status;
use crate::engine::verify::{Login, verify};
use crate::event::Outcome;
use crate::inventory::parameters::Typed;
use crate::names::FormationName;
use clap::Args;
use std::collections::BTreeMap;

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Also make a table, write and read it through every port that takes writes, and drop it
    #[arg(long)]
    write: bool,
}

/// Runs it.
pub async fn run(common: &Common, args: &VerifyArgs) -> Result<u8, Failure> {
    let project = Project::open(common)?;
    let session = Session::connect(common, &project, "site", "verify", false).await?;
    let run = session.run()?;
    let seen = status(&run, &access(&project)).await;
    let logins = logins(&project, session.ca.cert_pem());
    let report = verify(&run, &seen, &logins, args.write).await;
    drop(run);
    session.finish(Outcome::Done).await;
    result(&match common.json() {
        true => pretty(&report)?,
        false => verify_view(&report),
    })?;
    Ok(match report.healthy {
        true => code::DONE,
        false => code::INTERNAL,
    })
}

/// The administrator of each formation, who may log in from anywhere.
pub fn logins(project: &Project, ca_pem: &str) -> BTreeMap<FormationName, Login> {
    let mut logins = BTreeMap::new();
    for formation in &project.model.formations {
        let member = formation.members().next();
        let Some(host) = member.and_then(|m| project.inventory.hosts.get(&m.host)) else {
            continue;
        };
        let typed = Typed::new(&host.vars);
        let database = match formation.is_citus() {
            true => formation.primary_db.clone(),
            false => "postgres".to_owned(),
        };
        let login = Login {
            user: typed.str("pg_admin_username"),
            password: typed.secret("pg_admin_password"),
            database,
            ca_pem: ca_pem.to_owned(),
        };
        logins.insert(formation.name.clone(), login);
    }
    logins
}
