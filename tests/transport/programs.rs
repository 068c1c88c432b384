//! Programs: output, ends, input, deadlines.

use super::sh;
use super::sshd::Sshd;
use citusctl::names::HostName;
use citusctl::transport::{
    Collected, Endpoint, Exit, Program, StreamKind, Sudo, Transport, TransportError, connect,
};
use std::time::{Duration, Instant};

async fn local() -> Box<dyn Transport> {
    let mut endpoint = Endpoint::new(HostName::new("db-1"), "127.0.0.1");
    endpoint.local = true;
    endpoint.sudo = None;
    connect(&endpoint, &citusctl::transport::Resolver::default())
        .await
        .unwrap()
}

/// The same expectations hold over SSH and on this machine.
async fn both(sshd: &Sshd) -> [Box<dyn Transport>; 2] {
    sshd.know_right();
    [
        connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap(),
        local().await,
    ]
}

#[tokio::test]
async fn output_and_ends() {
    let Some(sshd) = Sshd::start() else { return };
    for via in both(&sshd).await {
        let (exit, output) = sh(&*via, "echo a; echo b >&2; printf '\\ttail'; exit 7").await;
        assert_eq!(exit, Exit::Code(7));
        assert_eq!(
            (output.out.as_str(), output.err.as_str()),
            ("a\n\ttail\n", "b\n")
        );
        let (exit, _) = sh(&*via, "kill -TERM $$").await;
        assert_eq!(exit, Exit::Signal("TERM".into()));
        let (exit, _) = sh(&*via, "no-such-command").await;
        assert_eq!(exit, Exit::Code(127));
        let (exit, output) = sh(&*via, "").await;
        assert_eq!((exit, output), (Exit::Code(0), Collected::default()));
        assert_eq!(via.stats().execs, 4);
    }
}

#[tokio::test]
async fn a_program_that_leaves_early_does_not_hang() {
    let Some(sshd) = Sshd::start() else { return };
    for via in both(&sshd).await {
        let text = format!("exit 3\n{}", "# filler\n".repeat(20_000_000 / 9));
        for _ in 0..12 {
            let (exit, _) = sh(&*via, &text).await;
            assert_eq!(exit, Exit::Code(3));
        }
    }
}

#[tokio::test]
async fn much_input_and_much_output() {
    let Some(sshd) = Sshd::start() else { return };
    for via in both(&sshd).await {
        let text = format!(
            "main() {{ wc -c <<'END'\n{}END\nhead -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 100\n}}\nmain </dev/null\n",
            "0123456\n".repeat(1_000_000)
        );
        let (mut lines, mut bytes) = (0_usize, 0_usize);
        let mut count = |_: StreamKind, line: &[u8]| {
            lines += 1;
            bytes += line.len();
        };
        let exit = via.run(&Program::new(text), &mut count).await.unwrap();
        assert!(exit.ok());
        assert_eq!((lines, bytes), (200_001, 20_000_007));
    }
}

#[tokio::test]
async fn a_deadline_kills_the_whole_program() {
    let Some(sshd) = Sshd::start() else { return };
    let mark = format!("30.{}", std::process::id());
    for via in both(&sshd).await {
        let text =
            format!("main() {{ echo begun; sleep {mark} & sleep {mark}; }}\nmain </dev/null\n");
        let program = Program::new(text).within(Duration::from_millis(500));
        let (start, mut output) = (Instant::now(), Collected::default());
        let error = via.run(&program, &mut output).await.unwrap_err();
        assert!(matches!(error, TransportError::Timeout { .. }), "{error}");
        assert!(error.to_string().contains("it was killed"), "{error}");
        assert_eq!(output.out, "begun\n");
        assert!(start.elapsed() < Duration::from_secs(6));
        let (_, left) = sh(
            &*via,
            &format!("grep -al '[s]leep.{mark}' /proc/[0-9]*/cmdline 2>/dev/null"),
        )
        .await;
        assert_eq!(left.out, "", "nothing is left");
    }
}

#[tokio::test]
async fn a_deadline_reaches_through_sudo() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint_as("free");
    endpoint.sudo = Some(Sudo::default());
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    let program = Program::new("sleep 30; sleep 30").within(Duration::from_millis(500));
    let error = via
        .run(&program, &mut Collected::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it was killed"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_lost_and_not_done() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    // The parent of the login shell is the sshd that serves this connection.
    let program =
        Program::new("echo begun; kill -9 $(awk '/^PPid/ { print $2 }' /proc/$$/status); sleep 5");
    let mut output = Collected::default();
    let error = via.run(&program, &mut output).await.unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error}");
    assert!(error.is_retryable());
    let again = via
        .run(&Program::new("true"), &mut Collected::default())
        .await
        .unwrap_err();
    assert!(matches!(again, TransportError::Lost { .. }), "{again}");
}

#[tokio::test]
async fn many_programs_at_once_on_one_connection() {
    let Some(sshd) = Sshd::start() else { return };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    let via: &dyn Transport = &*via;
    let mut tasks = Vec::new();
    for index in 0..30 {
        tasks.push(async move { sh(via, &format!("echo {index}")).await.1.out });
    }
    for (index, output) in futures_all(tasks).await.into_iter().enumerate() {
        assert_eq!(output, format!("{index}\n"));
    }
    let stats = via.stats();
    assert_eq!((stats.connections, stats.execs, stats.tunnels), (1, 30, 0));
    assert!(stats.bytes_out > 0 && stats.bytes_in > 0);
    via.close().await;
    assert!(
        via.run(&Program::new("true"), &mut Collected::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn programs_that_nobody_waits_for_give_their_sessions_back() {
    let Some(sshd) = Sshd::with("MaxSessions 3") else {
        return;
    };
    sshd.know_right();
    let via = connect(&sshd.endpoint(), &sshd.resolver()).await.unwrap();
    for _ in 0..10 {
        let program = Program::new("cat /dev/zero");
        let mut sink = Collected::default();
        let run = via.run(&program, &mut sink);
        let waited = tokio::time::timeout(Duration::from_millis(100), run).await;
        assert!(waited.is_err());
    }
    assert_eq!(sh(&*via, "echo here").await.1.out, "here\n");
}

/// Drives all futures side by side.
async fn futures_all<F: Future<Output = String>>(tasks: Vec<F>) -> Vec<String> {
    let mut tasks: Vec<_> = tasks.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<String>> = tasks.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (task, result) in tasks.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(output) = task.as_mut().poll(context)
            {
                *result = Some(output);
            }
        }
        if results.iter().all(Option::is_some) {
            return std::task::Poll::Ready(results.iter_mut().filter_map(Option::take).collect());
        }
        std::task::Poll::Pending
    })
    .await
}

#[tokio::test]
async fn chatter_before_the_shell_is_not_output() {
    let Some(sshd) = Sshd::with_users() else {
        return;
    };
    sshd.know_right();
    let mut endpoint = sshd.endpoint_as("asks");
    endpoint.sudo = None;
    let via = connect(&endpoint, &sshd.resolver()).await.unwrap();
    let (_, output) = sh(&*via, "echo only this").await;
    assert_eq!(output.out, "only this\n");
    // What came on standard error is handed on: it may matter.
    assert_eq!(output.err, "noise\n");
}
