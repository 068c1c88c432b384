//! An account of the operating system.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::given;
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
        let values = [
            ("USER_NAME", self.name.as_str()),
            ("USER_ID", &self.uid.to_string()),
            ("USER_HOME", self.home.as_deref().unwrap_or_default()),
        ];
        given(&values, include_str!("scripts/user.sh"))
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
        // Nobody has the name or the number.
        let tools =
            "getent() { return 2; }; groupadd() { :; }; useradd() { printf '%s|' \"$@\"; }\n";
        let said = |user: &User| {
            let text = format!("{tools}{}", user.script());
            let done = std::process::Command::new("sh")
                .args(["-ec", &text])
                .output();
            String::from_utf8(done.unwrap().stdout).unwrap()
        };
        assert_eq!(said(&user), "-u|543|-g|pg|-d|/srv/p g|-m|-s|/bin/bash|pg|");
        let plain = User { home: None, ..user };
        assert_eq!(said(&plain), "-u|543|-g|pg|-m|-s|/bin/bash|pg|");
    }
}
