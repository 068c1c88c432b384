//! A database: what it is (owner, limits, parameters, who may connect) and what is inside of it.

mod content;
mod extension;
mod making;
mod record;
mod settings;
mod superuser;
#[cfg(test)]
mod tests;

use super::live::{self, Live, LiveContent, LiveDatabase};
use super::settings::Difference;
use super::{GroupChange, GroupKind, GroupVerdict, Operation, PgAccess, sql};
use crate::fact::{GroupSeen, Probe};
use crate::model::objects::{Database, Settings};
use crate::resource::{Action, Impact, Step};
use serde::Deserialize;

/// `db_database: {database}`, a [`Database`] as the model reads it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DbDatabase {
    pub database: Database,
    /// One that was there once and is gone may be made again, empty.
    #[serde(default)]
    pub recreate: bool,
}

/// A reason to refuse, and the way out.
type Refusal = (String, String);

impl GroupKind for DbDatabase {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let mut probes = vec![live::objects(access)];
        if !self.database.absent {
            probes.push(live::content(access, &self.database.name));
        }
        probes
    }

    fn diff(&self, access: &PgAccess, seen: &GroupSeen) -> GroupVerdict {
        let live = match live::read(seen) {
            Ok(live) => live,
            Err(verdict) => return verdict,
        };
        if self.database.absent {
            return self.leaving(access, &live);
        }
        match self.present(access, &live, seen) {
            Ok(None) => GroupVerdict::Same("it is as wanted".to_owned()),
            Ok(Some(change)) => GroupVerdict::Differs(Box::new(change)),
            Err((reason, hint)) => GroupVerdict::Refused { reason, hint },
        }
    }
}

/// All that differs, by where it is mended.
#[derive(Default)]
struct Found {
    /// In the database itself.
    inside: Vec<Difference>,
    /// Of the database, before its content.
    before: Vec<Difference>,
    /// Of the database, after its content, which they might lock out.
    after: Vec<Difference>,
}

impl DbDatabase {
    fn present(
        &self,
        access: &PgAccess,
        live: &Live,
        seen: &GroupSeen,
    ) -> Result<Option<GroupChange>, Refusal> {
        let wanted = &self.database;
        let there = live.databases.get(&wanted.name);
        let inside = live::read_content(seen, &wanted.name);
        let mut found = Found::default();
        if let Some(settings) = &wanted.settings {
            if let Some(there) = there {
                settings::fixed(&wanted.name, settings, there)?;
            }
            let (before, after) = settings::differences(wanted, settings, there, &live.units);
            (found.before, found.after) = (before, after);
            match there {
                None if record::holds(live, &wanted.name) && !self.recreate => {
                    return Err(record::lost(&wanted.name));
                }
                None => {}
                Some(_) => found.before.extend(record::difference(live, &wanted.name)),
            }
        } else if there.is_none() {
            return Err((
                format!("there is no database {}", wanted.name),
                "PostgreSQL makes it with the cluster: make it again, or ask why it was dropped"
                    .to_owned(),
            ));
        }
        let kept = superuser::difference(&wanted.name, access, there);
        found.before.extend(kept);
        let opened = self.opened(there, inside);
        if let Some(inside) = &opened {
            let available = live::available(seen, &wanted.name);
            content::refusals(wanted, inside, available.as_ref())?;
            found.inside = content::differences(wanted, inside);
        }
        let baseline = self.baseline(access, there);
        if there.is_some() && found.is_empty() && baseline.is_none() {
            return Ok(None);
        }
        let mut change = self.change(access, there.is_none(), found, baseline);
        if there.is_none() && record::holds(live, &wanted.name) {
            change.cause = Some("it was there and is gone: it is created again, empty".to_owned());
        }
        Ok(Some(change))
    }

    /// What is inside, as far as it can be known: of a database that is not there yet, or that lets nobody in, nothing is
    /// known, and everything is made so. One that lets nobody in and is to stay so is not looked into.
    fn opened(
        &self,
        there: Option<&LiveDatabase>,
        inside: Option<LiveContent>,
    ) -> Option<LiveContent> {
        let closed = there.is_some_and(|there| !there.allowconn);
        let settings = self.database.settings.as_ref();
        let stays = settings.is_none_or(|settings| !settings.allowconn);
        match (inside, closed && stays) {
            (Some(inside), _) => Some(inside),
            (None, true) => None,
            (None, false) => Some(LiveContent::default()),
        }
    }

    fn change(
        &self,
        access: &PgAccess,
        make: bool,
        found: Found,
        baseline: Option<String>,
    ) -> GroupChange {
        let name = &self.database.name;
        let mut words: Vec<String> = found.all().map(|found| found.what.clone()).collect();
        words.dedup();
        words.extend(baseline.is_some().then(|| "baseline".to_owned()));
        let details = match make {
            false => found.all().map(|found| found.detail.clone()).collect(),
            true => Vec::new(),
        };
        let script = making::script(&self.database, access, make, &found, baseline);
        GroupChange {
            action: if make { Action::Create } else { Action::Update },
            summary: summary(name, &words),
            impact: Impact::None,
            cause: None,
            details,
            operations: vec![Operation::OnLeader(Step::new(
                format!("database {name}"),
                script,
            ))],
        }
    }

    /// SQL that is still to be run once: in a database that is to be made, or whose making was interrupted. The database
    /// of Citus is made by Patroni, so there it has to be run as long as nothing says that it was.
    fn baseline(&self, access: &PgAccess, there: Option<&LiveDatabase>) -> Option<String> {
        let baseline = self.database.settings.as_ref()?.baseline.as_ref()?;
        let mark = there.and_then(|there| live::setting(there.settings.as_deref(), making::MARK));
        let patronis = access.citus_db.as_deref() == Some(self.database.name.as_str());
        let due = match (there, mark) {
            (None, _) | (Some(_), Some(making::PENDING)) => true,
            (Some(_), None) => patronis,
            (Some(_), Some(_)) => false,
        };
        due.then(|| baseline.sql.clone())
    }

    fn leaving(&self, access: &PgAccess, live: &Live) -> GroupVerdict {
        let name = &self.database.name;
        let Some(there) = live.databases.get(name) else {
            return GroupVerdict::Same("it is not there".to_owned());
        };
        GroupVerdict::Differs(Box::new(GroupChange {
            action: Action::Remove,
            summary: format!("database {name}, with all that it holds"),
            impact: Impact::Destroys,
            cause: None,
            details: vec![format!("owner: {}", there.owner)],
            operations: vec![Operation::OnLeader(Step::new(
                format!("drop database {name}"),
                making::drop(name, access),
            ))],
        }))
    }
}

impl Found {
    fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &Difference> {
        self.before.iter().chain(&self.inside).chain(&self.after)
    }
}

/// The name and what differs; long lists are cut.
fn summary(name: &str, words: &[String]) -> String {
    const SHOWN: usize = 4;
    if words.is_empty() {
        return format!("database {name}");
    }
    let mut text = words[..words.len().min(SHOWN)].join(", ");
    if words.len() > SHOWN {
        text.push_str(&format!(" and {} more", words.len() - SHOWN));
    }
    format!("database {name} ({text})")
}

/// What a database that does not say so has.
fn sql_name(name: &str) -> String {
    sql::name(name)
}

/// Settings of a database, if it has any.
fn owner_of(settings: &Settings) -> Option<&str> {
    settings.owner.as_deref()
}
