//! Every secret that the inventory holds, for masking.

use crate::inventory::Inventory;
use crate::inventory::parameters::{self, Param, ParamKind, Typed, secrets_in};
use crate::secret::Masker;
use crate::source::Node;
use std::collections::HashSet;
use std::sync::Arc;

/// Adds the secrets of all hosts. A value that hosts share, as that of a group is, is read once.
pub(super) fn hide(inventory: &Inventory, masker: &mut Masker) {
    let secret: Vec<&Param> = parameters::all()
        .filter(|param| param.kind == ParamKind::Secret)
        .collect();
    let mut read: HashSet<(&str, *const Node)> = HashSet::new();
    let mut defaults: HashSet<&str> = HashSet::new();
    for host in inventory.hosts.values() {
        let typed = Typed::new(&host.vars);
        for (name, var) in host.vars.iter() {
            if read.insert((name, Arc::as_ptr(&var.node))) {
                let found = secrets_in(name, &var.node);
                found.into_iter().for_each(|secret| masker.add(secret));
                if secret.iter().any(|param| param.name == name) {
                    masker.add(typed.secret(name));
                }
            }
        }
        for param in &secret {
            if !host.vars.contains(param.name) && defaults.insert(param.name) {
                masker.add(typed.secret(param.name));
            }
        }
    }
}
