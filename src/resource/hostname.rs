//! The host's own name.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `hostname: {name}`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hostname {
    pub name: String,
}

impl ResourceKind for Hostname {
    fn probes(&self) -> Vec<Probe> {
        Vec::new()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        let now = &seen.traits.hostname;
        if *now == self.name {
            return Verdict::same("the name is as wanted");
        }
        let name = quote(&self.name);
        // `hostnamectl` needs D-Bus, which a minimal host may lack; the file and the kernel are enough.
        let script =
            format!("keep /etc/hostname\nprintf '%s\\n' {name} >/etc/hostname\nhostname {name}\n");
        let step = Step::new(format!("set the host name to {}", self.name), script);
        Verdict::differs(Change::new(
            Action::Update,
            format!("host name {now} -> {}", self.name),
            vec![step],
        ))
    }

    fn digest(&self) -> String {
        digest_of(&[&self.name])
    }
}
