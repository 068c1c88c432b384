//! How each host is reached: the inventory's words, overruled by flags.

use super::super::failure::{Failure, code};
use super::super::options::Options;
use super::super::project::Project;
use super::host_keys::Checking;
use crate::model::{Connection, Host};
use crate::names::HostName;
use crate::secret::Secret;
use crate::transport::{Endpoint, Resolver, Sudo};
use crate::ui::term;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// Host keys and names as the command line and the environment say.
pub fn resolver(options: &Options) -> Resolver {
    let connect = &options.connect;
    let mut resolver = Resolver::from_env();
    if let Some(path) = &connect.known_hosts {
        resolver = resolver.with_known_hosts(path.clone());
    }
    if let Some(policy) = connect.host_keys {
        resolver = resolver.with_host_keys(policy);
    }
    resolver
}

/// One endpoint for each host; asks for passwords when told to.
pub fn endpoints(
    options: &Options,
    project: &Project,
    hosts: &BTreeSet<HostName>,
    checking: &Checking,
) -> Result<Vec<Endpoint>, Failure> {
    let login = options
        .connect
        .ask_pass
        .then(|| ask("SSH password: "))
        .transpose()?;
    let sudo = options
        .connect
        .ask_become_pass
        .then(|| ask("sudo password: "))
        .transpose()?;
    let known = hosts
        .iter()
        .filter_map(|host| project.model.hosts.get(host));
    let endpoints =
        known.map(|host| endpoint(options, checking, host, login.clone(), sudo.clone()));
    Ok(endpoints.collect())
}

fn endpoint(
    options: &Options,
    checking: &Checking,
    host: &Host,
    login: Option<Secret>,
    sudo: Option<Secret>,
) -> Endpoint {
    let connection: &Connection = &host.connection;
    let mut endpoint = Endpoint::new(host.name.clone(), connection.host.clone());
    endpoint.port = connection.port;
    endpoint.user = options
        .connect
        .user
        .clone()
        .or_else(|| connection.user.clone());
    let keys = options
        .connect
        .private_key
        .iter()
        .cloned()
        .chain(connection.key_file.iter().map(Into::into));
    endpoint.keys = keys.collect();
    endpoint.password = login.or_else(|| connection.password.clone());
    endpoint.options = connection.ssh.settings.clone();
    endpoint.config = connection.ssh.config.as_deref().map(home);
    let flag = options.connect.host_keys;
    endpoint.host_keys = flag.or_else(|| checking.policy(connection));
    endpoint.pinned_key = connection.host_key.clone();
    let password = sudo.or_else(|| connection.become_password.clone());
    endpoint.sudo = connection.r#become.then(|| Sudo {
        user: "root".to_owned(),
        password,
    });
    endpoint.local = connection.local;
    endpoint.connect_timeout = Duration::from_secs(options.connect.connect_timeout);
    endpoint
}

/// A path that may begin with `~/`.
fn home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        (Some(_), None) | (None, _) => PathBuf::from(path),
    }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !term::can_ask() {
        let failure = Failure::new(
            code::DECLINED,
            "there is no terminal to ask for a password at",
        );
        return Err(failure.hint(
            "put it into the inventory (`ansible_password`, `ansible_become_password`) or use keys",
        ));
    }
    term::ask_hidden(prompt)
        .map(Secret::new)
        .map_err(|error| Failure::new(code::DECLINED, format!("reading the password: {error}")))
}
