//! What an operator has to be told of a connection that was made: said once, by whoever prints.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Sentences so far, without those that were told already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    all: BTreeSet<String>,
    waiting: Vec<String>,
}

impl Notices {
    /// Adds a sentence, unless it was said before.
    pub(crate) fn add(&self, text: String) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.all.insert(text.clone()) {
            told.waiting.push(text);
        }
    }

    /// Takes what is to be said now.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut told.waiting)
    }
}
