//! What the inventory means, as plain values.

pub mod dcs;
pub mod hba;
pub mod tuning;
