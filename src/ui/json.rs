//! NDJSON: one event a line, ending with `run_finished`.

use crate::event::{Event, Sink, SinkError, journal};
use std::io::Write;

/// Writes events as they come.
#[derive(Debug)]
pub struct Ndjson<W>(pub W);

impl<W: Write + Send> Sink for Ndjson<W> {
    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let line = journal::to_line(event).map_err(std::io::Error::from);
        line.and_then(|line| writeln!(self.0, "{}", line.trim_end()))
            .map_err(failed)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.0.flush().map_err(failed)
    }
}

fn failed(source: std::io::Error) -> SinkError {
    SinkError {
        what: "standard output".to_owned(),
        source,
    }
}
