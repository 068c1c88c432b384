//! An account of the operating system.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `user: {name, uid, home}`: an account with a group of its own name and a home. One that is there already stays as it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub name: String,
    /// Its user id and that of its group, where both are free; else the next free one.
    pub uid: u32,
    /// Its home; without one where the system puts them.
    #[serde(default)]
    pub home: Option<String>,
}

impl User {
    fn script(&self) -> String {
        let (name, uid) = (quote(&self.name), self.uid);
        let home = self.home.as_ref();
        let home = home.map_or_else(String::new, |home| format!("-d {} ", quote(home)));
        format!(
            "getent group {name} >/dev/null || if getent group {uid} >/dev/null; then groupadd {name}; else groupadd -g {uid} {name}; fi\n\
             set -- -g {name} {home}-m -s /bin/bash {name}\n\
             if getent passwd {uid} >/dev/null; then useradd \"$@\"; else useradd -u {uid} \"$@\"; fi\n"
        )
    }
}

impl ResourceKind for User {
    fn probes(&self) -> Vec<Probe> {
        vec![Probe::User(self.name.clone())]
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        if seen.users.contains_key(&self.name) {
            return Verdict::same("the account is there");
        }
        let title = format!("account {}", self.name);
        let step = Step::new(format!("make the {title}"), self.script());
        Verdict::differs(Change::new(Action::Create, title, vec![step]))
    }

    fn digest(&self) -> String {
        digest_of(&[&self.name])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::UserState;

    #[test]
    fn makes_what_is_missing_and_leaves_what_is_there() {
        let user = User {
            name: "dba".into(),
            uid: 88,
            home: None,
        };
        let mut seen = Observed::default();
        assert!(
            matches!(user.diff(&seen), Verdict::Differs(change) if change.summary == "account dba")
        );
        let other = UserState {
            uid: 1000,
            gid: 1000,
            home: "/home/dba".into(),
            shell: "/bin/sh".into(),
        };
        seen.users.insert("dba".into(), other);
        assert!(matches!(user.diff(&seen), Verdict::Same(_)));
    }

    #[test]
    fn a_home_of_its_own_is_where_it_says() {
        let user = User {
            name: "pg".into(),
            uid: 543,
            home: Some("/srv/p g".into()),
        };
        assert!(user.script().contains("set -- -g pg -d '/srv/p g' -m "));
    }
}
