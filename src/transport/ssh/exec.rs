//! A command on a channel of its own.

use super::session::Session;
use crate::transport::Exit;
use crate::transport::error::TransportError;
use crate::transport::talk::{Ear, Heard, Mouth};
use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};

/// Extended data of this type is standard error (RFC 4254, 5.2).
const STDERR: u32 = 1;

/// Asks for a command to be run. Whether the host does it shows in what is heard.
pub(super) async fn start(
    session: &Session,
    command: &str,
) -> Result<(ChannelEar, ChannelMouth), TransportError> {
    let channel = session.handle.channel_open_session().await;
    let channel = channel.map_err(|error| session.refused("a session", &error))?;
    let (read, write) = channel.split();
    let asked = write.exec(true, command).await;
    asked.map_err(|error| session.refused("running a command", &error))?;
    Ok((ChannelEar(read), ChannelMouth(write)))
}

pub(super) struct ChannelEar(ChannelReadHalf);

#[async_trait::async_trait]
impl Ear for ChannelEar {
    /// To the very end: output may follow the exit status, and the status may follow the end of output.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            match self.0.wait().await? {
                ChannelMsg::Data { data } => return Some(Heard::Out(data)),
                ChannelMsg::ExtendedData { data, ext: STDERR } => return Some(Heard::Err(data)),
                ChannelMsg::ExitStatus { exit_status } => {
                    return Some(Heard::Exit(Exit::Code(exit_status.cast_signed())));
                }
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    return Some(Heard::Exit(Exit::Signal(name(signal_name))));
                }
                ChannelMsg::Failure => return Some(Heard::Refused),
                _ => {}
            }
        }
    }
}

/// The signal's name as SSH writes it, without `SIG`.
fn name(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        other => format!("{other:?}"),
    }
}

pub(super) struct ChannelMouth(ChannelWriteHalf<Msg>);

#[async_trait::async_trait]
impl Mouth for ChannelMouth {
    async fn say(&mut self, bytes: Bytes) -> std::io::Result<()> {
        self.0.data_bytes(bytes).await.map_err(std::io::Error::other)
    }

    async fn end(&mut self) -> std::io::Result<()> {
        self.0.eof().await.map_err(std::io::Error::other)
    }
}
