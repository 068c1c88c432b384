//! `history` and `replay`.

use crate::app::Options;
use crate::app::failure::{Failure, chain, code, pretty, result, say};
use crate::app::project::state_dir;
use crate::event::{Kind, Sink, history, journal};
use crate::names::RunId;
use crate::ui::{self, term};
use clap::Args;

/// Which run.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Run id from `history`
    run: String,
}

/// Lists runs, the newest first.
pub fn history(options: &Options) -> Result<u8, Failure> {
    let dir = state_dir(&options.inventory).join("runs");
    let history =
        history::list(&dir).map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
    for error in &history.unreadable {
        say(&format!("warning: {}", chain(error)));
    }
    if options.json {
        result(&pretty(&history.runs)?)?;
        return Ok(code::DONE);
    }
    result(&ui::history_view(&history.runs))?;
    Ok(code::DONE)
}

/// Shows a run again, by the same renderers.
pub fn replay(options: &Options, args: &ReplayArgs) -> Result<u8, Failure> {
    let dir = state_dir(&options.inventory).join("runs");
    let path = journal::path_of(&dir, &RunId::new(args.run.clone()));
    let recording = journal::read(&path).map_err(|error| {
        Failure::new(code::INPUT, chain(&error)).hint("`citusctl history` lists runs")
    })?;
    let mut sink: Box<dyn Sink> = if options.json {
        Box::new(ui::Ndjson(term::pipe()))
    } else {
        Box::new(ui::Lines::new(term::stdout(), options.verbose.max(1)))
    };
    for event in &recording.events {
        sink.event(event)
            .map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?;
    }
    if options.json {
        return Ok(code::DONE);
    }
    match recording.events.last().map(|event| &event.kind) {
        Some(Kind::RunFinished { hosts, .. }) => result(&ui::summary(hosts, options.verbose > 0))?,
        Some(_) | None => say("the run did not finish: it was killed, or it is still under way"),
    }
    Ok(code::DONE)
}
