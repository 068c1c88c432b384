//! Who listens on the ports of etcd, Patroni, PgBouncer and HAProxy: the program that we set up, by the configuration that its
//! command line names, or another one, whose answers are not ours.

use super::findings::Findings;
use super::{StatusAccess, StatusAnswers};
use crate::engine::Run;
use crate::fact::Listener;
use crate::model::Host;
use std::collections::BTreeMap;

/// What has to listen on a port.
struct Ours {
    what: &'static str,
    /// Names of the process, as `ss -p` shows them.
    processes: &'static [&'static str],
    /// What its command line names, one of these.
    config: &'static [&'static str],
}

const ETCD: Ours = Ours {
    what: "etcd",
    processes: &["etcd"],
    config: &["/etc/etcd/etcd.conf.yml", "/run/citusctl/"],
};
const PATRONI: Ours = Ours {
    what: "Patroni",
    processes: &["patroni", "python3"],
    config: &["/etc/patroni/citusctl.yml", "/pg/conf/"],
};
const PGBOUNCER: Ours = Ours {
    what: "PgBouncer",
    processes: &["pgbouncer"],
    config: &["/etc/pgbouncer/pgbouncer.ini"],
};
const HAPROXY: Ours = Ours {
    what: "HAProxy",
    processes: &["haproxy"],
    config: &["/etc/haproxy/haproxy.cfg"],
};

impl Ours {
    /// Why a listener is another one.
    fn other(&self, listener: &Listener) -> Option<String> {
        let Some(process) = listener.process.as_deref() else {
            return Some("a process that cannot be seen".to_owned());
        };
        if !self.processes.contains(&process) {
            return Some(format!("`{process}`"));
        }
        // Whoever has ended since has no command line, and listens no more.
        let command = listener.command.as_deref()?;
        let named = self.config.iter().any(|path| command.contains(path));
        (!named).then(|| format!("a `{process}` with another configuration: `{command}`"))
    }
}

/// The ports of a host, and what has to listen there.
fn wanted(run: &Run<'_>, access: &StatusAccess, host: &Host) -> BTreeMap<u16, &'static Ours> {
    let mut ports = BTreeMap::new();
    if let (Some(etcd), Some(_)) = (&run.model.etcd, &host.etcd) {
        ports.insert(etcd.client_port, &ETCD);
        ports.insert(etcd.peer_port, &ETCD);
    }
    if let Some(member) = &host.pg {
        ports.insert(member.patroni_port, &PATRONI);
        ports.extend(member.pgbouncer_port.map(|port| (port, &PGBOUNCER)));
    }
    if host.haproxy {
        let statistics = access.haproxy.get(&host.name).map(|access| access.port);
        let services = host.services.iter().map(|service| service.port);
        ports.extend(services.chain(statistics).map(|port| (port, &HAPROXY)));
    }
    ports
}

impl Findings {
    /// Ports of ours on which somebody else listens.
    pub(super) fn ports(&mut self, run: &Run<'_>, access: &StatusAccess, answers: &StatusAnswers) {
        for (name, answer) in &answers.hosts {
            let (Ok(seen), Some(host)) = (answer, run.model.hosts.get(name)) else {
                continue;
            };
            self.others(name.as_str(), &wanted(run, access, host), &seen.listeners);
        }
    }

    fn others(&mut self, host: &str, wanted: &BTreeMap<u16, &Ours>, listeners: &[Listener]) {
        for (port, ours) in wanted {
            let there = listeners.iter().filter(|at| at.port == *port);
            if let Some(who) = there.filter_map(|at| ours.other(at)).next() {
                self.problem(format!(
                    "{host}: port {port} ({}) is served by {who}, which is not ours: stop it there, then `citusctl apply`",
                    ours.what
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ours: &Ours, process: Option<&str>, command: Option<&str>) -> Vec<String> {
        let mut said = Findings::default();
        let listener = Listener {
            port: 6432,
            process: process.map(str::to_owned),
            directory: None,
            command: command.map(str::to_owned),
        };
        said.others("10.0.0.1", &[(6432, ours)].into(), &[listener]);
        said.problems
    }

    #[test]
    fn a_port_is_served_by_the_program_with_our_configuration() {
        let none: [String; 0] = [];
        let own = "/usr/sbin/pgbouncer /etc/pgbouncer/pgbouncer.ini";
        assert_eq!(said(&PGBOUNCER, Some("pgbouncer"), Some(own)), none);
        let other = Some("pgbouncer -d /srv/p.ini");
        assert_eq!(
            said(&PGBOUNCER, Some("pgbouncer"), other),
            [
                "10.0.0.1: port 6432 (PgBouncer) is served by a `pgbouncer` with another configuration: `pgbouncer -d /srv/p.ini`, which is not ours: stop it there, then `citusctl apply`"
            ]
        );
        let odyssey = said(&PGBOUNCER, Some("odyssey"), Some("odyssey"));
        assert!(odyssey[0].contains("is served by `odyssey`"));
        assert!(said(&PGBOUNCER, None, None)[0].contains("cannot be seen"));
        assert_eq!(said(&PGBOUNCER, Some("pgbouncer"), None), none);
    }
}
