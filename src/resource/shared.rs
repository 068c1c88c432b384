//! A wanted state that many hosts have in common: kept once, digested once.

use super::Resource;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A resource; its copies share it.
#[derive(Clone, Debug)]
pub struct SharedResource(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    resource: Resource,
    digest: OnceLock<String>,
}

impl From<Resource> for SharedResource {
    fn from(resource: Resource) -> Self {
        Self(Arc::new(Inner {
            resource,
            digest: OnceLock::new(),
        }))
    }
}

impl Deref for SharedResource {
    type Target = Resource;

    fn deref(&self) -> &Resource {
        &self.0.resource
    }
}

impl PartialEq for SharedResource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl SharedResource {
    /// As [`Resource::digest`].
    pub fn digest(&self) -> String {
        let digest = || self.0.resource.digest();
        self.0.digest.get_or_init(digest).clone()
    }

    /// As [`Resource::set_inputs`]; one that has no inputs stays shared.
    pub fn set_inputs(&mut self, inputs: &BTreeMap<String, String>, left: &BTreeSet<String>) {
        if !self.has_inputs() {
            return;
        }
        let inner = Arc::make_mut(&mut self.0);
        inner.resource.set_inputs(inputs, left);
        inner.digest = OnceLock::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Observed;
    use crate::resource::Verdict;
    use serde_json::{Value, json};

    fn shared(kind: &str, fields: Value) -> SharedResource {
        Resource::from_fields(kind, fields).unwrap().into()
    }

    /// Its own text is the input of a command that names no other.
    #[test]
    fn a_command_runs_on_a_host_that_has_never_run_it() {
        let one = shared("command", json!({"name": "c", "run": "true"}));
        let mut own = one.clone();
        own.set_inputs(&BTreeMap::new(), &BTreeSet::new());
        assert!(matches!(
            own.diff(&Observed::default()),
            Verdict::Differs(_)
        ));
        assert!(!Arc::ptr_eq(&one.0, &own.0));
        assert_eq!(one.digest(), own.digest());
    }

    #[test]
    fn what_has_no_inputs_stays_shared() {
        let one = shared("file", json!({"path": "/f", "content": "x"}));
        let mut other = one.clone();
        other.set_inputs(&BTreeMap::new(), &BTreeSet::new());
        assert!(Arc::ptr_eq(&one.0, &other.0));
    }
}
