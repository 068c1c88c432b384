//! Tests that run the library as a whole, by topic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod catalog;
mod check;
mod effects;
mod explain;
mod golden;
mod hostile;
mod model;
mod program;
mod structure;
mod surface;
mod transport;
mod ui;
mod values;
mod world;
