//! Tests that run the library as a whole, by topic.

mod check;
mod model;
mod transport;
