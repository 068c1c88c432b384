//! This machine as a host (`ansible_connection: local`).

use super::deadline;
use super::endpoint::Endpoint;
use super::error::TransportError;
use super::login::{self, SshLogin};
use super::output::{Curt, OutputSink};
use super::talk::{Ear, Heard, Mouth, Talk};
use super::{Counters, Exit, Program, Stats, Stream, Target, Transport};
use crate::names::HostName;
use bytes::{Bytes, BytesMut};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Programs run as children of this process.
#[derive(Debug)]
pub(crate) struct Local {
    host: HostName,
    login: SshLogin,
    counters: Counters,
    entering: Duration,
}

impl Local {
    pub(crate) fn new(endpoint: &Endpoint) -> Self {
        Self {
            host: endpoint.host.clone(),
            login: SshLogin::new(&current_user(), endpoint),
            counters: Counters::default(),
            entering: endpoint.answer_timeout(),
        }
    }

    async fn talk(
        &self,
        program: &Program,
        pid: &AtomicU32,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        self.counters.exec();
        let (mut ear, mut mouth) = self.spawn()?;
        let talk = Talk {
            host: &self.host,
            login: &self.login,
            program,
            counters: &self.counters,
            pid,
            entering: self.entering,
        };
        talk.run(&mut ear, &mut mouth, out).await
    }

    fn spawn(&self) -> Result<(ChildEar, ChildMouth), TransportError> {
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(self.login.command())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.no_shell(&error))?;
        let mouth = ChildMouth(child.stdin.take());
        let ear = ChildEar {
            out: child.stdout.take(),
            err: child.stderr.take(),
            child: Some(child),
        };
        Ok((ear, mouth))
    }

    fn no_shell(&self, error: &std::io::Error) -> TransportError {
        TransportError::Shell {
            host: self.host.clone(),
            user: self.login.user.clone(),
            status: String::from("not started"),
            said: error.to_string(),
        }
    }

    fn refused(&self, to: &Target, error: &std::io::Error) -> TransportError {
        TransportError::ChannelRefused {
            host: self.host.clone(),
            what: format!("a connection to {to}"),
            why: error.to_string(),
        }
    }

    /// Ends a program that ran out of time.
    async fn kill(&self, pid: u32) -> Result<Exit, TransportError> {
        let program = Program::new(login::kill_program(pid));
        self.talk(&program, &AtomicU32::new(0), &mut Curt).await
    }
}

/// The owner of this process, by name where it matters: only `root` is told apart.
fn current_user() -> String {
    match std::fs::metadata("/proc/self") {
        Ok(meta) if meta.uid() == 0 => String::from("root"),
        Ok(_) | Err(_) => std::env::var("USER")
            .ok()
            .filter(|user| user != "root")
            .unwrap_or_else(|| String::from("the current user")),
    }
}

#[async_trait::async_trait]
impl Transport for Local {
    fn host(&self) -> &HostName {
        &self.host
    }

    async fn run(
        &self,
        program: &Program,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        let pid = AtomicU32::new(0);
        let talk = self.talk(program, &pid, out);
        deadline::bounded(&self.host, program.deadline, &pid, talk, |pid| {
            self.kill(pid)
        })
        .await
    }

    async fn open(&self, to: &Target) -> Result<Box<dyn Stream>, TransportError> {
        self.counters.tunnel();
        let stream: std::io::Result<Box<dyn Stream>> = match to {
            Target::Tcp(address, port) => TcpStream::connect((address.as_str(), *port))
                .await
                .map(|stream| Box::new(stream) as _),
            Target::Unix(path) => UnixStream::connect(path)
                .await
                .map(|stream| Box::new(stream) as _),
        };
        stream.map_err(|error| self.refused(to, &error))
    }

    fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    async fn close(&self) {}
}

struct ChildEar {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    child: Option<Child>,
}

#[async_trait::async_trait]
impl Ear for ChildEar {
    async fn next(&mut self) -> Option<Heard> {
        while self.out.is_some() || self.err.is_some() {
            let heard = tokio::select! {
                bytes = read(&mut self.out) => bytes.map(Heard::Out),
                bytes = read(&mut self.err) => bytes.map(Heard::Err),
            };
            if heard.is_some() {
                return heard;
            }
        }
        let status = self.child.take()?.wait().await.ok()?;
        match (status.code(), status.signal()) {
            (Some(code), _) => Some(Heard::Exit(Exit::Code(code))),
            (None, Some(signal)) => Some(Heard::Exit(Exit::Signal(signal_name(signal)))),
            (None, None) => None,
        }
    }
}

/// The next bytes of a stream. At its end the stream is dropped; a dropped one is never ready.
async fn read<R: AsyncRead + Unpin>(stream: &mut Option<R>) -> Option<Bytes> {
    let Some(reader) = stream else {
        return std::future::pending().await;
    };
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    match reader.read_buf(&mut buffer).await {
        Ok(count) if count > 0 => Some(buffer.freeze()),
        Ok(_) | Err(_) => {
            *stream = None;
            None
        }
    }
}

/// A signal as SSH names it, for the usual ones.
fn signal_name(number: i32) -> String {
    match number {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        6 => "ABRT",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        other => return other.to_string(),
    }
    .to_owned()
}

struct ChildMouth(Option<ChildStdin>);

#[async_trait::async_trait]
impl Mouth for ChildMouth {
    async fn say(&mut self, bytes: Bytes) -> std::io::Result<()> {
        match &mut self.0 {
            Some(stdin) => stdin.write_all(&bytes).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self) -> std::io::Result<()> {
        self.0 = None;
        Ok(())
    }
}
