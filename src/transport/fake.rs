//! A host that exists only in a test: it answers programs and streams from a script.

use super::error::TransportError;
use super::output::{OutputSink, StreamKind};
use super::{Counters, Exit, Program, Stats, Stream, Target, Transport};
use crate::names::HostName;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a [`Fake`] answers to one program.
#[derive(Debug)]
pub struct FakeReply {
    /// Lines of output, in order.
    pub lines: Vec<(StreamKind, Vec<u8>)>,
    /// How long it takes after its lines; `None`: for ever.
    pub lasts: Option<Duration>,
    /// How it ends.
    pub end: Result<Exit, TransportError>,
}

impl FakeReply {
    /// Standard output and status 0.
    pub fn out(text: &str) -> Self {
        let line = |line: &str| (StreamKind::Out, line.as_bytes().to_vec());
        Self {
            lines: text.lines().map(line).collect(),
            lasts: Some(Duration::ZERO),
            end: Ok(Exit::Code(0)),
        }
    }

    /// No output and a status.
    pub fn code(code: i32) -> Self {
        Self {
            lines: Vec::new(),
            lasts: Some(Duration::ZERO),
            end: Ok(Exit::Code(code)),
        }
    }

    /// A failure of the way to the host.
    pub fn error(error: TransportError) -> Self {
        Self {
            lines: Vec::new(),
            lasts: Some(Duration::ZERO),
            end: Err(error),
        }
    }

    /// The same, but that it takes so long.
    #[must_use]
    pub fn lasting(self, time: Duration) -> Self {
        Self {
            lasts: Some(time),
            ..self
        }
    }

    /// The same, but that it never ends, as the holder of a lock does not.
    #[must_use]
    pub fn held(self) -> Self {
        Self {
            lasts: None,
            ..self
        }
    }
}

type Responder = Box<dyn FnMut(&str) -> FakeReply + Send>;

#[derive(Default)]
struct HostScript {
    replies: VecDeque<FakeReply>,
    responder: Option<Responder>,
    streams: VecDeque<(Target, Box<dyn Stream>)>,
    programs: Vec<String>,
}

/// A scripted transport.
pub struct Fake {
    host: HostName,
    script: Mutex<HostScript>,
    counters: Counters,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fake({})", self.host)
    }
}

impl Fake {
    /// A host that answers nothing yet.
    pub fn new(host: impl Into<String>) -> Self {
        let counters = Counters::default();
        counters.connection();
        Self {
            host: HostName::new(host),
            script: Mutex::default(),
            counters,
        }
    }

    /// Answers the next program that has no answer yet with this.
    #[must_use]
    pub fn then(self, reply: FakeReply) -> Self {
        self.script().replies.push_back(reply);
        self
    }

    /// Answers every program for which no reply was queued, from its text.
    #[must_use]
    pub fn answer(self, responder: impl FnMut(&str) -> FakeReply + Send + 'static) -> Self {
        self.script().responder = Some(Box::new(responder));
        self
    }

    /// Gives this stream to the next one who opens the target.
    #[must_use]
    pub fn stream(self, target: Target, stream: impl Stream + 'static) -> Self {
        self.script().streams.push_back((target, Box::new(stream)));
        self
    }

    /// The programs run so far.
    pub fn programs(&self) -> Vec<String> {
        self.script().programs.clone()
    }

    fn script(&self) -> MutexGuard<'_, HostScript> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reply(&self, text: &str) -> FakeReply {
        let mut script = self.script();
        script.programs.push(text.to_owned());
        if let Some(reply) = script.replies.pop_front() {
            return reply;
        }
        match &mut script.responder {
            Some(responder) => responder(text),
            None => FakeReply::error(TransportError::Lost {
                host: self.host.clone(),
                during: String::from("the program"),
                why: String::from("the script of this fake host has no reply left"),
            }),
        }
    }
}

#[async_trait::async_trait]
impl Transport for Fake {
    fn host(&self) -> &HostName {
        &self.host
    }

    async fn run(
        &self,
        program: &Program,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        self.counters.exec();
        self.counters.sent(program.text.expose().len());
        let reply = self.reply(program.text.expose());
        for (stream, line) in &reply.lines {
            self.counters.received(line.len() + 1);
            out.line(*stream, line);
        }
        match reply.lasts {
            Some(Duration::ZERO) => {}
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
        reply.end
    }

    async fn open(&self, to: &Target) -> Result<Box<dyn Stream>, TransportError> {
        self.counters.tunnel();
        let mut script = self.script();
        let at = script.streams.iter().position(|(target, _)| target == to);
        let stream = at.and_then(|at| script.streams.remove(at));
        match stream {
            Some((_, stream)) => Ok(stream),
            None => Err(TransportError::ChannelRefused {
                host: self.host.clone(),
                what: format!("a connection to {to}"),
                why: String::from("the script of this fake host has no such stream"),
            }),
        }
    }

    fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    async fn close(&self) {}
}
