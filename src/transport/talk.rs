//! The conversation with a shell, over whatever carries its three streams.

use super::error::{SudoProblem, TransportError};
use super::login::{self, SshLogin};
use super::output::{LineSplitter, OutputLimit, OutputSink, StreamKind};
use super::{BEAT, Counters, Exit, Program};
use crate::names::{HostName, words};
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What comes from a shell.
#[derive(Debug)]
pub(crate) enum Heard {
    Out(Bytes),
    Err(Bytes),
    Exit(Exit),
    /// The host does not run the command at all.
    Refused,
}

/// Where it comes from. `None` is the end.
#[async_trait::async_trait]
pub(crate) trait Ear: Send {
    async fn next(&mut self) -> Option<Heard>;
}

/// Where a shell's input goes. An error means that nobody reads any more; the ear tells why.
#[async_trait::async_trait]
pub(crate) trait Mouth: Send {
    async fn say(&mut self, bytes: Bytes) -> std::io::Result<()>;
    async fn end(&mut self) -> std::io::Result<()>;
}

/// Input is given in pieces of this size, so that a reader that leaves early is noticed.
const PIECE: usize = 32 * 1024;

/// One program, its shell and its output.
pub(crate) struct Talk<'a> {
    pub(crate) host: &'a HostName,
    pub(crate) login: &'a SshLogin,
    pub(crate) program: &'a Program,
    pub(crate) counters: &'a Counters,
    /// The shell's process id once it is known, else 0.
    pub(crate) pid: &'a AtomicU32,
    /// How long login shell and sudo may take together, whatever they say meanwhile.
    pub(crate) entering: Duration,
}

impl Talk<'_> {
    /// Runs the program to its end.
    ///
    /// Reading and writing go on side by side: a program that leaves without reading its input would
    /// otherwise block the writer for ever.
    pub(crate) async fn run(
        &self,
        ear: &mut dyn Ear,
        mouth: &mut dyn Mouth,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        let (say, said) = mpsc::unbounded_channel();
        let mut state = TalkState::new(self, say, out.room());
        state.begin();
        tokio::select! {
            result = state.listen(ear, out) => result,
            never = speak(mouth, said, self.counters, self.program.beat) => match never {},
        }
    }
}

/// Says what is queued, then ends the input, or goes on with signs of life. Never returns, so that the ear alone decides when it
/// is over.
async fn speak(
    mouth: &mut dyn Mouth,
    mut said: mpsc::UnboundedReceiver<Bytes>,
    counters: &Counters,
    beat: Option<Duration>,
) -> Infallible {
    while let Some(mut bytes) = said.recv().await {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            counters.sent(piece.len());
            if mouth.say(piece).await.is_err() {
                return std::future::pending().await;
            }
        }
    }
    if let Some(every) = beat {
        loop {
            tokio::time::sleep(every).await;
            if mouth
                .say(Bytes::from_static(BEAT.as_bytes()))
                .await
                .is_err()
            {
                return std::future::pending().await;
            }
        }
    }
    match mouth.end().await {
        Ok(()) | Err(_) => std::future::pending().await,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No shell yet.
    Entering,
    /// sudo has been given its password.
    Asked,
    /// sudo has asked again: the password is wrong.
    Denied,
    /// The shell reads or runs the program.
    Running,
}

struct TalkState<'a> {
    talk: &'a Talk<'a>,
    say: Option<mpsc::UnboundedSender<Bytes>>,
    stage: Stage,
    out: LineSplitter,
    err: LineSplitter,
    /// What was said on standard error before the shell was there.
    before: Vec<Vec<u8>>,
    /// The last line on standard output before the shell was there: `nologin` speaks there.
    chatter: Option<Vec<u8>>,
    exit: Option<Exit>,
    /// Until when there has to be a shell.
    until: Instant,
    /// What may still come.
    room: OutputLimit,
    /// What might have come, for words.
    most: OutputLimit,
}

impl<'a> TalkState<'a> {
    fn new(talk: &'a Talk<'a>, say: mpsc::UnboundedSender<Bytes>, room: OutputLimit) -> Self {
        Self {
            talk,
            say: Some(say),
            stage: Stage::Entering,
            out: LineSplitter::default(),
            err: LineSplitter::default(),
            before: Vec::new(),
            chatter: None,
            exit: None,
            until: Instant::now() + talk.entering,
            room,
            most: room,
        }
    }

    /// Without a password the program is sent at once; it waits in the pipe until the shell reads it.
    fn begin(&mut self) {
        if self.password().is_none() {
            self.send_program();
        }
    }

    fn password(&self) -> Option<Bytes> {
        let password = self.talk.login.sudo.as_ref()?.password.as_ref()?;
        Some(Bytes::from(format!("{}\n", password.expose())))
    }

    fn send_program(&mut self) {
        if let Some(say) = self.say.take() {
            let text = self.talk.program.text.expose().as_bytes();
            // The receiver lives as long as the conversation; there is nobody to tell otherwise.
            drop(say.send(Bytes::copy_from_slice(text)));
        }
    }

    async fn listen(
        &mut self,
        ear: &mut dyn Ear,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        while let Some(heard) = self.hear(ear).await? {
            match heard {
                Heard::Out(bytes) => {
                    self.spend(&bytes)?;
                    self.hear_out(&bytes, out);
                }
                Heard::Err(bytes) => {
                    self.spend(&bytes)?;
                    self.hear_err(&bytes, out);
                }
                Heard::Exit(exit) => self.exit = Some(exit),
                Heard::Refused => return Err(self.refused()),
            }
        }
        self.finish(out)
    }

    /// Counts what came against what may come.
    fn spend(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.talk.counters.received(bytes.len());
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let left = |room: u64, used: usize| room.checked_sub(u64::try_from(used).ok()?);
        let limit = match (
            left(self.room.bytes, bytes.len()),
            left(self.room.lines, lines),
        ) {
            (Some(bytes), Some(lines)) => {
                self.room = OutputLimit { bytes, lines };
                return Ok(());
            }
            (None, _) => words::bytes(self.most.bytes),
            (_, None) => format!("{} lines", self.most.lines),
        };
        Err(TransportError::Flood {
            host: self.talk.host.clone(),
            limit,
        })
    }

    /// What comes next. A program may take as long as it likes, a login may not, however much it says.
    async fn hear(&mut self, ear: &mut dyn Ear) -> Result<Option<Heard>, TransportError> {
        if self.stage == Stage::Running {
            return Ok(ear.next().await);
        }
        let heard = tokio::time::timeout_at(self.until, ear.next()).await;
        heard.map_err(|_| TransportError::Timeout {
            host: self.talk.host.clone(),
            doing: String::from("entering a shell"),
            after: self.talk.entering,
            said: brief(&self.said()),
        })
    }

    fn hear_out(&mut self, bytes: &[u8], out: &mut dyn OutputSink) {
        for line in self.out.push(bytes) {
            if self.stage == Stage::Running {
                out.line(StreamKind::Out, &line);
            } else if let Some(pid) = ready(&line) {
                self.talk.pid.store(pid, Ordering::Relaxed);
                self.enter(out);
            } else {
                self.chatter = Some(line);
            }
        }
    }

    fn enter(&mut self, out: &mut dyn OutputSink) {
        self.stage = Stage::Running;
        for line in std::mem::take(&mut self.before) {
            out.line(StreamKind::Err, &line);
        }
        self.send_program();
    }

    fn hear_err(&mut self, bytes: &[u8], out: &mut dyn OutputSink) {
        for line in self.err.push(bytes) {
            if self.stage == Stage::Running {
                out.line(StreamKind::Err, &line);
            } else {
                self.before.push(line);
            }
        }
        if self.stage != Stage::Running && self.err.pending().ends_with(login::PROMPT.as_bytes()) {
            self.answer();
        }
    }

    /// sudo asks. Its lecture and the prompt are not the program's output.
    fn answer(&mut self) {
        self.err.finish();
        match (self.stage, self.password()) {
            (Stage::Entering, Some(password)) => {
                self.before.clear();
                self.stage = Stage::Asked;
                if let Some(say) = &self.say {
                    drop(say.send(password));
                }
            }
            _ => {
                self.stage = Stage::Denied;
                self.say = None;
            }
        }
    }

    fn finish(&mut self, out: &mut dyn OutputSink) -> Result<Exit, TransportError> {
        if self.stage != Stage::Running {
            return Err(self.no_shell());
        }
        if let Some(line) = self.out.finish() {
            out.line(StreamKind::Out, &line);
        }
        if let Some(line) = self.err.finish() {
            out.line(StreamKind::Err, &line);
        }
        self.exit.take().ok_or_else(|| self.lost("the program"))
    }

    fn no_shell(&mut self) -> TransportError {
        let Some(exit) = self.exit.take() else {
            return self.lost("login");
        };
        let said = self.said();
        let shown = brief(&said);
        match &self.talk.login.sudo {
            Some(sudo) => TransportError::Sudo {
                host: self.talk.host.clone(),
                user: self.talk.login.user.clone(),
                become_user: sudo.user.clone(),
                problem: self.sudo_problem(&said),
                said: shown,
            },
            None => TransportError::Shell {
                host: self.talk.host.clone(),
                user: self.talk.login.user.clone(),
                status: exit.to_string(),
                said: shown,
            },
        }
    }

    fn sudo_problem(&self, said: &str) -> SudoProblem {
        match self.stage {
            Stage::Denied => SudoProblem::PasswordRefused,
            Stage::Entering | Stage::Asked | Stage::Running => login::classify(said),
        }
    }

    /// The host's words when there is no shell: standard error, else what stood on standard output.
    fn said(&mut self) -> String {
        let mut lines = std::mem::take(&mut self.before);
        lines.extend(self.err.finish());
        if lines.is_empty() {
            lines.extend(self.chatter.take());
            lines.extend(self.out.finish());
        }
        let text = lines.join(&b'\n');
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    fn lost(&self, during: &str) -> TransportError {
        TransportError::Lost {
            host: self.talk.host.clone(),
            during: during.to_owned(),
            why: String::from("no exit status came"),
        }
    }

    fn refused(&self) -> TransportError {
        TransportError::ChannelRefused {
            host: self.talk.host.clone(),
            what: String::from("running a command"),
            why: String::from("sshd does not execute commands for this user"),
        }
    }
}

/// Words of a host as an error shows them: the last ones, for they say why it ended.
pub(crate) fn brief(said: &str) -> String {
    const MOST: usize = 2000;
    let from = said.char_indices().rev().nth(MOST).map(|(at, _)| at);
    match from {
        Some(at) => format!("... {}", said.get(at..).unwrap_or_default()),
        None => said.to_owned(),
    }
}

/// The process id in a line that announces the shell. A login shell may have printed something before it.
fn ready(line: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(line).ok()?;
    let (_, pid) = text.rsplit_once(login::READY)?;
    pid.trim().parse().ok()
}
