//! What declarations came to on earlier hosts. A host that agrees with one of those in everything that was read there gets
//! the same resources, unrendered.

use crate::catalog::ResourceDecl;
use crate::template::{Context, Reads};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many different outcomes of a declaration are remembered: those of the roles that hosts have in one formation.
const REMEMBERED: usize = 8;

/// After so many hosts a declaration that hardly ever came to the same is no longer compared.
const TRIED: u32 = 48;

/// Outcomes by declaration. Each worker has its own.
#[derive(Debug)]
pub(super) struct Memo<T>(HashMap<*const ResourceDecl, Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    known: VecDeque<(Arc<Reads>, Vec<T>)>,
    hits: u32,
    misses: u32,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Slot<T> {
    fn is_vain(&self) -> bool {
        self.misses >= TRIED && self.hits < self.misses / 2
    }
}

impl<T: Clone> Memo<T> {
    /// What a declaration comes to in a context: as remembered, else as `make` says.
    pub(super) fn get<E>(
        &mut self,
        decl: &ResourceDecl,
        context: &Context,
        make: impl FnOnce(&Context) -> Result<Vec<T>, E>,
    ) -> Result<Vec<T>, E> {
        let slot = self.0.entry(std::ptr::from_ref(decl)).or_insert(Slot {
            known: VecDeque::new(),
            hits: 0,
            misses: 0,
        });
        if slot.is_vain() {
            slot.known.clear();
            return make(context);
        }
        let known = slot
            .known
            .iter()
            .position(|(reads, _)| reads.agree(context));
        if let Some(found) = known.and_then(|at| slot.known.remove(at)) {
            slot.hits += 1;
            let made = found.1.clone();
            slot.known.push_front(found);
            return Ok(made);
        }
        slot.misses += 1;
        let (context, reads) = context.noting();
        let made = make(&context)?;
        slot.known.push_front((reads, made.clone()));
        slot.known.truncate(REMEMBERED);
        Ok(made)
    }
}
