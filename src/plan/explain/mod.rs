//! Where each value of an inventory acts, found out and not declared: the inventory is compiled once as it is, and once with
//! the value changed; what differs between the two is where it acts. What changes nothing is named, or left over.

mod candidates;
mod known;
mod leaves;
mod picture;
mod place;
mod why;

pub use picture::{Picture, Refused};
pub use place::Where;

use crate::inventory::{Edit, Inventory, Written};
use crate::source::{Diagnostics, Span};
use leaves::ValueLeaf;
use std::collections::BTreeSet;

/// Compiles the inventory with one value changed, and with further variables as `-e` gives them.
pub type Draw<'a> = &'a dyn Fn(Option<Edit>, &[String]) -> Result<Picture, Refused>;

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
    /// It changes nothing, and nothing says why.
    LeftOver,
}

/// All values in the order in which they were written.
///
/// # Errors
/// When the inventory as it is cannot be compiled.
pub fn explain(input: &Input<'_>) -> Result<Vec<Explained>, Refused> {
    let base = (input.draw)(None, &[])?;
    let mut seen = BTreeSet::new();
    let mut leaves: Vec<ValueLeaf> = input.written.iter().flat_map(leaves::of).collect();
    leaves.retain(|leaf| seen.insert((leaf.at, leaf.name.clone())));
    leaves.sort_by_key(|leaf| leaf.at);
    let mut switches = why::Switches::default();
    let explained = leaves.into_iter().map(|leaf| Explained {
        verdict: verdict(input, &base, &leaf, &mut switches),
        name: leaf.name,
        at: leaf.at,
        layer: leaf.layer,
    });
    Ok(explained.collect())
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
        match (input.draw)(Some(edit), &[]) {
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
