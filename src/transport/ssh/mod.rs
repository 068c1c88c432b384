//! A host over SSH, in this process: no ssh program, no control socket.

mod auth;
mod exec;
mod handler;
mod session;

pub(crate) use session::{SshRoute, SshSession};

use super::deadline;
use super::endpoint::Endpoint;
use super::error::TransportError;
use super::login::{self, SshLogin};
use super::output::{Curt, OutputSink};
use super::resolver::Resolver;
use super::talk::Talk;
use super::{Counters, Exit, Program, Stats, Stream, Target, Transport};
use crate::names::HostName;
use std::sync::atomic::AtomicU32;

/// A connected host.
#[derive(Debug)]
pub(crate) struct Ssh {
    session: SshSession,
    login: SshLogin,
    counters: Counters,
}

impl Ssh {
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        resolver: &Resolver,
    ) -> Result<Self, TransportError> {
        let counters = Counters::default();
        let session = SshSession::connect(endpoint, resolver, 0, &counters).await?;
        Ok(Self {
            login: SshLogin::new(&session.user, endpoint),
            session,
            counters,
        })
    }

    async fn talk(
        &self,
        program: &Program,
        pid: &AtomicU32,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        self.counters.exec();
        let command = self.login.command();
        let started = exec::start(&self.session, &command);
        let (mut ear, mut mouth) = self.session.answers("opening a session", started).await?;
        let talk = Talk {
            host: &self.session.host,
            login: &self.login,
            program,
            counters: &self.counters,
            pid,
            entering: self.session.answer_timeout,
        };
        match talk.run(&mut ear, &mut mouth, out).await {
            Err(TransportError::Lost { during, why, .. }) => Err(self.session.lost(&during, &why)),
            result => result,
        }
    }

    /// Ends a program that ran out of time. Closing its channel alone would leave it running.
    async fn kill(&self, pid: u32) -> Result<Exit, TransportError> {
        let program = Program::new(login::kill_program(pid));
        self.talk(&program, &AtomicU32::new(0), &mut Curt).await
    }
}

#[async_trait::async_trait]
impl Transport for Ssh {
    fn host(&self) -> &HostName {
        &self.session.host
    }

    async fn run(
        &self,
        program: &Program,
        out: &mut dyn OutputSink,
    ) -> Result<Exit, TransportError> {
        let pid = AtomicU32::new(0);
        let host = &self.session.host;
        let talk = async {
            // Killing takes no slot: sshd has two sessions more than there are slots.
            let _slot = self.session.slots.acquire().await;
            self.talk(program, &pid, out).await
        };
        deadline::bounded(host, program.deadline, &pid, talk, |pid| self.kill(pid)).await
    }

    async fn open(&self, to: &Target) -> Result<Box<dyn Stream>, TransportError> {
        self.counters.tunnel();
        let what = format!("a connection to {to}");
        let opened = self.session.answers(&what, self.session.open(to)).await?;
        Ok(Box::new(opened))
    }

    fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    async fn close(&self) {
        self.session.close().await;
    }
}
