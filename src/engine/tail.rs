//! The last lines that a program said, kept for the error it may end with.

use super::Run;
use crate::event::{Kind, OutputStream};
use crate::names::HostName;
use crate::transport::StreamKind;

/// How many lines are kept.
const TAIL: usize = 20;

/// Tells a line of output, and keeps it among the last ones.
pub(super) fn tell(
    run: &Run<'_>,
    host: &HostName,
    tail: &mut Vec<String>,
    stream: StreamKind,
    line: &str,
) {
    if line.is_empty() {
        return;
    }
    if tail.len() == TAIL {
        tail.remove(0);
    }
    tail.push(line.to_owned());
    let stream = match stream {
        StreamKind::Out => OutputStream::Out,
        StreamKind::Err => OutputStream::Err,
    };
    run.emitter.emit(Kind::Output {
        host: host.clone(),
        stream,
        line: line.to_owned(),
    });
}
