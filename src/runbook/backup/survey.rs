//! One look at the members of groups and at repository hosts, before anything is planned.

use super::kept::{KeptData, Position, RestoreNote, read_kept};
use super::majority::EtcdHere;
use super::{RestorePoint, Segments, Timelines};
use crate::command::{Frame, Sections, quote, whole_program};
use crate::fact::{
    InDoubt, RepositorySeen, StanzaSeen, in_doubt_query, read_in_doubt, read_repository,
    repository_question,
};
use crate::inventory::param;
use crate::model::backup::stanza;
use crate::model::pg::bin_dir;
use crate::model::{Group, Host, Model};
use crate::names::HostName;
use crate::runbook::{Refusal, host_functions};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// Where hosts keep the points that were made, one a line.
pub(super) const POINTS: &str = "/var/lib/citusctl/points";

const LOOK: &str = include_str!("scripts/look.sh");
const SEGMENTS: &str = concat!(
    include_str!("scripts/segments.sh"),
    include_str!("scripts/manifests.sh")
);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct BackupLook {
    pub hosts: BTreeMap<HostName, MemberLook>,
    /// Hosts that did not answer, and why.
    pub unreachable: BTreeMap<HostName, String>,
    /// Points that this computer remembers.
    pub here: Vec<RestorePoint>,
}

/// One host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberLook {
    /// Its server takes writes.
    pub leads: bool,
    /// Whether its server answers.
    pub up: bool,
    pub repository: Option<RepositorySeen>,
    pub points: Vec<RestorePoint>,
    /// Whether PostgreSQL and pgBackRest are set up.
    pub prepared: bool,
    /// KB that are free beside its data.
    pub free: Option<u64>,
    /// What is in the way of a restore in place: a log or tablespaces elsewhere.
    pub elsewhere: Vec<String>,
    /// The timelines that its data has gone through.
    pub timelines: Option<Timelines>,
    /// The segments of the log that its repository holds; asked where the repository is.
    pub segments: Option<Segments>,
    /// Its data directory, and data that restores put aside.
    pub kept: Vec<KeptData>,
    /// What restores have noted here.
    pub notes: Vec<RestoreNote>,
    /// Where its log is, and its next transaction, where it takes writes.
    pub now: Option<Position>,
    /// Transactions that were prepared and are not decided, where it takes writes.
    pub in_doubt: Vec<InDoubt>,
    /// Members that Patroni has here and the inventory does not name.
    pub unnamed: Option<String>,
    /// The open restore that it is part of.
    pub open: Option<String>,
    /// Its member of etcd; `None` where it has none, or does not say.
    pub etcd: Option<EtcdHere>,
}

impl MemberLook {
    /// Whether its data directory holds no database.
    pub fn is_empty(&self) -> bool {
        matches!(&self.repository, Some(RepositorySeen::Known(seen)) if seen.server.is_empty())
    }
}

/// A group as it can be backed up.
#[derive(Clone, Debug)]
pub struct GroupLook<'a> {
    pub group: &'a Group,
    pub leader: HostName,
    pub stanza: StanzaSeen,
}

/// The program for a host. `sizes`: whether old data is measured, which takes its time.
pub fn look_program(frame: &Frame, model: &Model, host: &Host, sizes: bool) -> Secret {
    let functions = host_functions(model, host);
    let kept = host
        .pg
        .as_ref()
        .map(|member| stanza(&member.cluster))
        .unwrap_or_default();
    let question = match &host.pg {
        Some(member) => {
            let typed = host.typed();
            let version = model
                .formation(&member.formation)
                .map_or(0, |it| it.version);
            repository_question(
                &typed.get(param::PG_DBSU),
                &bin_dir(&typed, version),
                &typed.get(param::PG_DATA),
                &kept,
            )
        }
        None => String::new(),
    };
    let members = host.pg.as_ref().map(|member| {
        let group = model.group(&member.cluster);
        group.map_or_else(String::new, |(_, group)| names(group))
    });
    let members = members.unwrap_or_default();
    let text = format!(
        "{}{}POINTS={POINTS}\nMEMBERS={}\nSTANZA={}\nSIZES={}\nIN_DOUBT={}\nrepository() {{ {question}:\n}}\n{SEGMENTS}{LOOK}",
        frame.define_mark(),
        functions.expose(),
        quote(&members),
        quote(&kept),
        if sizes { "yes" } else { "" },
        quote(&in_doubt_query(0)),
    );
    whole_program(&text)
}

/// The members of a group with blanks between them.
pub(super) fn names(group: &Group) -> String {
    let names: Vec<&str> = group.members.iter().map(|it| it.name.as_str()).collect();
    names.join(" ")
}

/// Reads its answer; `None`: it is not whole.
pub fn read_look(frame: &Frame, output: &str) -> Option<MemberLook> {
    let sections = frame.sections(output);
    sections.get("end")?;
    let points = sections.get("points").unwrap_or_default();
    let lines = |name: &str| -> Vec<String> {
        let text = sections.get(name).unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let recovery = sections
        .get("recovery")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let mut repository = sections.get("repository").and_then(read_repository);
    if let (Some(RepositorySeen::Known(seen)), Some(text)) =
        (&mut repository, sections.get("manifests"))
    {
        seen.note_manifests(text);
    }
    Some(MemberLook {
        leads: recovery == "f",
        up: matches!(recovery.as_str(), "f" | "t"),
        repository,
        points: points.lines().filter_map(RestorePoint::read).collect(),
        prepared: !lines("prepared").is_empty(),
        free: number(&sections, "free"),
        elsewhere: lines("elsewhere"),
        timelines: sections.get("timelines").and_then(Timelines::read),
        segments: sections.get("segments").and_then(Segments::read),
        kept: read_kept(&lines("aside")),
        notes: lines("restores")
            .iter()
            .filter_map(|line| RestoreNote::read(line))
            .collect(),
        now: lines("now").first().and_then(|line| Position::read(line)),
        in_doubt: read_in_doubt(sections.get("in-doubt").unwrap_or_default()),
        unnamed: lines("unnamed").into_iter().next(),
        open: lines("open").into_iter().next(),
        etcd: lines("etcd").first().and_then(|line| EtcdHere::read(line)),
    })
}

fn number(sections: &Sections, name: &str) -> Option<u64> {
    sections.get(name)?.split_whitespace().next()?.parse().ok()
}

impl BackupLook {
    /// Who leads a group, and what its repository holds, or why that is not known.
    pub fn group<'a>(&self, group: &'a Group) -> Result<GroupLook<'a>, Refusal> {
        let cluster = &group.cluster;
        let members = group.members.iter().map(|member| &member.host);
        let leading: Vec<&HostName> = members
            .filter(|host| self.hosts.get(*host).is_some_and(|seen| seen.leads))
            .collect();
        let leader = match leading.as_slice() {
            [one] => (*one).clone(),
            [] => {
                let away = group.members.iter().filter_map(|member| {
                    let why = self.unreachable.get(&member.host)?;
                    Some(format!("; {}: {why}", member.host))
                });
                return Err(Refusal::new(
                    format!(
                        "{cluster}: no member that takes writes was found{}",
                        away.collect::<String>()
                    ),
                    "`citusctl status` says how the group is",
                ));
            }
            several => {
                let hosts: Vec<&str> = several.iter().map(|host| host.as_str()).collect();
                return Err(Refusal::new(
                    format!(
                        "{cluster}: several members take writes: {}",
                        hosts.join(", ")
                    ),
                    "`citusctl status` says how the group is",
                ));
            }
        };
        let stanza = self.stanza(group, &leader)?;
        Ok(GroupLook {
            group,
            leader,
            stanza,
        })
    }

    /// What the repository of a group holds, as its leader reads it, else any member that can; also where nobody leads.
    pub fn reading(&self, group: &Group) -> Result<(&MemberLook, &StanzaSeen), String> {
        let members = group.members.iter();
        let mut looks: Vec<&MemberLook> = members
            .filter_map(|member| self.hosts.get(&member.host))
            .collect();
        looks.sort_by_key(|seen| (!seen.leads, !seen.is_chosen(), seen.up));
        let mut why = format!("{}: no member of it answers", group.cluster);
        for look in looks {
            match &look.repository {
                Some(RepositorySeen::Known(seen)) if seen.exists => return Ok((look, seen)),
                Some(RepositorySeen::Known(_)) => {
                    why = format!("{}: its repository does not know it yet", group.cluster);
                }
                Some(RepositorySeen::NotInstalled) => {
                    why = format!(
                        "{}: what its repository holds was not read, since pgBackRest is not set up on a member (`citusctl restore --latest` sets it up and asks)",
                        group.cluster
                    );
                }
                Some(RepositorySeen::Unknown(said)) => {
                    why = format!("{}: its repository cannot be read: {said}", group.cluster);
                }
                None => {}
            }
        }
        Err(why)
    }

    /// What the repository of a group holds, as a host of it reads it.
    pub fn stanza(&self, group: &Group, host: &HostName) -> Result<StanzaSeen, Refusal> {
        let cluster = &group.cluster;
        let again =
            "`citusctl status` says more; pgBackRest's own words are in `pgbackrest_log_dir` there";
        let seen = self
            .hosts
            .get(host)
            .and_then(|seen| seen.repository.clone());
        match seen {
            Some(RepositorySeen::Known(seen))
                if seen.exists && seen.system.as_ref() == Some(&seen.server) =>
            {
                Ok(*seen)
            }
            Some(RepositorySeen::Known(seen)) if seen.exists && seen.server.is_empty() => {
                Err(Refusal::new(
                    format!(
                        "{cluster}: {host} has no data: whether its stanza is of this database is not known"
                    ),
                    again,
                ))
            }
            Some(RepositorySeen::Known(seen)) if seen.exists => Err(Refusal::new(
                format!("{cluster}: its stanza is of another database"),
                again,
            )),
            Some(RepositorySeen::NotInstalled) => Err(Refusal::new(
                format!(
                    "{cluster}: pgBackRest is not set up on {host}: what its repository holds was not read"
                ),
                "`citusctl apply` sets it up",
            )),
            Some(RepositorySeen::Known(_)) => Err(Refusal::new(
                format!("{cluster}: its repository does not know it yet"),
                "`citusctl apply` creates the stanza",
            )),
            Some(RepositorySeen::Unknown(why)) => Err(Refusal::new(
                format!("{cluster}: its repository cannot be read from {host}: {why}"),
                again,
            )),
            None => Err(Refusal::new(
                format!("{cluster}: {host} does not say what its repository holds"),
                again,
            )),
        }
    }

    /// The same for a host in the middle of a restore, or without any data: the point says of which database it is.
    pub fn opened(&self, group: &Group, host: &HostName) -> Result<StanzaSeen, Refusal> {
        match self
            .hosts
            .get(host)
            .and_then(|seen| seen.repository.clone())
        {
            Some(RepositorySeen::Known(seen)) if seen.exists => Ok(*seen),
            Some(
                RepositorySeen::Known(_)
                | RepositorySeen::NotInstalled
                | RepositorySeen::Unknown(_),
            )
            | None => self.stanza(group, host),
        }
    }

    /// All points that any host remembers, the oldest first.
    pub fn points(&self) -> Vec<&RestorePoint> {
        let all = self.hosts.values().flat_map(|seen| &seen.points);
        let all = all.chain(&self.here);
        let mut by_name: BTreeMap<&str, &RestorePoint> = BTreeMap::new();
        for point in all {
            by_name.insert(&point.name, point);
        }
        let mut points: Vec<&RestorePoint> = by_name.into_values().collect();
        points.sort_by_key(|point| point.at);
        points
    }
}
