//! What people and programs see: folds of the event stream, plans and diagnostics as text. Prints nothing by
//! itself; it sees plans, events and diagnostics, never the engine or a connection.

pub mod backup_findings;
pub mod backup_list;
mod backup_view;
mod bars;
mod diagnostic;
mod drill_view;
mod headline;
mod history_view;
mod json;
mod lines;
mod plan_view;
pub mod rehearsal_view;
mod runbook_view;
pub mod status_view;
mod summary;
pub mod term;

pub use crate::names::words::{bytes, count, duration};
pub use bars::Bars;
pub use diagnostic::{diagnostic_rows, diagnostics, in_short};
pub use drill_view::{drill_page, drill_view};
pub use history_view::history_view;
pub use json::Ndjson;
pub use lines::Lines;
pub use plan_view::plan_view;
pub use runbook_view::runbook_view;
pub use summary::summary;
