//! A connection that a command makes (`ProxyCommand`): its input and output are the stream, as OpenSSH does it.

use super::ssh_config::Tokens;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// How much of what a command says on standard error is kept.
const KEPT: u64 = 4096;
/// How long the end of a command is waited for when its connection has failed.
const ENDING: Duration = Duration::from_secs(1);

/// The command with its tokens replaced.
///
/// # Errors
/// An unknown token, or a value that a shell would take apart.
pub(crate) fn command(text: &str, tokens: &Tokens<'_>) -> Result<String, String> {
    for value in [tokens.address, tokens.original, tokens.user] {
        let harmless = |c: char| c.is_ascii_alphanumeric() || "._:-%@[]+~".contains(c);
        if value.starts_with('-') || !value.chars().all(harmless) {
            return Err(format!(
                "`ProxyCommand {text}`: `{value}` cannot stand in a command of the shell"
            ));
        }
    }
    let replaced = tokens.percent(text);
    replaced.ok_or_else(|| {
        format!("`ProxyCommand {text}`: only %h, %n, %p, %r, %u, %d and %% are known")
    })
}

/// What a command says on standard error, its first words.
#[derive(Debug)]
pub(crate) struct ProxyErrors {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl ProxyErrors {
    /// The words on one line, once the command has ended: it may be about to say why.
    pub(crate) async fn words(self) -> String {
        // A child of the command may go on and hold the stream open; what is there by then has to do.
        let _ = tokio::time::timeout(ENDING, self.reader).await;
        let said = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        said.lines().map(str::trim).collect::<Vec<_>>().join(" / ")
    }
}

/// The stream; the command ends with it.
#[derive(Debug)]
pub(crate) struct Proxy {
    out: ChildStdout,
    input: ChildStdin,
    _child: Child,
}

impl Proxy {
    /// Starts the command by the user's shell.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) fn start(command: &str) -> io::Result<(Self, ProxyErrors)> {
        let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
        let mut child = Command::new(shell.unwrap_or_else(|| "/bin/sh".into()))
            .arg("-c")
            .arg(format!("exec {command}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let text = Arc::<Mutex<String>>::default();
        let streams = (child.stdout.take(), child.stdin.take(), child.stderr.take());
        match streams {
            (Some(out), Some(input), Some(stderr)) => Ok((
                Self {
                    out,
                    input,
                    _child: child,
                },
                ProxyErrors {
                    text: Arc::clone(&text),
                    reader: tokio::spawn(listen(stderr, text)),
                },
            )),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Keeps the first words and reads all others away, so that the command is not held up.
async fn listen(mut stderr: ChildStderr, said: Arc<Mutex<String>>) {
    let mut first = String::new();
    let mut taken = (&mut stderr).take(KEPT);
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = taken.read(&mut bytes).await {
        first.push_str(&String::from_utf8_lossy(&bytes[..count]));
        said.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&first);
    }
    // Nobody is told when the rest cannot be read.
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
}

impl AsyncRead for Proxy {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.out).poll_read(context, buffer)
    }
}

impl AsyncWrite for Proxy {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens<'a>(address: &'a str) -> Tokens<'a> {
        Tokens {
            home: None,
            address,
            original: "db",
            user: "u",
            port: 22,
        }
    }

    #[test]
    fn tokens_are_replaced_and_nothing_reaches_the_shell_by_them() {
        let nc = |address| command("nc -x %h:%p %r", &tokens(address));
        assert_eq!(nc("fd00::1%eth0").as_deref(), Ok("nc -x fd00::1%eth0:22 u"));
        assert!(
            nc("a;reboot")
                .unwrap_err()
                .contains("`a;reboot` cannot stand")
        );
        assert!(nc("-oX").is_err());
        assert!(
            command("nc %Z", &tokens("a"))
                .unwrap_err()
                .contains("only %h")
        );
    }
}
