//! `connect`: connection strings for clients, or a session. Reads the inventory alone; contacts nothing but, with `--psql`,
//! the database.

use super::failure::{Failure, code, pretty, result};
use super::options::Options;
use super::project::Project;
use crate::model::access::{Address, Purpose, Route, Via, routes};
use crate::model::objects::{Database, Role, Scene, databases, roles};
use crate::model::{Formation, Group, Host};
use crate::secret::MASK;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use time::OffsetDateTime;

/// Which connection strings.
#[derive(Debug)]
pub struct ConnectRequest {
    pub purpose: Purpose,
    /// Formation or cluster.
    pub formation: Option<String>,
    pub group: Option<u32>,
    pub database: Option<String>,
    /// The role to log in as.
    pub login: Option<String>,
    pub show_password: bool,
    /// Open a session instead.
    pub psql: bool,
    /// Which route the session takes.
    pub via: Via,
    /// More arguments for psql.
    pub more: Vec<String>,
}

/// Where a client goes, and as whom.
struct Destination {
    formation: String,
    group: Option<u32>,
    database: String,
    user: String,
    password: Option<String>,
    routes: Vec<Route>,
}

/// Prints connection strings, or becomes a session.
///
/// # Errors
/// What was named is not there.
pub fn run(options: &Options, args: &ConnectRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let doors = doors(&project, args)?;
    let ca_file = project.state_dir.join("pki").join("ca.crt");
    let ca_file = std::path::absolute(&ca_file).unwrap_or(ca_file);
    let ca_file = ca_file.to_string_lossy();
    if args.psql {
        return Err(session(&doors, args, &ca_file));
    }
    let shown = match options.json {
        true => {
            let rows: Vec<Value> = doors.iter().flat_map(|d| d.rows(args, &ca_file)).collect();
            pretty(&rows)?
        }
        false => text(&doors, args, &ca_file),
    };
    result(&shown)?;
    Ok(code::DONE)
}

fn doors(project: &Project, args: &ConnectRequest) -> Result<Vec<Destination>, Failure> {
    let formations = &project.model.formations;
    let wanted = formations.iter().filter(|formation| {
        let named = |name: &String| {
            let cluster = |group: &Group| group.cluster.as_str() == name;
            formation.name.as_str() == name || formation.groups.iter().any(cluster)
        };
        args.formation.as_ref().is_none_or(named)
    });
    let doors: Result<Vec<Destination>, Failure> = wanted
        .map(|formation| door(project, formation, args))
        .collect();
    let doors = doors?;
    if doors.is_empty() {
        let names: Vec<&str> = formations.iter().map(|f| f.name.as_str()).collect();
        let name = args.formation.as_deref().unwrap_or_default();
        let failure = Failure::new(code::USAGE, format!("there is no formation `{name}`"));
        return Err(failure.hint(format!("there are {}", names.join(", "))));
    }
    Ok(doors)
}

fn door(
    project: &Project,
    formation: &Formation,
    args: &ConnectRequest,
) -> Result<Destination, Failure> {
    let named = formation
        .groups
        .iter()
        .find(|group| args.formation.as_deref() == Some(group.cluster.as_str()));
    let group = match (args.group, named) {
        (Some(number), _) => Some(numbered(formation, number)?),
        (None, Some(group)) => Some(group),
        (None, None) => formation.coordinator().or(formation.groups.first()),
    };
    let empty = || Failure::new(code::INPUT, format!("{} has no members", formation.name));
    let group = group.ok_or_else(empty)?;
    let member = group.members.first().ok_or_else(empty)?;
    let host = project.model.hosts.get(&member.host).ok_or_else(empty)?;
    let scene = Scene::new(&host.stated, OffsetDateTime::now_utc());
    let (database, role) = who(&scene, args)?;
    Ok(Destination {
        formation: formation.name.to_string(),
        group: group.number,
        database,
        password: role.password.clone().filter(|_| !role.has_verifier()),
        user: role.name,
        routes: routes(&project.model, group, args.purpose),
    })
}

fn numbered(formation: &Formation, number: u32) -> Result<&Group, Failure> {
    let found = formation.groups.iter().find(|g| g.number == Some(number));
    found.ok_or_else(|| {
        let groups = formation.groups.iter().filter_map(|group| group.number);
        let groups: Vec<String> = groups.map(|number| number.to_string()).collect();
        let text = format!("{} has no group {number}", formation.name);
        let failure = Failure::new(code::USAGE, text);
        match groups.is_empty() {
            true => failure.hint("only formations of Citus have groups"),
            false => failure.hint(format!("it has {}", groups.join(", "))),
        }
    })
}

/// The formation's own database: that of Citus, or the first of `pg_databases`, or postgres.
pub(super) fn own_database(host: &Host, now: OffsetDateTime) -> String {
    let scene = Scene::new(&host.stated, now);
    let roles = roles(&scene).found.into_iter();
    let names = roles.filter(|role| !role.absent).map(|role| role.name);
    chief(&scene, &databases(&scene, &names.collect()).found)
}

fn chief(scene: &Scene<'_>, databases: &[Database]) -> String {
    let mut own = databases
        .iter()
        .filter(|database| database.settings.is_some() && !database.absent);
    let first = || own.next().map(|database| database.name.clone());
    let found = scene.citus_db.clone().or_else(first);
    found.unwrap_or_else(|| "postgres".to_owned())
}

/// The database and the role to log in as.
fn who(scene: &Scene<'_>, args: &ConnectRequest) -> Result<(String, Role), Failure> {
    let roles: Vec<Role> = roles(scene)
        .found
        .into_iter()
        .filter(|r| !r.absent)
        .collect();
    let names: BTreeSet<String> = roles.iter().map(|role| role.name.clone()).collect();
    let databases = databases(scene, &names).found;
    let own = || chief(scene, &databases);
    let database = args.database.clone().unwrap_or_else(own);
    let owner = databases.iter().find(|found| found.name == database);
    let owner = owner.and_then(|database| database.settings.as_ref()?.owner.clone());
    let system = scene.users.all();
    let login = |role: &&Role| role.login && role.password.is_some();
    let named = |name: &str| roles.iter().find(|role| role.name == name);
    let found = match (&args.login, args.purpose) {
        (Some(name), _) => named(name),
        (None, Purpose::Admin) => named(&scene.users.admin),
        (None, Purpose::ReadWrite | Purpose::ReadOnly) => owner
            .and_then(|owner| named(&owner).filter(login))
            .or_else(|| {
                let own = |role: &&Role| !system.contains(&role.name.as_str());
                roles.iter().filter(login).find(own)
            })
            .or_else(|| named(&scene.users.admin)),
    };
    let role = found.cloned().ok_or_else(|| {
        let known = roles.iter().filter(login).map(|role| role.name.as_str());
        no_role(args, &known.collect::<Vec<_>>())
    })?;
    Ok((database, role))
}

fn no_role(args: &ConnectRequest, known: &[&str]) -> Failure {
    let name = args.login.as_deref().unwrap_or_default();
    let text = format!("the inventory declares no role `{name}`");
    Failure::new(code::USAGE, text).hint(format!("those that may log in are {}", known.join(", ")))
}

impl Destination {
    fn address<'a>(
        &'a self,
        route: &'a Route,
        args: &ConnectRequest,
        ca_file: &'a str,
    ) -> Address<'a> {
        let password = self.password.as_deref();
        let shown = match (args.psql, args.show_password) {
            (true, _) => None,
            (false, true) => password,
            (false, false) => password.map(|_| MASK),
        };
        Address {
            route,
            purpose: args.purpose,
            user: &self.user,
            password: shown,
            database: &self.database,
            ca_file,
        }
    }

    fn rows(&self, args: &ConnectRequest, ca_file: &str) -> Vec<Value> {
        let row = |route: &Route| {
            let address = self.address(route, args, ca_file);
            json!({
                "formation": self.formation, "group": self.group, "database": self.database, "user": self.user,
                "role": args.purpose, "via": route.via, "places": route.places,
                "libpq": address.libpq(), "jdbc": address.jdbc(),
            })
        };
        self.routes.iter().map(row).collect()
    }
}

fn words(via: Via) -> &'static str {
    match via {
        Via::Members => "the members themselves; the client finds the right one",
        Via::Haproxy => "HAProxy, which leads to the right member",
        Via::AnyNode => "HAProxy to any worker: every node of Citus answers queries",
        Via::Vip => "the address that follows the leader",
        Via::HostVip => "HAProxy behind an address that hosts share",
    }
}

fn text(doors: &[Destination], args: &ConnectRequest, ca_file: &str) -> String {
    let mut out = String::new();
    for door in doors {
        let group = door
            .group
            .map(|n| format!(" group {n}"))
            .unwrap_or_default();
        out.push_str(&format!(
            "{}{group}: database {} as {}\n",
            door.formation, door.database, door.user
        ));
        for route in &door.routes {
            let address = door.address(route, args, ca_file);
            out.push_str(&format!(
                "  {}\n    {}\n    {}\n",
                words(route.via),
                address.libpq(),
                address.jdbc()
            ));
        }
    }
    out
}

/// Becomes psql; comes back only if it could not.
fn session(doors: &[Destination], args: &ConnectRequest, ca_file: &str) -> Failure {
    let [door] = doors else {
        let names: Vec<&str> = doors.iter().map(|door| door.formation.as_str()).collect();
        return Failure::new(
            code::USAGE,
            format!(
                "a session goes to one formation, and there are {}",
                names.join(", ")
            ),
        )
        .hint("`--formation NAME` says which");
    };
    let Some(route) = door.routes.iter().find(|route| route.via == args.via) else {
        return Failure::new(
            code::USAGE,
            format!("there is no such way into {}", door.formation),
        )
        .hint("without `--psql` all ways are shown");
    };
    let mut command = std::process::Command::new("psql");
    command
        .arg(door.address(route, args, ca_file).libpq())
        .args(&args.more);
    if let Some(password) = &door.password {
        command.env("PGPASSWORD", password);
    }
    let error = command.exec();
    Failure::new(code::FAILED, format!("psql cannot be started: {error}")).hint(
        "install PostgreSQL's client, or use one of the connection strings (`citusctl connect`)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formation_has_a_database_of_its_own() {
        let own = |inventory: &str| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(inventory);
            let inventory = crate::inventory::load(&path, &[]).expect("good").inventory;
            let model = crate::model::build(&inventory).0.expect("a model");
            let member = model.instances().next().expect("a member").host.clone();
            own_database(&model.hosts[&member], OffsetDateTime::now_utc())
        };
        assert_eq!(own("inventory/ha-trio.yml"), "test");
        assert_eq!(own("inventory/single.yml"), "meta");
    }
}
