//! Bars on a terminal: one line for each host at work, one for the stage. What stays on the screen are lines.

use super::Lines;
use crate::event::{Event, Kind, Sink, SinkError, StepOutcome};
use crate::names::HostName;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Draws to stderr.
pub struct Bars {
    all: MultiProgress,
    stage: ProgressBar,
    hosts: BTreeMap<HostName, ProgressBar>,
    lines: Lines<Vec<u8>>,
    width: usize,
}

impl std::fmt::Debug for Bars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bars({} hosts)", self.hosts.len())
    }
}

impl Bars {
    /// Bars, and lines above them in the given detail.
    pub fn new(verbose: u8) -> Self {
        let all = MultiProgress::new();
        let stage = all.add(ProgressBar::new_spinner());
        stage.set_style(style("{spinner:.cyan} {msg} {elapsed:.dim}"));
        stage.enable_steady_tick(Duration::from_millis(120));
        Self {
            all,
            stage,
            hosts: BTreeMap::new(),
            lines: buffered(verbose),
            width: 0,
        }
    }

    fn host(&mut self, host: &HostName, message: String) {
        let (all, width) = (&self.all, self.width);
        let bar = self.hosts.entry(host.clone()).or_insert_with(|| {
            let bar = all.add(ProgressBar::new_spinner());
            bar.set_style(style("    {prefix:.bold}  {spinner:.cyan} {msg}"));
            bar.set_prefix(format!("{host:<width$}"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(message);
    }

    fn draw(&mut self, kind: &Kind) {
        match kind {
            Kind::RunStarted { hosts, verb, .. } => {
                self.width = hosts
                    .iter()
                    .map(|host| host.as_str().len())
                    .max()
                    .unwrap_or_default();
                self.stage
                    .set_message(format!("{verb}: connecting to {} hosts", hosts.len()));
            }
            Kind::HostConnected { .. } => self.stage.set_message("looking at the hosts"),
            Kind::StageStarted {
                stage,
                index,
                total,
                ..
            } => {
                self.clear();
                self.stage
                    .set_message(format!("stage {index}/{total} {stage}"));
            }
            Kind::StepStarted { host, title, .. } => self.host(host, title.clone()),
            Kind::StepFinished {
                host,
                title,
                outcome,
                ..
            } => {
                let word = if *outcome == StepOutcome::Done {
                    "done"
                } else {
                    "failed"
                };
                self.host(host, format!("{title}: {word}"));
            }
            Kind::GateWaiting { gate, detail, .. } => self
                .stage
                .set_message(format!("waiting for {gate}: {detail}")),
            Kind::StageFinished { .. } | Kind::RunFinished { .. } => self.clear(),
            Kind::HostUnreachable { .. }
            | Kind::Observed { .. }
            | Kind::Output { .. }
            | Kind::GatePassed { .. }
            | Kind::GateFailed { .. }
            | Kind::HostFailed { .. }
            | Kind::Note { .. }
            | Kind::Interrupted { .. } => {}
        }
    }

    fn clear(&mut self) {
        for bar in std::mem::take(&mut self.hosts).into_values() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

/// Lines into a buffer, to be printed above the bars.
fn buffered(verbose: u8) -> Lines<Vec<u8>> {
    Lines::new(Vec::new(), verbose)
}

fn style(template: &str) -> ProgressStyle {
    // A template that does not parse falls back to indicatif's own; a test holds that ours do.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Sink for Bars {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.lines.event(event)?;
        let text = self.lines.take();
        for line in text
            .lines()
            .filter(|_| !matches!(event.kind, Kind::GateWaiting { .. }))
        {
            self.all.println(line).map_err(|source| SinkError {
                what: "the terminal".to_owned(),
                source,
            })?;
        }
        self.draw(&event.kind);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.clear();
        self.stage.finish_and_clear();
        self.all.clear().map_err(|source| SinkError {
            what: "the terminal".to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse() {
        for template in [
            "{spinner:.cyan} {msg} {elapsed:.dim}",
            "    {prefix:.bold}  {spinner:.cyan} {msg}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
