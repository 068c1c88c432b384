//! Bars on a terminal: one line for each host at work, one for the run. What stays on the screen are lines.

use super::Lines;
use super::headline::Headline;
use super::term;
use crate::event::{Event, Kind, Sink, SinkError, StepOutcome};
use crate::names::HostName;
use anstream::adapter::strip_str;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

const RUN: &str = "{spinner:.cyan} {wide_msg} {elapsed:.dim}";
const HOST: &str = "    {prefix:.bold}  {wide_msg} {elapsed:.dim}";
const TICK: Duration = Duration::from_millis(120);

/// Draws to stderr.
pub struct Bars {
    all: MultiProgress,
    run: Option<ProgressBar>,
    hosts: BTreeMap<HostName, ProgressBar>,
    headline: Headline,
    lines: Lines<Vec<u8>>,
    colours: bool,
    width: usize,
}

impl std::fmt::Debug for Bars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bars({} hosts)", self.hosts.len())
    }
}

impl Bars {
    /// Bars, and lines above them in the given detail; nothing is coloured without `colours`.
    pub fn new(verbose: u8, colours: bool) -> Self {
        Self {
            all: MultiProgress::new(),
            run: None,
            hosts: BTreeMap::new(),
            headline: Headline::default(),
            lines: Lines::new(Vec::new(), verbose),
            colours,
            width: 0,
        }
    }

    fn draw(&mut self, kind: &Kind) {
        match kind {
            Kind::RunStarted { hosts, .. } => self.width = super::lines::width(hosts),
            Kind::StepStarted { host, title, .. } => self.begin(host, title),
            Kind::StepFinished {
                host,
                title,
                outcome,
                ..
            } => self.end(host, &format!("{title}: {}", word(outcome))),
            Kind::HostFailed { host, .. } => self.remove(host),
            Kind::StageStarted { .. } | Kind::StageFinished { .. } => self.clear_hosts(),
            Kind::HostConnected { .. }
            | Kind::HostUnreachable { .. }
            | Kind::Observed { .. }
            | Kind::Output { .. }
            | Kind::GateWaiting { .. }
            | Kind::GatePassed { .. }
            | Kind::GateFailed { .. }
            | Kind::Note { .. }
            | Kind::Interrupted { .. }
            | Kind::RunFinished { .. } => {}
        }
    }

    fn begin(&mut self, host: &HostName, title: &str) {
        let (all, width, colours) = (&self.all, self.width, self.colours);
        let bar = self.hosts.entry(host.clone()).or_insert_with(|| {
            let bar = all.add(bar(HOST, colours));
            bar.set_prefix(term::line(&format!("{host:<width$}")));
            bar
        });
        bar.reset_elapsed();
        bar.set_message(term::line(title));
    }

    fn end(&self, host: &HostName, message: &str) {
        if let Some(bar) = self.hosts.get(host) {
            bar.set_message(term::line(message));
        }
    }

    fn remove(&mut self, host: &HostName) {
        if let Some(bar) = self.hosts.remove(host) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn clear_hosts(&mut self) {
        for bar in std::mem::take(&mut self.hosts).into_values() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn say_headline(&mut self) {
        let (all, colours) = (&self.all, self.colours);
        let run = self
            .run
            .get_or_insert_with(|| all.insert(0, bar(RUN, colours)));
        run.set_message(term::line(&self.headline.text()));
    }

    fn clear(&mut self) -> Result<(), SinkError> {
        self.clear_hosts();
        if let Some(run) = self.run.take() {
            run.finish_and_clear();
            self.all.remove(&run);
        }
        self.all.clear().map_err(failed)
    }

    /// Above the bars. A gate that waits is told by the bars themselves.
    fn print(&mut self, kind: &Kind) -> Result<(), SinkError> {
        let text = self.lines.take();
        if matches!(kind, Kind::GateWaiting { .. }) {
            return Ok(());
        }
        let text = match self.colours {
            true => text,
            false => strip_str(&text).to_string(),
        };
        let mut lines = text.lines();
        lines.try_for_each(|line| self.all.println(line).map_err(failed))
    }
}

fn bar(template: &str, colours: bool) -> ProgressBar {
    let plain = template
        .replace(":.cyan", "")
        .replace(":.dim", "")
        .replace(":.bold", "");
    let template = if colours { template } else { plain.as_str() };
    // A template that does not parse falls back to indicatif's own; a test holds that ours do.
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new_spinner();
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(TICK);
    bar
}

fn word(outcome: &StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Done => "done",
        StepOutcome::Skipped { .. } => "skipped",
        StepOutcome::Failed { .. } => "failed",
    }
}

fn failed(source: std::io::Error) -> SinkError {
    SinkError {
        what: "the terminal".to_owned(),
        source,
    }
}

impl Sink for Bars {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.lines.event(event)?;
        self.print(&event.kind)?;
        self.headline.add(&event.kind);
        if !matches!(event.kind, Kind::RunFinished { .. }) {
            self.say_headline();
        }
        self.draw(&event.kind);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.clear()
    }

    fn pause(&mut self) -> Result<(), SinkError> {
        self.clear()
    }
}

/// A run that ends without its last event leaves no bars behind.
impl Drop for Bars {
    fn drop(&mut self) {
        // The terminal may be gone; there is nobody left to tell.
        let _ = self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_parse() {
        assert!(
            [RUN, HOST]
                .iter()
                .all(|text| ProgressStyle::with_template(text).is_ok())
        );
    }
}
