//! Guards against strangers: what another hand set up on a host is neither believed nor touched.

use super::{ResourceKind, Verdict, digest_of};
use crate::command::{given, quote};
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `no_debian_cluster: {ports}`: refuses when a cluster of Debian's (running or stopped) has one of these ports.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoDebianCluster {
    /// All ports of ours on the host.
    pub ports: Vec<u16>,
}

/// One line for each: version, name, port, `online` or `down`, start.conf, data directory. No process where there is none.
const CLUSTERS: &str = include_str!("scripts/debian-clusters.sh");

const CLUSTERS_PROBE: &str = "debian_clusters";

impl ResourceKind for NoDebianCluster {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::Script {
            name: CLUSTERS_PROBE.to_owned(),
            text: CLUSTERS.to_owned(),
        }]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let text = seen.scripts.get(CLUSTERS_PROBE).map_or("", String::as_str);
        let clusters = text.lines().filter_map(Cluster::read);
        let in_the_way = clusters
            .filter(|cluster| cluster.port.is_none_or(|port| self.ports.contains(&port)))
            .map(|cluster| cluster.verdict());
        in_the_way
            .into_iter()
            .next()
            .unwrap_or_else(|| Verdict::same("no other cluster has a port of ours"))
    }

    fn digest(&self) -> String {
        digest_of(&[CLUSTERS_PROBE])
    }
}

/// A cluster as `pg_lsclusters` lists it.
struct Cluster<'a> {
    version: &'a str,
    name: &'a str,
    /// None where it could not be read.
    port: Option<u16>,
    state: &'a str,
    start: &'a str,
    data: &'a str,
}

impl<'a> Cluster<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        Some(Self {
            version: words.next()?,
            name: words.next()?,
            port: words.next()?.parse().ok(),
            state: words.next()?,
            start: words.next()?,
            data: words.next()?,
        })
    }

    fn verdict(&self) -> Verdict {
        let (version, name) = (self.version, self.name);
        let port = self.port.map_or("unknown".to_owned(), |p| p.to_string());
        Verdict::Refused {
            reason: format!(
                "there is a PostgreSQL cluster of Debian's that is not ours: `{version}/{name}`, port {port}, {}, started at boot: {}, data in {}",
                self.state, self.start, self.data
            ),
            hint: format!(
                "keep it: give it another port than ours, or choose another `pg_port`; needed no more: `pg_dropcluster --stop {version} {name}` there; \
                 its data is wanted here: `pg_dumpall` from it, then restore after the apply"
            ),
        }
    }
}

/// `no_foreign_conf: {paths, entries, what, hint, unless}`: refuses when one of these files says something and is not ours.
/// Ours begin with `Managed by citusctl`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoForeignConf {
    /// Paths; `*` stands for any name.
    pub paths: Vec<String>,
    /// An extended regular expression for lines that make it more than the package's example.
    pub entries: String,
    /// Whose configuration it is, for the message.
    pub what: String,
    pub hint: String,
    /// A path that proves that the service is ours, and reads these files no more. Empty: there is none.
    #[serde(default)]
    pub unless: String,
}

impl NoForeignConf {
    fn name(&self) -> String {
        format!("foreign:{}", self.digest())
    }
}

impl ResourceKind for NoForeignConf {
    fn probes(&self) -> Vec<Probe> {
        let glob = |path: &String| path.split('*').map(quote).collect::<Vec<_>>().join("*");
        let paths: Vec<String> = self.paths.iter().map(glob).collect();
        let values = [("FOREIGN_ENTRIES", self.entries.as_str())];
        let text = given(&values, include_str!("scripts/foreign-conf.sh"));
        let text = format!("set -- {}\n{text}", paths.join(" "));
        let name = self.name();
        let unless = Some(Probe::Path(self.unless.clone())).filter(|_| !self.unless.is_empty());
        let script = Probe::Script { name, text };
        [script].into_iter().chain(unless).collect()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        if seen.paths.contains_key(&self.unless) {
            return Verdict::same("the service is ours");
        }
        let found = seen.scripts.get(&self.name());
        // What a run of ours wrote, by another header, is ours all the same.
        let ours = |path: &str| {
            let of_line = |line: &String| line.split_once(' ').is_some_and(|(_, p)| p == path);
            seen.manifest.iter().any(of_line)
        };
        let mut paths = found.map_or("", String::as_str).lines();
        match paths.find(|path| !path.is_empty() && !ours(path)) {
            None => Verdict::same("no other configuration is in the way"),
            Some(path) => Verdict::Refused {
                reason: format!("`{path}` is not ours: {}", self.what),
                hint: self.hint.clone(),
            },
        }
    }

    fn digest(&self) -> String {
        let mut parts: Vec<&str> = self.paths.iter().map(String::as_str).collect();
        parts.push(&self.entries);
        digest_of(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{PathKind, PathState};

    fn refused(verdict: &Verdict) -> Option<&str> {
        match verdict {
            Verdict::Refused { reason, .. } => Some(reason),
            Verdict::Same(_) | Verdict::Differs(_) => None,
        }
    }

    #[test]
    fn a_cluster_of_debians_is_in_the_way_with_a_port_of_ours() {
        let seen = |text: &str| Observed {
            scripts: [(CLUSTERS_PROBE.to_owned(), text.to_owned())].into(),
            ..Observed::default()
        };
        let guard = NoDebianCluster {
            ports: vec![5432, 5433],
        };
        let line = "17 main 5432 down manual /var/lib/postgresql/17/main\n";
        assert_eq!(
            refused(&guard.diff(&seen(line))),
            Some(
                "there is a PostgreSQL cluster of Debian's that is not ours: `17/main`, port 5432, down, started at boot: manual, data in /var/lib/postgresql/17/main"
            )
        );
        let other = guard.diff(&seen("15 main 5439 online auto /data/15\n"));
        assert_eq!(refused(&other), None);
        assert_eq!(refused(&guard.diff(&seen("\n"))), None);
        let unknown = guard.diff(&seen("15 main what? online auto /data/15\n"));
        assert!(refused(&unknown).is_some());
    }

    #[test]
    fn a_real_shell_finds_what_is_not_ours() {
        let dir = tempfile::tempdir().expect("a directory");
        let write =
            |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        let path = |name: &str| dir.path().join(name).display().to_string();
        let guard = NoForeignConf {
            paths: vec![path("*.cfg")],
            entries: "^(frontend|listen|backend)".to_owned(),
            what: "x".to_owned(),
            hint: "y".to_owned(),
            unless: "/etc/ours".to_owned(),
        };
        let look = || {
            let Probe::Script { name, text } = guard.probes().remove(0) else {
                panic!("a script");
            };
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(text)
                .output();
            let said = String::from_utf8(output.expect("a shell").stdout).expect("text");
            Observed {
                scripts: [(name, said)].into(),
                ..Observed::default()
            }
        };
        write("a.cfg", "# Managed by citusctl: changes\nlisten x\n");
        write("b.cfg", "global\n  log x\n");
        assert_eq!(refused(&guard.diff(&look())), None);
        write("c d.cfg", "global\nlisten mine\n");
        let wanted = format!("`{}` is not ours: x", path("c d.cfg"));
        assert_eq!(refused(&guard.diff(&look())), Some(wanted.as_str()));
        let mut ours = look();
        let file = PathState {
            kind: PathKind::Directory,
            mode: "755".to_owned(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            size: 0,
            changed: None,
        };
        ours.paths.insert("/etc/ours".to_owned(), file);
        assert_eq!(refused(&guard.diff(&ours)), None);
        let mut seen = look();
        seen.manifest = vec![format!("haproxy/x {}", path("c d.cfg"))];
        assert_eq!(refused(&guard.diff(&seen)), None);
    }
}
