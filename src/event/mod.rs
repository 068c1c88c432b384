//! What happens in a run, as values: everything visible is a fold of one stream of events.
//!
//! The engine emits, sinks listen (bars, plain lines, NDJSON, the journal), and the report, the
//! summary and the exit code are folds. Also holds the plain data that the plan and status views
//! draw. Knows nothing of terminals, hosts or how things are done.

pub mod bus;
pub mod drill;
pub mod fold;
pub mod history;
pub mod journal;
pub mod kind;
pub mod mask;
pub mod moment;
pub mod outline;
pub mod rehearsal;
pub mod status;

pub use bus::{Emitter, Sink, SinkError};
pub use fold::{HostReport, Report};
pub use journal::{Journal, JournalError};
pub use kind::{
    Event, HostTotals, Kind, Outcome, OutputStream, StageOutlook, StepOutcome, Traffic,
};
pub use moment::Moment;
