//! Packages of the distribution.

use super::{Action, Change, ResourceKind, Step, Verdict, digest_of};
use crate::command::quote;
use crate::fact::{Observed, Probe};
use serde::Deserialize;

/// `package: {names}`: installed, in any version. Services that a package would start by itself do not start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub names: Vec<String>,
    /// A path that makes the packages unnecessary.
    #[serde(default)]
    pub unless: Option<String>,
}

/// Installs with services held back (`policy-rc.d`), existing configuration kept, and package lists refreshed
/// only when a package is unknown.
const INSTALL: &str = include_str!("scripts/install.sh");

impl ResourceKind for Package {
    fn probes(&self) -> Vec<Probe> {
        let path = self.unless.iter().cloned().map(Probe::Path);
        self.names
            .iter()
            .cloned()
            .map(Probe::Package)
            .chain(path)
            .collect()
    }

    fn diff(&self, seen: &Observed) -> Verdict {
        if let Some(path) = self
            .unless
            .as_ref()
            .filter(|path| seen.paths.contains_key(*path))
        {
            return Verdict::same(format!("`{path}` is there already"));
        }
        let missing: Vec<&str> = self
            .names
            .iter()
            .filter(|name| !seen.packages.contains_key(*name))
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            return Verdict::same("installed");
        }
        let words: Vec<String> = missing.iter().map(|name| quote(name)).collect();
        let script = format!("set -- {}\n{INSTALL}", words.join(" "));
        let title = format!("install {}", missing.join(", "));
        Verdict::differs(Change::new(
            Action::Create,
            title.clone(),
            vec![Step::new(title, script)],
        ))
    }

    fn digest(&self) -> String {
        digest_of(&self.names.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
