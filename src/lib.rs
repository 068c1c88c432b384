//! citusctl: declarative provisioning of highly available Citus and PostgreSQL over SSH.
//!
//! Layers, left uses nothing to its right (`ci/layers` checks it):
//! `names source secret workers < command < model inventory template catalog pki < fact < resource <
//! plan lint runbook < event < transport < engine lab < ui < app < cli`.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod command;
pub mod engine;
pub mod event;
pub mod fact;
pub mod inventory;
pub mod lab;
pub mod lint;
pub mod model;
pub mod names;
pub mod pki;
pub mod plan;
pub mod resource;
pub mod runbook;
pub mod secret;
pub mod source;
pub mod template;
pub mod transport;
pub mod ui;
pub mod workers;
