//! Looking at a host: which questions to ask, how to ask them all in one program, and what the answers mean.
//!
//! A probe is a value. All probes of a host become one shell program with a few processes in all, whatever
//! their number; the answers become an [`Observed`], which is never changed afterwards.

mod backup;
mod copy;
mod following;
mod group;
mod in_doubt;
mod in_force;
mod kept;
mod listeners;
mod observed;
mod open_restore;
mod parse;
mod postgres;
mod powers;
mod probe;
mod program;
mod sql_program;
mod startable;
mod traits;
mod whose;

pub use backup::{
    ARCHIVER_QUERY, Archiver, BackupSet, RepositorySeen, StanzaSeen, lsn, read_repository,
    repository_question,
};
pub use copy::{DataCopy, Relation};
pub use following::{Answers, Ill, LOG_SAYS, MemberVerdict, following, leading};
pub use group::{GroupSeen, Homes, MemberSeen, taken};
pub use in_doubt::{InDoubt, in_doubt_query, read_in_doubt};
pub use in_force::{
    InForce, OF_PATRONI, addresses_of, altered_words, in_force_program, read_files_at,
    read_in_force, rule_of,
};
pub use kept::{KeptData, KeptFiles};
pub use listeners::{PROGRAM as LISTENERS, read as read_listeners};
pub use observed::{
    CHANGED_SINCE, Listener, Observed, PathKind, PathState, Stamp, UnitState, UserState,
};
pub use open_restore::OpenRestore;
pub use parse::{ParseError, addresses, parse};
pub use postgres::{PostgresSeen, Receiver, Sender, Timeline, postgres_question, read_postgres};
pub use powers::{
    DeclaredObjects, Judged, Powers, is_altered, is_weak_setting, judge, powers_query,
    powers_question, read_powers, server_words,
};
pub use probe::{Probe, SqlSession};
pub use program::{SUMS, fetch_program, observe_program, parse_contents, sum_pattern};
pub use sql_program::NOT_OURS;
pub use startable::START_FUNCTIONS;
pub use traits::Traits;
pub use whose::{Whose, whose};
