//! Shell text as values: quoting, whole programs, framed output. Runs nothing.
//!
//! What reaches a host is always one POSIX shell program on standard input. It is wrapped in a function, so
//! that a program that arrived only in part never runs, and its answers are framed by a nonce, so that no
//! output can be taken for an answer.

mod frame;
mod ours;
mod own_schema;
mod psql;
mod quote;

pub use frame::{Frame, FrameLine, Sections};
pub use ours::{OURS, OURS_OPTION, ours_before, ours_or_stop};
pub use own_schema::{grantees, own_schema, own_schema_only};
pub use psql::{LOCAL_PINS, Psql, SEARCH_PATH, connection, script_options, session_options};
pub use quote::{as_user, given, quote};

use crate::secret::Secret;

/// Wraps shell text so that nothing runs before all of it has arrived, and nothing in it reads our stdin. It runs in `/`, where
/// every account may be: psql before 16 complains of a directory that it may not enter, between its answers.
pub fn whole_program(body: &str) -> Secret {
    wrapped(body, "citusctl_main </dev/null")
}

/// The same for text that goes on listening to our stdin; it must end by `exit`.
pub fn listening_program(body: &str) -> Secret {
    wrapped(body, "citusctl_main")
}

fn wrapped(body: &str, call: &str) -> Secret {
    Secret::new(format!(
        "LC_ALL=C; export LC_ALL; umask 022\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH\n\
         cd /\ncitusctl_main() {{\n{body}\n:\n}}\n{call}\n"
    ))
}
