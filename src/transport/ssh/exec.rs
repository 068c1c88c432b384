//! A command on a channel of its own.

use super::session::SshSession;
use crate::transport::Exit;
use crate::transport::error::TransportError;
use crate::transport::talk::{Ear, Heard, Mouth};
use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Sig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Extended data of this type is standard error (RFC 4254, 5.2).
const STDERR: u32 = 1;

/// How often a session that is refused is asked for again, and how long after the first time.
const ASK_AGAIN: u32 = 10;
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Asks for a command to be run. Whether the host does it shows in what is heard.
pub(super) async fn start(
    session: &SshSession,
    command: &str,
) -> Result<(ChannelEar, ChannelMouth), TransportError> {
    let channel = open(session).await;
    let (read, write) = channel
        .map_err(|error| session.refused("a session", &error))?
        .split();
    let over = Arc::new(AtomicBool::new(false));
    let mouth = ChannelMouth {
        write: Some(write),
        over: Arc::clone(&over),
    };
    let asked = mouth.exec(command).await;
    asked.map_err(|error| session.refused("running a command", &error))?;
    Ok((ChannelEar { read, over }, mouth))
}

/// Opens a session. sshd counts one that has just ended for a moment longer, and refuses what
/// exceeds `MaxSessions`; so a refused one is asked for again, for about twenty seconds: a host under load ends sessions late.
async fn open(session: &SshSession) -> Result<Channel<Msg>, russh::Error> {
    let mut pause = ASK_AGAIN_AFTER;
    for _ in 0..ASK_AGAIN {
        match session.handle.channel_open_session().await {
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            result => return result,
        }
    }
    session.handle.channel_open_session().await
}

pub(super) struct ChannelEar {
    read: ChannelReadHalf,
    over: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Ear for ChannelEar {
    /// To the very end: output may follow the exit status, and the status may follow the end of output.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            let Some(message) = self.read.wait().await else {
                self.over.store(true, Ordering::Relaxed);
                return None;
            };
            if let Some(heard) = understand(message) {
                return Some(heard);
            }
        }
    }
}

fn understand(message: ChannelMsg) -> Option<Heard> {
    match message {
        ChannelMsg::Data { data } => Some(Heard::Out(data)),
        ChannelMsg::ExtendedData { data, ext: STDERR } => Some(Heard::Err(data)),
        ChannelMsg::ExitStatus { exit_status } => {
            Some(Heard::Exit(Exit::Code(exit_status.cast_signed())))
        }
        ChannelMsg::ExitSignal { signal_name, .. } => {
            Some(Heard::Exit(Exit::Signal(name(signal_name))))
        }
        ChannelMsg::Failure => Some(Heard::Refused),
        _ => None,
    }
}

/// The signal's name as SSH writes it, without `SIG`.
fn name(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        other => format!("{other:?}"),
    }
}

pub(super) struct ChannelMouth {
    /// Always there, until it is dropped.
    write: Option<ChannelWriteHalf<Msg>>,
    over: Arc<AtomicBool>,
}

impl ChannelMouth {
    fn write(&self) -> Result<&ChannelWriteHalf<Msg>, russh::Error> {
        self.write.as_ref().ok_or(russh::Error::WrongChannel)
    }

    async fn exec(&self, command: &str) -> Result<(), russh::Error> {
        self.write()?.exec(true, command).await
    }
}

#[async_trait::async_trait]
impl Mouth for ChannelMouth {
    async fn say(&mut self, bytes: Bytes) -> std::io::Result<()> {
        let write = self.write().map_err(std::io::Error::other)?;
        write.data_bytes(bytes).await.map_err(std::io::Error::other)
    }

    async fn end(&mut self) -> std::io::Result<()> {
        let write = self.write().map_err(std::io::Error::other)?;
        write.eof().await.map_err(std::io::Error::other)
    }
}

/// russh does not close a channel whose halves are dropped; a program that nobody waits for any more
/// would keep its session.
impl Drop for ChannelMouth {
    fn drop(&mut self) {
        let over = self.over.load(Ordering::Relaxed);
        let runtime = tokio::runtime::Handle::try_current();
        if let (Some(write), false, Ok(runtime)) = (self.write.take(), over, runtime) {
            // A connection that is gone has no channels left to close.
            runtime.spawn(async move { write.close().await.ok() });
        }
    }
}
