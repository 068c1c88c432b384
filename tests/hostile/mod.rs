//! Hosts, databases and inventories that mean harm.

mod views;
