//! Where each value of an inventory acts, found out and not declared: the inventory is compiled once as it is, and once with
//! the value changed; what differs between the two is where it acts. What changes nothing is named, or left over.

mod candidates;
mod known;
mod leaves;
mod picture;
mod place;
mod refused;
mod why;

pub use picture::{Picture, Refused};
pub use place::Where;

use crate::inventory::{Edit, Inventory, Written};
use crate::source::{Diagnostics, Span};
use leaves::ValueLeaf;
use std::collections::BTreeSet;

/// Compiles the inventory with some values changed, and with further variables as `-e` gives them.
pub type Draw<'a> = &'a dyn Fn(Vec<Edit>, &[String]) -> Result<Picture, Refused>;

/// How to make pictures of the inventory, and what is known of it.
pub struct Input<'a> {
    pub draw: Draw<'a>,
    pub inventory: &'a Inventory,
    /// All values as they were written.
    pub written: &'a [Written],
    /// What `check` says of it.
    pub said: &'a Diagnostics,
}

/// One value, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// As in `pg_users[0].password`.
    pub name: String,
    /// Where it was written.
    pub at: Span,
    /// Which layer says it.
    pub layer: String,
    pub verdict: ValueVerdict,
}

/// What a value does.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueVerdict {
    /// It acts in these places.
    Acts(Vec<Where>),
    /// Why it has no effect.
    Named(String),
    /// Why it is refused: an error of `check`.
    Refused(String),
    /// Why nobody can tell: without what is refused the inventory cannot be compiled.
    Unknown(String),
    /// It changes nothing, and nothing says why.
    LeftOver,
}

/// All values in the order in which they were written. What `check` refuses is taken out where nothing can be compiled with
/// it, so that the rest is told all the same.
pub fn explain(input: &Input<'_>) -> Vec<Explained> {
    let mut seen = BTreeSet::new();
    let mut leaves: Vec<ValueLeaf> = input.written.iter().flat_map(leaves::of).collect();
    leaves.retain(|leaf| seen.insert((leaf.at, leaf.name.clone())));
    leaves.sort_by_key(|leaf| leaf.at);
    let refused = refused::among(&leaves, input);
    let (base, refused, without) = refused::compiled(&leaves, refused, input.draw);
    let draw = |mut edits: Vec<Edit>, more: &[String]| {
        edits.extend_from_slice(&without);
        (input.draw)(edits, more)
    };
    let input = Input {
        draw: &draw,
        ..*input
    };
    let mut switches = why::Switches::default();
    let explained = leaves.into_iter().map(|leaf| Explained {
        verdict: match (refused.get(&leaf.at), &base) {
            (Some(why), _) => ValueVerdict::Refused(why.clone()),
            (None, Ok(base)) => verdict(&input, base, &leaf, &mut switches),
            (None, Err(Refused(why))) => ValueVerdict::Unknown(why.clone()),
        },
        name: leaf.name,
        at: leaf.at,
        layer: leaf.layer,
    });
    explained.collect()
}

fn verdict(
    input: &Input<'_>,
    base: &Picture,
    leaf: &ValueLeaf,
    switches: &mut why::Switches,
) -> ValueVerdict {
    let mut refused = None;
    for to in candidates::of(leaf) {
        let edit = Edit { at: leaf.at, to };
        match (input.draw)(vec![edit], &[]) {
            Ok(other) => {
                let places = place::differing(base, &other);
                if !places.is_empty() {
                    return ValueVerdict::Acts(places);
                }
            }
            Err(Refused(words)) => refused = refused.or(Some(words)),
        }
    }
    if let Some(place) = known::read_by(&leaf.variable) {
        return ValueVerdict::Acts(vec![place]);
    }
    if let Some(words) = why::named(input, leaf, base, switches) {
        return ValueVerdict::Named(words);
    }
    match refused {
        Some(words) => ValueVerdict::Acts(vec![Where::Needed(words)]),
        None => ValueVerdict::LeftOver,
    }
}
