//! One insert every 10 ms, through HAProxy, as an application that reconnects would do it.

use super::connect;
use crate::command::own_schema;
use crate::engine::fleet::chain;
use crate::engine::verify::Login;
use crate::engine::verify::client::{Client, ClientError};
use crate::event::drill::Millis;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

const EVERY: Duration = Duration::from_millis(10);

/// How long a writer waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, until it is logged in.
    pub login: Duration,
    /// For a write. One that takes longer is given up; whether it was done is then unknown, and it counts as not
    /// acknowledged.
    pub write: Duration,
}

impl Patience {
    /// Of an application that has other hosts to try: what is lost answers nobody.
    pub const SHORT: Self = Self {
        login: Duration::from_millis(700),
        write: Duration::from_secs(5),
    };
    /// Of an ordinary application, before which a healthy leader hands over.
    pub const ORDINARY: Self = Self {
        login: Duration::from_secs(10),
        write: Duration::from_secs(10),
    };
}

/// Where PostgreSQL or a service of HAProxy listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    pub address: String,
    pub port: u16,
}

/// What was written so far.
#[derive(Debug, Default)]
pub struct WriteLog {
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    acknowledged: Vec<(u64, Millis)>,
    errors: BTreeMap<String, usize>,
}

impl WriteLog {
    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When writes were acknowledged.
    pub fn moments(&self) -> Vec<Millis> {
        self.lock().acknowledged.iter().map(|(_, at)| *at).collect()
    }

    /// How many were acknowledged since then.
    pub fn since(&self, at: Millis) -> usize {
        let log = self.lock();
        log.acknowledged
            .iter()
            .rev()
            .take_while(|(_, when)| *when >= at)
            .count()
    }

    /// The first one acknowledged since then.
    pub fn first_since(&self, at: Millis) -> Option<Millis> {
        let log = self.lock();
        let mut moments = log.acknowledged.iter().map(|(_, when)| *when);
        moments.find(|when| *when > at)
    }

    /// How many rows of `had` were acknowledged and are not `there`, and how many acknowledged before `until` were
    /// not in `had`.
    pub fn compare(
        &self,
        had: &BTreeSet<u64>,
        there: &BTreeSet<u64>,
        until: Millis,
    ) -> (usize, usize) {
        let log = self.lock();
        let lost = |(id, _): &&(u64, Millis)| had.contains(id) && !there.contains(id);
        let gone =
            |(id, at): &&(u64, Millis)| *at < until && !had.contains(id) && !there.contains(id);
        let count = |which: &dyn Fn(&&(u64, Millis)) -> bool| {
            log.acknowledged.iter().filter(|row| which(row)).count()
        };
        (count(&lost), count(&gone))
    }

    /// What writes were refused with, and how often.
    pub fn errors(&self) -> BTreeMap<String, usize> {
        self.lock().errors.clone()
    }

    /// Acknowledged rows that are not among these.
    pub fn missing(&self, there: &BTreeSet<u64>) -> usize {
        let log = self.lock();
        log.acknowledged
            .iter()
            .filter(|(id, _)| !there.contains(id))
            .count()
    }
}

/// The table of a drill.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its schema, which comes and goes with it: in one of somebody else's another table could take its place.
    pub schema: String,
    pub distributed: bool,
}

/// One who writes.
#[derive(Clone, Debug)]
pub struct Load {
    pub table: Table,
    /// Tried one after the other.
    pub doors: Vec<ListenAddress>,
    pub login: Login,
    pub patience: Patience,
    /// Its rows are numbered from here, so that two loads share a table.
    pub first: u64,
    pub started: Instant,
    pub written: Arc<WriteLog>,
}

impl Load {
    /// Writes until told to stop.
    pub async fn write(self, stop: watch::Receiver<bool>) {
        let mut client: Option<Client> = None;
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut id, mut door) = (self.first, 0usize);
        while !*stop.borrow() {
            ticks.tick().await;
            let Some(next) = self.doors.get(door % self.doors.len().max(1)) else {
                return;
            };
            let Some(open) = client.take() else {
                client = self.knock(next).await;
                door += usize::from(client.is_none());
                continue;
            };
            match self.insert(&open, id).await {
                true => client = Some(open),
                false => door += 1,
            }
            id += 1;
        }
    }

    async fn knock(&self, door: &ListenAddress) -> Option<Client> {
        let answer = connect(door, &self.login, self.patience.login).await;
        let note = |error: ClientError| self.refused(chain(&error));
        answer.map_err(note).ok()
    }

    /// Whether the row was acknowledged.
    async fn insert(&self, client: &Client, id: u64) -> bool {
        let sql = format!("INSERT INTO {} VALUES ({id})", self.table.name());
        let limit = self.patience.write;
        let answer = timeout(limit, client.row(&sql)).await;
        let answer = answer.map_err(|_| ClientError::Timeout(limit)).flatten();
        match answer {
            Ok(_) => {
                let at = self.now();
                self.written.lock().acknowledged.push((id, at));
                true
            }
            Err(error) => {
                self.refused(chain(&error));
                false
            }
        }
    }

    fn now(&self) -> Millis {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn refused(&self, words: String) {
        *self.written.lock().errors.entry(words).or_default() += 1;
    }
}

impl Table {
    /// The table, with its schema.
    pub fn name(&self) -> String {
        format!("{}.rows", self.schema)
    }

    /// Makes it, through the first door that serves.
    ///
    /// # Errors
    /// The last door's words.
    pub async fn make(&self, doors: &[ListenAddress], login: &Login) -> Result<(), String> {
        let mut sql = format!(
            "{}; CREATE TABLE {} (id bigint PRIMARY KEY)",
            own_schema(&self.schema),
            self.name()
        );
        if self.distributed {
            sql.push_str(&format!(
                "; SELECT create_distributed_table('{}', 'id')",
                self.name()
            ));
        }
        ask(doors, login, &sql).await.map(drop)
    }

    /// Makes it, writes to it once, and drops it.
    ///
    /// # Errors
    /// The last door's words.
    pub async fn fill(&self, doors: &[ListenAddress], login: &Login) -> Result<(), String> {
        self.make(doors, login).await?;
        let sql = format!("INSERT INTO {} SELECT generate_series(1, 100)", self.name());
        ask(doors, login, &sql).await?;
        self.remove(doors, login).await
    }

    /// The rows that are there.
    ///
    /// # Errors
    /// The last door's words.
    pub async fn rows(
        &self,
        doors: &[ListenAddress],
        login: &Login,
    ) -> Result<BTreeSet<u64>, String> {
        let sql = format!(
            "SELECT coalesce(string_agg(id::text, ','), '') FROM {}",
            self.name()
        );
        let row = ask(doors, login, &sql).await?;
        let text = row.first().map(String::as_str).unwrap_or_default();
        Ok(text.split(',').filter_map(|id| id.parse().ok()).collect())
    }

    /// Drops it.
    ///
    /// # Errors
    /// The last door's words.
    pub async fn remove(&self, doors: &[ListenAddress], login: &Login) -> Result<(), String> {
        let sql = format!("DROP TABLE {}; DROP SCHEMA {}", self.name(), self.schema);
        ask(doors, login, &sql).await.map(drop)
    }

    /// What `citus` is here, in the server's words.
    pub async fn citus(doors: &[ListenAddress], login: &Login) -> String {
        let sql = "SELECT extversion FROM pg_extension WHERE extname = 'citus'";
        match ask(doors, login, sql).await.as_deref() {
            Ok([version, ..]) if version.contains("standin") => "a STAND-IN for Citus".to_owned(),
            Ok([version, ..]) => format!("Citus {version}"),
            Ok([]) | Err(_) => "no Citus".to_owned(),
        }
    }
}

async fn ask(doors: &[ListenAddress], login: &Login, sql: &str) -> Result<Vec<String>, String> {
    let mut why = "no service of HAProxy leads to the group's leader".to_owned();
    for door in doors {
        let answer = match connect(door, login, Duration::from_secs(3)).await {
            Ok(client) => client.row(sql).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(row) => return Ok(row),
            Err(error) => why = format!("{}:{}: {}", door.address, door.port, chain(&error)),
        }
    }
    Err(why)
}
