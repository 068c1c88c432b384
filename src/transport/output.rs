//! Output of programs, cut into lines.

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How much a program may say: more is no answer to anything that we ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes, standard output and standard error together.
    pub bytes: u64,
    /// Lines of both.
    pub lines: u64,
}

impl Default for OutputLimit {
    fn default() -> Self {
        Self {
            bytes: 128 << 20,
            lines: 1_000_000,
        }
    }
}

/// Takes a program's output.
pub trait OutputSink: Send {
    /// One line without its newline. The last one may have had none.
    fn line(&mut self, stream: StreamKind, line: &[u8]);

    /// How much it takes; a host that sends more is not read any further.
    fn room(&self) -> OutputLimit {
        OutputLimit::default()
    }
}

impl<F: FnMut(StreamKind, &[u8]) + Send> OutputSink for F {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        self(stream, line);
    }
}

/// A sink that keeps everything as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Standard output, each line ended by a newline.
    pub out: String,
    /// Standard error, likewise.
    pub err: String,
}

impl OutputSink for Collected {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        let text = match stream {
            StreamKind::Out => &mut self.out,
            StreamKind::Err => &mut self.err,
        };
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
}

/// A sink for programs whose output says nothing to anybody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Curt;

impl OutputSink for Curt {
    fn line(&mut self, _: StreamKind, _: &[u8]) {}

    fn room(&self) -> OutputLimit {
        OutputLimit {
            bytes: 64 << 10,
            lines: 1000,
        }
    }
}

/// Cuts a stream of chunks into lines.
#[derive(Debug, Default)]
pub(crate) struct LineSplitter {
    rest: Vec<u8>,
}

impl LineSplitter {
    /// Adds a chunk and returns the lines that it completes.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if self.rest.last() == Some(&b'\n') {
                self.rest.pop();
                lines.push(std::mem::take(&mut self.rest));
            }
        }
        lines
    }

    /// The last line, if it had no newline.
    pub(crate) fn finish(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then_some(rest)
    }

    /// What came after the last newline.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lines_across_chunks() {
        let mut lines = LineSplitter::default();
        assert!(lines.push(b"a").is_empty());
        assert_eq!(lines.push(b"b\n\nc"), vec![b"ab".to_vec(), b"".to_vec()]);
        assert_eq!(lines.pending(), b"c");
        assert_eq!(lines.finish(), Some(b"c".to_vec()));
        assert_eq!(lines.finish(), None);
    }
}
