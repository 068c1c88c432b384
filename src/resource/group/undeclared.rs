//! What nobody declared in a group and weakens what is declared: a warning of the plan. It is not ours to take away.

use super::{GroupKind, GroupVerdict, PgAccess, sql};
use crate::fact::{DeclaredObjects, GroupSeen, Probe, judge, powers_query, read_powers};
use crate::model::objects::{Database, Role};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `undeclared: {roles, databases, parameters, local}`: all that is declared for a group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undeclared {
    pub roles: Vec<Role>,
    pub databases: Vec<Database>,
    /// Parameters that are ours, with their values.
    pub parameters: Map<String, Value>,
    /// Likewise, those of single instances.
    #[serde(default)]
    pub local: Map<String, Value>,
}

const PROBE: &str = "pg_powers";

impl GroupKind for Undeclared {
    fn probes(&self, access: &PgAccess) -> Vec<Probe> {
        let probe = sql::ask_leader(access, "postgres", PROBE, powers_query());
        vec![probe]
    }

    fn diff(&self, _access: &PgAccess, _seen: &GroupSeen) -> GroupVerdict {
        GroupVerdict::Same("what nobody declared is not touched".to_owned())
    }

    fn warnings(&self, seen: &GroupSeen) -> Vec<String> {
        let powers = seen.answers.get(PROBE).and_then(|text| read_powers(text));
        let Some(powers) = powers else {
            return Vec::new();
        };
        let names = self.parameters.keys().chain(self.local.keys());
        let declared = DeclaredObjects {
            roles: self.roles.clone(),
            databases: self.databases.clone(),
            parameters: names.cloned().collect(),
        };
        let said = judge(&declared, &powers);
        said.weak.into_iter().chain(said.noted).collect()
    }
}
