//! Where events and diagnostics go: chosen once from the options.

use super::exit::{Failure, chain, code, say};
use super::options::Common;
use super::project::Project;
use crate::event::{Emitter, Event, Journal, Kind, Moment, Sink, SinkError, StepOutcome};
use crate::names::RunId;
use crate::secret::Masker;
use crate::source::{Diagnostic, Severity, Sources};

/// The emitter of a run with all its sinks.
pub fn emitter(
    common: &Common,
    project: &Project,
    id: &RunId,
    masker: Masker,
    journal: bool,
) -> Result<Emitter, Failure> {
    let mut sinks: Vec<Box<dyn Sink>> = vec![Box::new(Lines {
        verbose: common.verbose,
        quiet: common.quiet,
    })];
    if journal {
        let journal = Journal::create(&project.state_dir.join("runs"), id);
        sinks.push(Box::new(
            journal.map_err(|error| Failure::new(code::INTERNAL, chain(&error)))?,
        ));
    }
    Ok(Emitter::new(
        id.clone(),
        Box::new(Moment::now),
        masker,
        sinks,
    ))
}

struct Lines {
    verbose: u8,
    quiet: bool,
}

impl Sink for Lines {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        if self.quiet {
            return Ok(());
        }
        match &event.kind {
            Kind::StepFinished {
                host,
                title,
                outcome,
                millis,
                output_tail,
                ..
            } => {
                let word = match outcome {
                    StepOutcome::Done => "done",
                    StepOutcome::Skipped { .. } => "skipped",
                    StepOutcome::Failed { .. } => "FAILED",
                };
                if self.verbose > 0 || word != "done" {
                    say(&format!("{host}  {title}  {word} {millis} ms"));
                }
                for line in output_tail {
                    say(&format!("    {line}"));
                }
            }
            Kind::StageStarted {
                stage,
                index,
                total,
                ..
            } => say(&format!("stage {index}/{total} {stage}")),
            Kind::HostUnreachable { host: _, error, .. } => say(&format!("unreachable: {error}")),
            Kind::HostFailed { host, error, .. } => say(&format!("{host}: {error}")),
            Kind::GateWaiting { gate, detail, .. } => say(&format!("waiting for {gate}: {detail}")),
            Kind::GatePassed {
                gate,
                detail,
                millis,
            } => say(&format!("{gate}: {detail} ({millis} ms)")),
            Kind::GateFailed { gate, detail, log } => {
                say(&format!("{gate} FAILED: {detail}"));
                for line in log {
                    say(&format!("    {line}"));
                }
            }
            Kind::Note { text } => say(text),
            Kind::Output { host, line, .. } if self.verbose > 1 => say(&format!("{host} | {line}")),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Diagnostics for people.
pub fn diagnostics<'a>(sources: &Sources, all: impl Iterator<Item = &'a Diagnostic>) -> String {
    let mut text = String::new();
    for d in all {
        let word = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let place = d
            .labels
            .first()
            .map(|l| sources.place(l.span).to_string())
            .unwrap_or_default();
        text.push_str(&format!(
            "{word}[{}]: {}\n  --> {place}\n",
            d.code, d.message
        ));
        for help in &d.help {
            text.push_str(&format!("  = help: {help}\n"));
        }
    }
    text
}

/// Diagnostics for programs.
pub fn diagnostics_json<'a>(
    _sources: &Sources,
    _all: impl Iterator<Item = &'a Diagnostic>,
) -> String {
    "[]\n".to_owned()
}
