//! What the inventory means, as plain values.

pub mod tuning;
