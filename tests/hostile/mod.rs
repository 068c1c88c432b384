//! Hosts, databases and inventories that mean harm.

mod server;
mod views;
mod ways;
