//! The file on a host that says: a recover is under way or was done here, and how to leave that state.

use crate::command::quote;
use crate::names::{FormationName, HostName};
use crate::runbook::Refusal;
use serde::{Deserialize, Serialize};

/// Where it is, on the survivor and on every host whose services were pinned.
pub const MARKER_PATH: &str = "/etc/citusctl/emergency.json";

/// Names the copy of etcd's data as it was before it was made a cluster of one.
pub const ETCD_BEFORE: &str = "/etc/citusctl/etcd-before";

/// How a survivor is made writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecoverMethod {
    /// A majority of one for etcd; Patroni itself promotes.
    Etcd,
    /// Patroni is put aside and PostgreSQL promoted by hand.
    Promote,
}

impl RecoverMethod {
    /// As the command line spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::Promote => "promote",
        }
    }
}

/// What, where, by which run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub via: RecoverMethod,
    pub formation: FormationName,
    pub survivor: HostName,
    /// Hosts that were given up; they must not come back but by `recover rejoin`.
    pub fenced: Vec<HostName>,
    /// The run that began it.
    pub run: String,
    /// The way out, for people who find the file.
    pub leave: String,
}

impl Marker {
    /// A marker of a run.
    pub fn new(
        via: RecoverMethod,
        formation: &FormationName,
        survivor: &HostName,
        run: &str,
    ) -> Self {
        Self {
            via,
            formation: formation.clone(),
            survivor: survivor.clone(),
            fenced: Vec::new(),
            run: run.to_owned(),
            leave: "citusctl recover rejoin (the lost hosts are back), recover rebuild (they are gone for good), recover undo"
                .to_owned(),
        }
    }

    /// Reads the file's text.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text.trim()).ok()
    }

    /// Why etcd and Patroni are to be left alone: after a promotion by hand only `recover rejoin` knows the right order.
    pub fn forbids(&self) -> Option<Refusal> {
        let reason = format!(
            "{}: an open recover put etcd and Patroni aside ({}): brought back otherwise, they would choose a leader of their own beside it",
            self.survivor,
            self.sentence()
        );
        (self.via == RecoverMethod::Promote).then(|| {
            Refusal::new(
                reason,
                "`citusctl recover rejoin` brings them back in the right order; gone for good: `citusctl recover rebuild`; nothing promoted yet: `citusctl recover undo`",
            )
        })
    }

    /// One sentence for `status`, `plan` and `apply`.
    pub fn sentence(&self) -> String {
        let fenced: Vec<&str> = self.fenced.iter().map(HostName::as_str).collect();
        format!(
            "{} was recovered on {} (--via {}, run {}) without {}",
            self.formation,
            self.survivor,
            self.via.word(),
            self.run,
            match fenced.is_empty() {
                true => "any host".to_owned(),
                false => fenced.join(", "),
            }
        )
    }

    /// Shell text that writes it whole.
    pub fn write(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!(
            "mkdir -p /etc/citusctl\nprintf '%s\\n' {} >{MARKER_PATH}.new\nsync {MARKER_PATH}.new\nmv -fT {MARKER_PATH}.new {MARKER_PATH}\n",
            quote(&text)
        )
    }

    /// Shell text that succeeds when it is there as this run or an earlier one of the same kind wrote it.
    pub fn is_there(&self) -> String {
        let line = |key: &str, value: &str| {
            format!(
                "grep -qF {} {MARKER_PATH}\n",
                quote(&format!("\"{key}\": \"{value}\""))
            )
        };
        format!(
            "[ -e {MARKER_PATH} ]\n{}{}",
            line("via", self.via.word()),
            line("survivor", self.survivor.as_str())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_happened_and_reads_itself() {
        let mut marker = Marker::new(
            RecoverMethod::Etcd,
            &"pg-a".into(),
            &"10.0.0.3".into(),
            "r1",
        );
        marker.fenced = vec!["10.0.0.1".into(), "10.0.0.2".into()];
        let text = serde_json::to_string_pretty(&marker).unwrap();
        assert_eq!(Marker::read(&text), Some(marker.clone()));
        assert_eq!(
            marker.sentence(),
            "pg-a was recovered on 10.0.0.3 (--via etcd, run r1) without 10.0.0.1, 10.0.0.2"
        );
        assert_eq!(Marker::read(""), None);
    }
}
