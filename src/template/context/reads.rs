//! What was read of a context. A rendering depends on nothing else: two contexts that agree in it yield the same, so that
//! the second need not be rendered.

use super::{Branch, Context, Tree};
use indexmap::IndexMap;
use minijinja::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The readings of one rendering, or of several that belong together.
#[derive(Default)]
pub struct Reads(Mutex<Vec<ReadPlace>>);

/// A place in the context, and what was found there.
#[derive(Default)]
struct ReadPlace {
    seen: Reading,
    below: IndexMap<String, usize>,
}

#[derive(Default)]
enum Reading {
    /// A mapping, of which only what is below was read; and whether it has any entry, if that was asked.
    #[default]
    Mapping,
    Filled(bool),
    Missing,
    /// All of it.
    Whole(Tree),
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reads({} places)", self.places().len())
    }
}

impl Reads {
    /// Whether another context holds the same wherever this one was read.
    pub fn agree(&self, context: &Context) -> bool {
        let places = self.places();
        places
            .first()
            .is_none_or(|root| agrees(&places, root, Some(&Tree::Map(Arc::clone(&context.branch)))))
    }

    fn places(&self) -> MutexGuard<'_, Vec<ReadPlace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn agrees(places: &[ReadPlace], place: &ReadPlace, tree: Option<&Tree>) -> bool {
    let below = |map: &Branch| {
        place.below.iter().all(|(name, at)| {
            let below = places.get(*at);
            below.is_some_and(|below| agrees(places, below, map.get(name)))
        })
    };
    match (&place.seen, tree) {
        (Reading::Missing, found) => found.is_none(),
        (Reading::Whole(known), Some(found)) => same(known, found),
        (Reading::Mapping, Some(Tree::Map(map))) => below(map),
        (Reading::Filled(filled), Some(Tree::Map(map))) => *filled != map.is_empty() && below(map),
        (Reading::Whole(_) | Reading::Mapping | Reading::Filled(_), _) => false,
    }
}

fn same(one: &Tree, other: &Tree) -> bool {
    match (one, other) {
        (Tree::Leaf(one), Tree::Leaf(other)) => same_leaf(one, other),
        (Tree::Secret(one), Tree::Secret(other)) => one == other,
        (Tree::List(one), Tree::List(other)) => {
            let pairs = || one.iter().zip(other.iter());
            Arc::ptr_eq(one, other)
                || one.len() == other.len() && pairs().all(|(one, other)| same(one, other))
        }
        (Tree::Map(one), Tree::Map(other)) => {
            let pairs = || one.iter().zip(other.iter());
            let alike = |((a, one), (b, other)): ((&String, &Tree), (&String, &Tree))| {
                a == b && same(one, other)
            };
            Arc::ptr_eq(one, other) || one.len() == other.len() && pairs().all(alike)
        }
        (Tree::Leaf(_) | Tree::Secret(_) | Tree::List(_) | Tree::Map(_), _) => false,
    }
}

/// Templates tell `1` from `1.0` and from `true`.
fn same_leaf(one: &Value, other: &Value) -> bool {
    one.kind() == other.kind()
        && one == other
        && (one.as_str().is_some() || one.to_string() == other.to_string())
}

/// Where a mapping stands that a template sees.
#[derive(Clone)]
pub(super) struct Trail {
    reads: Arc<Reads>,
    at: usize,
}

impl Trail {
    pub(super) fn new(reads: &Arc<Reads>) -> Self {
        let mut places = reads.places();
        if places.is_empty() {
            places.push(ReadPlace::default());
        }
        Self {
            reads: Arc::clone(reads),
            at: 0,
        }
    }

    /// Notes that an entry was read. `None`: nothing below it needs a note.
    pub(super) fn read(&self, key: &str, found: Option<&Tree>) -> Option<Self> {
        let mut places = self.reads.places();
        let place = places.get(self.at)?;
        if matches!(place.seen, Reading::Whole(_)) {
            return None;
        }
        let known = place.below.get(key).copied();
        let at = known.unwrap_or(places.len());
        if known.is_none() {
            places.push(ReadPlace {
                seen: seen(found),
                below: IndexMap::new(),
            });
            places.get_mut(self.at)?.below.insert(key.to_owned(), at);
        }
        matches!(found, Some(Tree::Map(_))).then(|| Self {
            reads: Arc::clone(&self.reads),
            at,
        })
    }

    /// Notes that it was asked whether there is anything in it.
    pub(super) fn asked(&self, map: &Branch) {
        if let Some(place) = self.reads.places().get_mut(self.at)
            && matches!(place.seen, Reading::Mapping)
        {
            place.seen = Reading::Filled(!map.is_empty());
        }
    }

    /// Notes that all of it was read.
    pub(super) fn whole(&self, map: &Arc<Branch>) {
        if let Some(place) = self.reads.places().get_mut(self.at) {
            place.seen = Reading::Whole(Tree::Map(Arc::clone(map)));
        }
    }
}

fn seen(found: Option<&Tree>) -> Reading {
    match found {
        None => Reading::Missing,
        Some(Tree::Map(_)) => Reading::Mapping,
        Some(tree @ (Tree::Leaf(_) | Tree::Secret(_) | Tree::List(_))) => {
            Reading::Whole(tree.clone())
        }
    }
}

#[cfg(test)]
mod tests;
