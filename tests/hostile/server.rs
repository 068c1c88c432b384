//! A host that means harm, as an SSH server of ours on this machine: whatever it does, it alone fails, in words, within
//! the bounds, and others go on.

use citusctl::engine::Fleet;
use citusctl::event::{Emitter, Moment};
use citusctl::names::{HostName, RunId};
use citusctl::secret::{Masker, Secret};
use citusctl::transport::{
    Collected, Endpoint, Exit, HostKeyPolicy, JumpHost, OutputLimit, OutputSink, Program, Resolver,
    StreamKind, Target, TransportError, connect,
};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session, run_stream};
use russh::{Channel, ChannelId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a server does once somebody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Answers as a shell would, for the others.
    None,
    /// Lets nobody in, and says much about it.
    Banner,
    /// Never answers a login.
    SilentLogin,
    /// Never opens a session.
    SilentOpen,
    /// Takes the command and says nothing.
    SilentShell,
    /// Says a little every moment, and never that there is a shell.
    Chatter,
    /// Asks for sudo's password again and again.
    Prompts,
    /// Bytes without end and without a line.
    Flood,
    /// Lines without end.
    Lines,
    /// What is no text, and steers.
    Binary,
    /// Closes when somebody is let in.
    CloseAfterLogin,
    /// Closes the connection when a command comes.
    CloseAtCommand,
    /// Closes the channel in the middle of a line.
    CloseInLine,
    /// Ends the program with half of a frame, and success.
    HalfFrame,
}

#[derive(Clone)]
struct Host {
    harm: Harm,
    logins: Arc<AtomicUsize>,
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, Self::Error> {
        self.logins.fetch_add(1, Ordering::Relaxed);
        match self.harm {
            Harm::SilentLogin => std::future::pending().await,
            Harm::Banner => Ok(Auth::reject()),
            Harm::CloseAfterLogin => Err(russh::Error::Disconnect),
            _ => Ok(Auth::Accept),
        }
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        Ok((self.harm == Harm::Banner).then(|| "\x1b[2Jlook here\r\n".repeat(10_000)))
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.harm {
            Harm::SilentOpen => std::mem::forget(reply),
            _ => reply.accept().await,
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        if self.harm == Harm::CloseAtCommand {
            return Err(russh::Error::Disconnect);
        }
        tokio::spawn(speak(self.harm, channel, session.handle()));
        Ok(())
    }
}

/// What a host says to a command.
async fn speak(harm: Harm, channel: ChannelId, to: russh::server::Handle) {
    let say = |bytes: &[u8]| to.data(channel, bytes.to_vec());
    match harm {
        Harm::Chatter => {
            while say(b"one moment\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Harm::Prompts => {
            while to
                .extended_data(channel, 1, b"CITUSCTL-SUDO-PASSWORD:".to_vec())
                .await
                .is_ok()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Harm::SilentShell => {}
        Harm::Flood | Harm::Lines => {
            say(b"CITUSCTL-SHELL-READY 999999\n").await.ok();
            let piece = if harm == Harm::Flood {
                vec![b'x'; 32 << 10]
            } else {
                vec![b'\n'; 32 << 10]
            };
            // russh keeps what does not fit into the window: without a pause this server would only fill itself.
            while say(&piece).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Harm::CloseInLine => {
            say(b"CITUSCTL-SHELL-READY 999999\nhalf a li").await.ok();
            to.close(channel).await.ok();
        }
        Harm::Binary | Harm::HalfFrame | Harm::None => {
            let said: &[u8] = match harm {
                Harm::Binary => b"\x00\xff\xfe\x1b[2J\x9b\r\nend\n",
                Harm::HalfFrame => b"@@frame begin 0 x",
                _ => b"here\n",
            };
            say(b"CITUSCTL-SHELL-READY 999999\n").await.ok();
            say(said).await.ok();
            to.exit_status_request(channel, 0).await.ok();
            to.eof(channel).await.ok();
            to.close(channel).await.ok();
        }
        Harm::Banner
        | Harm::SilentLogin
        | Harm::SilentOpen
        | Harm::CloseAfterLogin
        | Harm::CloseAtCommand => {}
    }
}

fn config() -> Arc<Config> {
    Arc::new(Config {
        keys: vec![PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))],
        auth_rejection_time: Duration::ZERO,
        ..Config::default()
    })
}

/// A server of a kind; its port, and how often somebody tried to log in.
async fn serve(harm: Harm) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = Arc::new(AtomicUsize::new(0));
    let host = Host {
        harm,
        logins: Arc::clone(&logins),
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let host = host.clone();
            tokio::spawn(async move {
                if let Ok(session) = run_stream(config(), stream, host).await {
                    session.await.ok();
                }
            });
        }
    });
    (port, logins)
}

/// A listener that says what it is given to everyone, then keeps quiet or hangs up; how many came.
async fn raw(said: Vec<u8>, then_close: bool) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let said = said.clone();
            tokio::spawn(async move {
                stream.write_all(&said).await.ok();
                if !then_close {
                    tokio::io::copy(&mut stream, &mut tokio::io::sink())
                        .await
                        .ok();
                }
            });
        }
    });
    (port, came)
}

fn endpoint(name: &str, port: u16, limit: Duration) -> Endpoint {
    let mut endpoint = Endpoint::new(HostName::new(name), "127.0.0.1");
    endpoint.port = Some(port);
    endpoint.user = Some("root".into());
    endpoint.password = Some(Secret::new("pass"));
    endpoint.use_agent = false;
    endpoint.connect_timeout = limit;
    endpoint
}

fn resolver() -> Resolver {
    Resolver::default()
        .with_config("/dev/null")
        .with_home("/nonexistent")
        .with_known_hosts("/nonexistent/known_hosts")
        .with_host_keys(HostKeyPolicy::Off)
}

const SHORT: Duration = Duration::from_millis(500);
/// A machine under load needs its time; it is still less than any limit in use.
const BOUND: Duration = Duration::from_secs(9);

/// The error of a program on a host of a kind, with the time that it took.
async fn suffered(
    harm: Harm,
    sink: &mut dyn OutputSink,
    deadline: Option<Duration>,
) -> Result<Exit, TransportError> {
    let limit = match harm {
        Harm::Flood | Harm::Lines | Harm::Binary | Harm::HalfFrame | Harm::CloseInLine => {
            Duration::from_secs(5)
        }
        _ => SHORT,
    };
    let (port, _) = serve(harm).await;
    let started = Instant::now();
    let mut endpoint = endpoint("db-1", port, limit);
    if harm == Harm::Prompts {
        endpoint.user = Some("dba".into());
        endpoint.sudo = Some(citusctl::transport::Sudo {
            user: "root".into(),
            password: Some(Secret::new("x")),
        });
    }
    let ended = async {
        let via = connect(&endpoint, &resolver()).await?;
        let mut program = Program::new("main() { :; }\nmain </dev/null\n");
        program.deadline = deadline;
        let exit = via.run(&program, sink).await;
        via.close().await;
        exit
    };
    let result = tokio::time::timeout(BOUND * 2, ended)
        .await
        .expect("it ends by itself");
    assert!(
        started.elapsed() < BOUND,
        "{harm:?} took {:?}",
        started.elapsed()
    );
    result
}

async fn words(harm: Harm) -> String {
    let mut sink = Collected::default();
    let error = suffered(harm, &mut sink, None).await.unwrap_err();
    let words = error.chain().join(": ");
    assert!(words.starts_with("db-1: "), "{words}");
    assert!(
        words.len() < 3000,
        "{harm:?}: {} bytes of words",
        words.len()
    );
    words
}

#[tokio::test]
async fn a_host_that_is_silent_or_never_done_is_given_up_in_words() {
    for (harm, said) in [
        (Harm::SilentLogin, "connecting to 127.0.0.1:"),
        (Harm::SilentOpen, "opening a session did not end within 3 s"),
        (Harm::SilentShell, "entering a shell did not end within 3 s"),
        (
            Harm::Chatter,
            "entering a shell did not end within 3 s: `one moment`",
        ),
        (Harm::Prompts, "does not become `root`"),
        (Harm::Banner, "is not let in (password: refused"),
    ] {
        let words = match harm {
            Harm::Prompts => {
                // sudo never ends: the second question already says that the password is wrong.
                let error = suffered(harm, &mut Collected::default(), None)
                    .await
                    .unwrap_err();
                error.chain().join(": ")
            }
            _ => words(harm).await,
        };
        assert!(
            words.contains(said)
                || (harm == Harm::Prompts && words.contains("entering a shell did not end")),
            "{harm:?}: {words}"
        );
    }
}

#[tokio::test]
async fn a_host_that_hangs_up_is_told_from_one_that_answers() {
    for (harm, said) in [
        (Harm::CloseAfterLogin, "db-1: "),
        (Harm::CloseAtCommand, "connection lost during"),
        (
            Harm::CloseInLine,
            "connection lost during the program: no exit status came",
        ),
    ] {
        let words = words(harm).await;
        assert!(words.contains(said), "{harm:?}: {words}");
    }
}

/// Takes little.
struct Narrow(Collected);

impl OutputSink for Narrow {
    fn line(&mut self, stream: StreamKind, line: &[u8]) {
        self.0.line(stream, line);
    }

    fn room(&self) -> OutputLimit {
        OutputLimit {
            bytes: 1 << 20,
            lines: 1000,
        }
    }
}

#[tokio::test]
async fn a_host_that_never_stops_is_read_no_further_than_the_bound() {
    for (harm, said) in [
        (
            Harm::Flood,
            "db-1: it sent more than 1.0 MiB; stopped reading",
        ),
        (
            Harm::Lines,
            "db-1: it sent more than 1000 lines; stopped reading",
        ),
    ] {
        let mut sink = Narrow(Collected::default());
        let error = suffered(harm, &mut sink, None).await.unwrap_err();
        assert_eq!(error.to_string(), said);
        assert!(sink.0.out.len() <= (1 << 20) + 1);
        assert!(!error.is_entry() && !error.is_retryable());
    }
}

#[tokio::test]
async fn a_deadline_holds_however_much_is_said() {
    let mut sink = Collected::default();
    let error = suffered(Harm::Lines, &mut sink, Some(Duration::from_millis(1)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Timeout { .. } | TransportError::Flood { .. }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_text_is_taken_as_text_and_half_a_frame_as_what_it_is() {
    let mut sink = Collected::default();
    suffered(Harm::Binary, &mut sink, None).await.unwrap();
    assert_eq!(sink.out, "\0\u{fffd}\u{fffd}\x1b[2J\u{fffd}\r\nend\n");
    let mut sink = Collected::default();
    suffered(Harm::HalfFrame, &mut sink, None).await.unwrap();
    assert_eq!(sink.out, "@@frame begin 0 x\n");
}

#[tokio::test]
async fn what_is_no_ssh_is_refused_before_it_fills_anything() {
    let frame = [&b"SSH-2.0-x\r\n"[..], &[0xff; 64]].concat();
    let cut = [&b"SSH-2.0-x\r\n"[..], &[0, 0, 1, 0, 4, 20]].concat();
    for (said, close) in [
        (vec![b'x'; 1 << 20], false),
        (b"noise\r\n".repeat(100_000), false),
        (b"\x1b[2J\x00\xff\r\n".repeat(30), true),
        (frame, false),
        (cut, true),
        (Vec::new(), false),
        (Vec::new(), true),
    ] {
        let (port, _) = raw(said.clone(), close).await;
        let started = Instant::now();
        let error = connect(&endpoint("db-1", port, Duration::from_secs(1)), &resolver()).await;
        let error = error.map(|_| ()).unwrap_err();
        assert!(
            error.is_entry()
                || matches!(
                    error,
                    TransportError::Protocol { .. } | TransportError::Timeout { .. }
                ),
            "{error}"
        );
        assert!(error.to_string().starts_with("db-1: "), "{error}");
        assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    }
}

fn emitter() -> Emitter {
    Emitter::new(
        RunId::new("r"),
        Box::new(|| Moment::from_millis(0)),
        Masker::default(),
        Vec::new(),
    )
}

#[tokio::test]
async fn only_the_hostile_hosts_of_a_fleet_fail() {
    let (good, _) = serve(Harm::None).await;
    let (bad, _) = serve(Harm::SilentLogin).await;
    let (worse, _) = raw(vec![b'x'; 1 << 20], false).await;
    let endpoints = vec![
        endpoint("bad", bad, Duration::from_secs(2)),
        endpoint("good", good, Duration::from_secs(8)),
        endpoint("worse", worse, Duration::from_secs(2)),
    ];
    let fleet = Fleet::connect(endpoints, Arc::new(resolver()), 50, &emitter()).await;
    assert_eq!(
        fleet.hosts().into_iter().collect::<Vec<_>>(),
        [HostName::new("good")]
    );
    let failed: Vec<&str> = fleet.unreachable().keys().map(HostName::as_str).collect();
    assert_eq!(failed, ["bad", "worse"]);
    let via = fleet.get(&HostName::new("good")).unwrap();
    let mut output = Collected::default();
    via.run(&Program::new(":"), &mut output).await.unwrap();
    assert_eq!(output.out, "here\n");
    assert!(via.open(&Target::Tcp("127.0.0.1".into(), 1)).await.is_err());
    fleet.close().await;
}

#[tokio::test]
async fn a_dead_jump_host_is_dialled_once_and_its_failure_is_shared() {
    let (port, came) = raw(Vec::new(), false).await;
    let limit = Duration::from_millis(1500);
    let behind = |name: &str| {
        let mut endpoint = endpoint(name, 1, limit);
        endpoint.jump = JumpHost::parse_chain(&format!("root@127.0.0.1:{port}"));
        endpoint
    };
    let names: Vec<String> = (0..12).map(|n| format!("db-{n}")).collect();
    let started = Instant::now();
    let endpoints = names.iter().map(|name| behind(name)).collect();
    let fleet = Fleet::connect(endpoints, Arc::new(resolver()), 3, &emitter()).await;
    assert!(
        started.elapsed() < limit * 4,
        "one after the other: {:?}",
        started.elapsed()
    );
    assert_eq!(
        (fleet.unreachable().len(), came.load(Ordering::Relaxed)),
        (12, 1)
    );
    let error = &fleet.unreachable()[&HostName::new("db-7")];
    let words = error.chain().join(": ");
    assert_eq!(
        words,
        format!(
            "db-7: the jump host does not work: 127.0.0.1: connecting to 127.0.0.1:{port} did not end within 1.5 s"
        )
    );
}

#[tokio::test]
async fn a_proxy_command_is_run_with_its_tokens_and_its_words_are_told() {
    let (port, _) = serve(Harm::None).await;
    let options = |command: String| vec![("proxycommand".to_owned(), command)];
    // The address is nobody's: only the command knows the way.
    let mut through = endpoint("db-1", port, Duration::from_secs(8));
    through.address = "db.invalid".into();
    through.options =
        options("bash -c 'exec 3<>/dev/tcp/127.0.0.1/%p; cat <&3 & cat >&3' # %h %r".into());
    let via = connect(&through, &resolver()).await.unwrap();
    let mut output = Collected::default();
    via.run(&Program::new(":"), &mut output).await.unwrap();
    assert_eq!(output.out, "here\n");

    through.options = options("sh -c 'echo no way to %h >&2; exit 1'".into());
    let error = connect(&through, &resolver())
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(error.is_entry());
    let words = error.chain().join(": ");
    assert!(
        words.contains("the proxy command said `no way to db.invalid`"),
        "{words}"
    );

    through.address = "a;reboot".into();
    let error = connect(&through, &resolver())
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`a;reboot` cannot stand in a command"),
        "{error}"
    );
}

/// Reads a listener's first connection for a while: nothing of a password must come before a key is trusted.
#[tokio::test]
async fn no_password_goes_to_a_host_whose_key_has_changed() {
    let (port, logins) = serve(Harm::None).await;
    let dir = tempfile::tempdir().unwrap();
    let known = dir.path().join("known_hosts");
    let other = PrivateKey::from(Ed25519Keypair::from_seed(&[8; 32]));
    let other = other.public_key().to_openssh().unwrap();
    std::fs::write(&known, format!("[127.0.0.1]:{port} {other}\n")).unwrap();
    for policy in [
        HostKeyPolicy::Strict,
        HostKeyPolicy::AcceptNew,
        HostKeyPolicy::Off,
    ] {
        let resolver = resolver().with_known_hosts(&known).with_host_keys(policy);
        let error = connect(&endpoint("db-1", port, Duration::from_secs(8)), &resolver).await;
        let error = error.map(|_| ()).unwrap_err();
        assert!(error.is_entry(), "exit 5: {error}");
        assert!(
            error.to_string().contains("is not the one recorded at"),
            "{error}"
        );
    }
    assert_eq!(logins.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn checking_switched_off_in_the_ssh_configuration_is_told_and_new_keys_are_recorded() {
    let (port, _) = serve(Harm::None).await;
    let dir = tempfile::tempdir().unwrap();
    let known = dir.path().join("known_hosts");
    let resolver = Resolver::default()
        .with_config("/dev/null")
        .with_home("/nonexistent")
        .with_known_hosts(&known);
    let mut endpoint = endpoint("db-1", port, Duration::from_secs(8));
    assert!(
        connect(&endpoint, &resolver).await.is_err(),
        "without it an unknown key is refused"
    );
    assert!(resolver.take_notices().is_empty());
    endpoint.options = vec![("stricthostkeychecking".to_owned(), "no".to_owned())];
    for _ in 0..2 {
        connect(&endpoint, &resolver).await.unwrap();
    }
    let notices = resolver.take_notices();
    assert_eq!(notices.len(), 2, "once each: {notices:?}");
    assert!(
        notices[0].starts_with("`StrictHostKeyChecking no`"),
        "{notices:?}"
    );
    assert!(
        notices[1].contains("was not known; it is now recorded in"),
        "{notices:?}"
    );
    let recorded = std::fs::read_to_string(&known).unwrap();
    assert!(
        recorded.starts_with(&format!("[127.0.0.1]:{port} ssh-ed25519 ")),
        "{recorded}"
    );

    let nowhere = Resolver::default()
        .with_config("/dev/null")
        .with_home("/proc/nowhere");
    connect(&endpoint, &nowhere).await.unwrap();
    let notices = nowhere.take_notices();
    assert!(notices[1].contains("accepted all the same"), "{notices:?}");
}

#[tokio::test]
async fn the_test_server_itself_is_what_it_says() {
    let (port, _) = raw(b"hello".to_vec(), true).await;
    let mut said = Vec::new();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    stream.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"hello");
}
