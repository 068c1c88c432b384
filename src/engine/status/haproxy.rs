//! HAProxy's statistics as CSV, from its statistics page. The admin socket would do for root only; the page
//! serves every login user.

use crate::engine::Run;
use crate::engine::fleet::chain;
use crate::event::status::ServerStatus;
use crate::model::Host;
use crate::secret::Secret;
use crate::transport::{Target, http};
use std::collections::BTreeMap;
use std::time::Duration;

/// How HAProxy's statistics page of a host is reached.
#[derive(Clone, Debug)]
pub struct HaproxyAccess {
    /// `haproxy_exporter_port`.
    pub port: u16,
    pub user: String,
    pub password: Secret,
}

/// Servers by proxy.
pub(super) type Servers = BTreeMap<String, Vec<ServerStatus>>;

const LIMIT: Duration = Duration::from_secs(8);

/// Asks the HAProxy of a host.
pub(super) async fn ask(
    run: &Run<'_>,
    host: &Host,
    access: &HaproxyAccess,
) -> Result<Servers, String> {
    let transport = run
        .fleet
        .get(&host.name)
        .ok_or_else(|| format!("{} is not connected", host.name))?;
    // The page is for the host itself, unless `haproxy_page_remote` says more.
    let target = Target::Tcp("127.0.0.1".to_owned(), access.port);
    let request = http::Request::get(target, "/;csv")
        .basic_auth(access.user.clone(), access.password.clone())
        .within(LIMIT);
    let answer = http::request(transport.as_ref(), &request)
        .await
        .map_err(|error| chain(&error))?;
    match answer.status {
        200..300 => Ok(read(&String::from_utf8_lossy(&answer.body))),
        401 => Err(format!(
            "{}: its password is not `haproxy_admin_password`",
            host.name
        )),
        other => Err(format!("{}: it answers {other}", host.name)),
    }
}

/// Reads the table by the names in its first line, since its columns differ between versions.
fn read(csv: &str) -> Servers {
    let mut lines = csv.lines();
    let head = lines.next().unwrap_or_default().trim_start_matches("# ");
    let column = |name: &str| head.split(',').position(|field| field == name);
    let (Some(proxy), Some(server), Some(status)) =
        (column("pxname"), column("svname"), column("status"))
    else {
        return Servers::new();
    };
    let weight = column("uweight").or_else(|| column("weight"));
    let mut servers = Servers::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let (Some(proxy), Some(name), Some(status)) =
            (fields.get(proxy), fields.get(server), fields.get(status))
        else {
            continue;
        };
        if matches!(*name, "FRONTEND" | "BACKEND") {
            continue;
        }
        servers
            .entry((*proxy).to_owned())
            .or_default()
            .push(ServerStatus {
                name: (*name).to_owned(),
                up: status.starts_with("UP") || *status == "no check",
                state: (*status).to_owned(),
                weight: weight.and_then(|at| fields.get(at)?.parse().ok()),
            });
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_by_the_names_of_columns() {
        let csv = "# pxname,svname,qcur,status,weight\nstats,FRONTEND,0,OPEN,\npg,a-1,0,UP,100\npg,a-2,0,DOWN,100\n\
                   pg,a-3,0,UP 1/3,1\npg,BACKEND,0,UP,200\n";
        let servers = read(csv);
        let up: Vec<bool> = servers["pg"].iter().map(|server| server.up).collect();
        assert_eq!(up, [true, false, true]);
        assert_eq!(servers.len(), 1);
        assert_eq!(servers["pg"][2].weight, Some(1));
    }
}
