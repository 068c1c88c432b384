//! Descriptors: each host costs one for as long as a run lasts, and a few more while it is entered.

use crate::app::failure::{Failure, code};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are no connection: files, the journal, children that are asked, the runtime's own.
const OTHERS: u64 = 256;

/// Raises the limit as far as the system lets us, and refuses more hosts than there is room for.
///
/// # Errors
/// Too many hosts for the limit.
pub(super) fn room_for(hosts: usize) -> Result<(), Failure> {
    let wanted = u64::try_from(hosts)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    match enough(wanted, raised()) {
        None => Ok(()),
        Some(limit) => Err(Failure::new(
            code::REFUSED,
            format!("{hosts} hosts need {wanted} open files at once, and this process may have {limit}; nothing was changed"),
        )
        .hint("raise it (`ulimit -Hn`, `LimitNOFILE=`), or take fewer hosts at once with `-l`")),
    }
}

/// The limit, if it is not enough. `None` as a limit is none.
fn enough(wanted: u64, limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| *limit < wanted)
}

/// The soft limit, after it was raised to the hard one.
fn raised() -> Option<u64> {
    let found = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => found.maximum,
        Err(_) => found.current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_and_too_many_hosts_are_refused() {
        assert!(room_for(3).is_ok());
        let now = getrlimit(Resource::Nofile);
        assert_eq!(now.current, now.maximum);
        assert_eq!(enough(1256, Some(1024)), Some(1024));
        assert_eq!(enough(1256, Some(4096)), None);
        assert_eq!(enough(1256, None), None);
    }
}
