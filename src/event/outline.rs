//! A plan as plain data, under the name that sinks and views know. The plan owns it.

pub use crate::plan::view::{
    Action, ChangeOutline, Counts, HostOutline, Impact, PlanOutline, StageOutline,
};
