//! `verify`: proves the formation through every service port.

use super::failure::{Failure, code, pretty, result};
use super::options::Options;
use super::project::Project;
use super::session::{Deed, Session};
use super::status::access;
use crate::engine::status::status;
use crate::engine::verify::{Login, Logins, verify};
use crate::event::Outcome;
use crate::inventory::param;
use crate::model::Host;
use crate::model::objects::{Role, Scene, databases, roles};
use crate::names::FormationName;
use crate::plan::is_pooled;
use crate::secret::Secret;
use crate::ui::status_view::verify_view;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

/// What to prove.
#[derive(Debug, Default)]
pub struct VerifyRequest {
    /// Also write.
    pub write: bool,
    /// The role to log in as.
    pub role: Option<String>,
}

/// Proves the formation through every service port.
///
/// # Errors
/// Whatever stood in the way of asking.
pub async fn run(options: &Options, args: &VerifyRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    proved(options, &project, args).await
}

/// Logins alone, as the administrator.
pub(super) async fn logins_alone(options: &Options, project: &Project) -> Result<u8, Failure> {
    proved(options, project, &VerifyRequest::default()).await
}

async fn proved(options: &Options, project: &Project, args: &VerifyRequest) -> Result<u8, Failure> {
    let ca_pem = project.authority(false)?.cert_pem().to_owned();
    let admins = logins(project, &ca_pem);
    let clients = match &args.role {
        Some(role) => applications(project, &admins, role)?,
        None => admins.clone(),
    };
    let session = Session::connect(options, project, "site", "verify", Deed::Looks).await?;
    let run = session.run()?;
    let seen = status(&run, &access(project)).await;
    let report = verify(&run, &seen, &Logins { clients, admins }, args.write).await;
    drop(run);
    session.finish(Outcome::Done).await;
    result(&match options.json {
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
        let Some(host) = member.and_then(|m| project.model.hosts.get(&m.host)) else {
            continue;
        };
        let typed = host.typed();
        let database = match formation.is_citus() {
            true => formation.primary_db.clone(),
            false => "postgres".to_owned(),
        };
        let login = Login {
            user: typed.get(param::PG_ADMIN_USERNAME),
            password: typed.get(param::PG_ADMIN_PASSWORD),
            database,
            ca_pem: ca_pem.to_owned(),
            pooled: true,
        };
        logins.insert(formation.name.clone(), login);
    }
    logins
}

type LoginByFormation = BTreeMap<FormationName, Login>;

/// The role in each formation that has it, in the database of Citus, or else in one that it owns.
fn applications(
    project: &Project,
    admins: &LoginByFormation,
    name: &str,
) -> Result<LoginByFormation, Failure> {
    let mut found = BTreeMap::new();
    let mut known = BTreeSet::new();
    for formation in &project.model.formations {
        let member = formation.members().next();
        let host = member.and_then(|m| project.model.hosts.get(&m.host));
        let (Some(host), Some(admin)) = (host, admins.get(&formation.name)) else {
            continue;
        };
        let scene = Scene::new(&host.stated, OffsetDateTime::now_utc());
        let roles = roles(&scene).found;
        let mut open = roles.iter().filter(|role| role.login && !role.absent);
        known.extend(open.clone().map(|role| role.name.clone()));
        if let Some(role) = open.find(|role| role.name == name) {
            let login = application(host, &scene, role, admin)?;
            found.insert(formation.name.clone(), login);
        }
    }
    if found.is_empty() {
        let known: Vec<String> = known.into_iter().collect();
        let words = format!("the inventory declares no role `{name}` that may log in");
        let failure = Failure::new(code::USAGE, words);
        return Err(failure.hint(format!("those that may are {}", known.join(", "))));
    }
    Ok(found)
}

fn application(
    host: &Host,
    scene: &Scene<'_>,
    role: &Role,
    admin: &Login,
) -> Result<Login, Failure> {
    let password = role.password.clone().filter(|_| !role.has_verifier());
    let password = password.ok_or_else(|| {
        let words = format!(
            "{}: the inventory holds no password to log in with",
            role.name
        );
        Failure::new(code::USAGE, words).hint("name a role whose password is written in clear")
    })?;
    let names = BTreeSet::from([role.name.clone()]);
    let databases = databases(scene, &names).found;
    let mut own = databases.iter().filter(|database| !database.absent);
    let owned = own.find(|database| {
        let settings = database.settings.as_ref();
        settings.and_then(|settings| settings.owner.as_ref()) == Some(&role.name)
    });
    let owned = owned.map(|database| database.name.clone());
    let database = scene.citus_db.clone().or(owned);
    Ok(Login {
        user: role.name.clone(),
        password: Secret::new(password),
        database: database.unwrap_or_else(|| admin.database.clone()),
        pooled: is_pooled(&host.typed(), &role.name),
        ca_pem: admin.ca_pem.clone(),
    })
}
