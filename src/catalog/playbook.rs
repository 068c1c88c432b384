//! `playbooks/NAME.yml`: which roles on which hosts, in which stages.

use super::layer::Asset;
use super::read;
use crate::names::{RoleName, StageName};
use crate::source::{Diagnostic, Node, Sources, Span, yaml};

/// A playbook.
#[derive(Clone, Debug)]
pub struct Playbook {
    pub name: String,
    pub stages: Vec<StageDecl>,
}

/// Steps between two barriers.
#[derive(Clone, Debug)]
pub struct StageDecl {
    pub name: StageName,
    pub hosts: HostSet,
    pub roles: Vec<(RoleName, Span)>,
    pub rollout: Rollout,
    pub gate: Option<Gate>,
    /// What the stage takes out; its roles say whose units, files and packages go.
    pub remove: Option<Removal>,
}

impl Playbook {
    /// What this playbook takes out, and the roles that go, in order. `None`: it builds.
    pub fn removal(&self) -> Option<(Removal, Vec<RoleName>)> {
        let stage = self.stages.iter().find(|stage| stage.remove.is_some())?;
        let roles = stage.roles.iter().map(|(role, _)| role.clone());
        Some((stage.remove?, roles.collect()))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All words, as playbooks write them.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// Which hosts a stage is for. Who bootstraps is decided by the model, not by the playbook.
    HostSet {
        All = "all",
        Etcd = "etcd",
        Pgsql = "pgsql",
        /// The inventory's primary of group 0, or of a plain cluster.
        BootstrapFirst = "bootstrap_first",
        /// The inventory's primaries of worker groups.
        BootstrapWorkers = "bootstrap_workers",
        /// All other members.
        Replicas = "replicas",
        Haproxy = "haproxy",
        /// Not a host: each PostgreSQL group, through whoever leads it at that moment.
        Groups = "groups",
        /// One etcd member, for what needs doing once.
        EtcdFirst = "etcd_first",
    }
}

words! {
    /// How many hosts of a stage act at once.
    Rollout {
        Together = "together",
        /// Hosts whose running services restart go one by one, each waiting for the gate.
        Rolling = "rolling",
    }
}

words! {
    /// What must hold before the next stage, or before the next host of a rolling one.
    Gate {
        EtcdHealthy = "etcd_healthy",
        Leader = "leader",
        Streaming = "streaming",
        /// Citus's metadata name the leader of every group.
        Registered = "registered",
        Haproxy = "haproxy",
        /// PgBouncer runs, and takes connections.
        Pgbouncer = "pgbouncer",
        /// Every shared address has one holder.
        Addresses = "addresses",
    }
}

words! {
    /// What a playbook takes out of hosts, instead of building it.
    Removal {
        /// Members of Patroni clusters.
        Pgsql = "pgsql",
        /// Members of etcd.
        Etcd = "etcd",
        /// What is left of a host.
        Node = "node",
    }
}

/// Reads a playbook.
pub fn parse(
    sources: &mut Sources,
    path: &str,
    name: &str,
    asset: &Asset,
) -> Result<Playbook, Vec<Diagnostic>> {
    let id = read::add(sources, path, asset);
    let root = yaml::parse(sources, id)?;
    let items = root.as_ref().and_then(Node::items).unwrap_or_default();
    let mut stages = Vec::new();
    let mut problems = Vec::new();
    if items.is_empty() {
        problems.push(no_stages(name, root.as_ref()));
    }
    for item in items {
        problems.extend(read::unknown_keys(item, CODE, "a stage", &KEYS));
        match stage(item) {
            Ok(stage) => stages.push(stage),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() {
        Ok(Playbook {
            name: name.to_owned(),
            stages,
        })
    } else {
        Err(problems)
    }
}

/// The code of all problems in playbooks.
const CODE: &str = "bad-stage";

/// The keys of a stage.
const KEYS: [&str; 6] = ["stage", "hosts", "roles", "rollout", "gate", "remove"];

fn no_stages(name: &str, root: Option<&Node>) -> Diagnostic {
    let problem = Diagnostic::error(
        CODE,
        format!("the playbook `{name}` is not a list of stages"),
    );
    let problem = problem.help(SHAPE);
    match root {
        Some(root) => problem.at(root.span, "here"),
        None => problem,
    }
}

fn stage(item: &Node) -> Result<StageDecl, Box<Diagnostic>> {
    let roles = read::texts(item, CODE, "roles")?;
    Ok(StageDecl {
        name: StageName::new(required(item, "stage")?.0),
        hosts: word(item, "hosts", HostSet::from_word, HostSet::WORDS)?
            .ok_or_else(|| missing(item, "hosts"))?,
        roles: roles
            .iter()
            .map(|(role, node)| (RoleName::new(*role), node.span))
            .collect(),
        rollout: word(item, "rollout", Rollout::from_word, Rollout::WORDS)?
            .unwrap_or(Rollout::Together),
        gate: word(item, "gate", Gate::from_word, Gate::WORDS)?,
        remove: word(item, "remove", Removal::from_word, Removal::WORDS)?,
    })
}

/// What a stage looks like.
const SHAPE: &str =
    "a stage is `- { stage: NAME, hosts: SET, roles: [ROLE], rollout: rolling, gate: NAME }`";

fn missing(item: &Node, key: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(CODE, format!("this stage has no `{key}`"))
            .at(item.span, "here")
            .help(SHAPE),
    )
}

fn required<'a>(item: &'a Node, key: &str) -> Result<(&'a str, Span), Box<Diagnostic>> {
    let node = item
        .get(key)
        .and_then(|node| Some((node.as_str()?, node.span)));
    node.ok_or_else(|| missing(item, key))
}

fn word<T>(
    item: &Node,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<Option<T>, Box<Diagnostic>> {
    let Some(node) = item.get(key) else {
        return Ok(None);
    };
    let found = node.as_str().and_then(parse);
    found.map(Some).ok_or_else(|| {
        Box::new(
            Diagnostic::error(CODE, format!("`{key}` has a value that is not known"))
                .at(node.span, "here")
                .help(format!("it is one of {}", words.join(", "))),
        )
    })
}
