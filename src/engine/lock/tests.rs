//! Locks as real shells and a real `flock` see them, in a directory of their own.

use super::*;
use crate::command::whole_program;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

fn frame() -> Frame {
    Frame::new("n0")
}

fn sh() -> Child {
    Command::new("sh")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A holder that has said its first word.
struct Holder {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Holder {
    fn new(dir: &Path, run: &str, files: &[&str]) -> Self {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let who = format!("run={run}\noperator=it's me\ncommand=apply");
        let text = shell::holder(&frame(), &dir.display().to_string(), &files, &who);
        let mut child = sh();
        let mut input = child.stdin.take().unwrap();
        let text = listening_program(&text);
        input.write_all(text.expose().as_bytes()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input: Some(input),
            output,
        }
    }

    /// Lines until the first mark, and the mark.
    fn answer(&mut self) -> (Owner, Vec<String>) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "{lines:?}");
            match frame().read(line.trim_end()) {
                FrameLine::Mark(words) => {
                    let words = words.iter().map(|word| (*word).to_owned()).collect();
                    return (Owner::read(lines.iter().map(String::as_str)), words);
                }
                FrameLine::Text(text) => lines.push(text.to_owned()),
            }
        }
    }

    /// The control side goes: its end of the pipe is closed.
    fn leave(mut self) {
        self.input = None;
        self.child.wait().unwrap();
    }
}

/// A program of a run that says `begun`, and ends when its input does, whatever becomes of its lock.
fn program(dir: &Path, run: &str, body: &str) -> Child {
    let guard = shell::guard(&dir.display().to_string(), run);
    let mut child = sh();
    let text = whole_program(&format!("{guard}\n{body}"));
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.expose().as_bytes()).unwrap();
    child
}

fn out_of(mut child: Child) -> String {
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child.wait().unwrap();
    out
}

fn looked(dir: &Path) -> Owner {
    let mut child = sh();
    let text = whole_program(&shell::look(&frame(), &dir.display().to_string()));
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.expose().as_bytes()).unwrap();
    drop(input);
    let out = out_of(child);
    assert!(out.contains("@@n0 done"), "{out}");
    Owner::read(out.lines())
}

fn first_line(child: &mut Child) -> (BufReader<ChildStdout>, String) {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    (output, line.trim_end().to_owned())
}

#[test]
fn the_second_run_is_told_whose_lock_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Holder::new(dir.path(), "r1", &["lock.pg-a", "lock"]);
    assert_eq!(first.answer().1, ["held"]);
    let mut second = Holder::new(dir.path(), "r2", &["lock.pg-a"]);
    let (owner, words) = second.answer();
    assert_eq!(words, ["busy", "lock.pg-a"]);
    assert_eq!(
        (owner.run.as_str(), owner.operator.as_str()),
        ("r1", "it's me")
    );
    assert_eq!(owner.life(), Life::Alive(Duration::ZERO));
    assert!(owner.programs.is_empty(), "{owner:?}");
    // Another formation's lock on the same host is another lock.
    let mut other = Holder::new(dir.path(), "r3", &["lock.pg-b"]);
    assert_eq!(other.answer().1, ["held"]);
    second.leave();
    other.leave();
    first.leave();
    let mut third = Holder::new(dir.path(), "r4", &["lock.pg-a", "lock"]);
    assert_eq!(third.answer().1, ["held"]);
    third.leave();
}

#[test]
fn a_program_that_outlives_its_run_still_has_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Holder::new(dir.path(), "r1", &["lock"]);
    assert_eq!(first.answer().1, ["held"]);
    let flag = dir.path().join("go").display().to_string();
    let body = format!("ours && echo begun\nuntil [ -e {flag} ]; do sleep 0.05; done\nours");
    let mut survivor = program(dir.path(), "r1", &body);
    let (mut output, line) = first_line(&mut survivor);
    assert_eq!(line, "begun");
    first.leave();
    let mut second = Holder::new(dir.path(), "r2", &["lock"]);
    let (owner, words) = second.answer();
    assert_eq!(words, ["busy", "lock"]);
    assert_eq!(owner.run, "r1");
    assert_eq!(owner.life(), Life::Dead("its connection has ended".into()));
    assert!(!owner.programs.is_empty(), "{owner:?}");
    second.leave();
    assert_eq!(looked(dir.path()).life(), owner.life());
    // It finds out between two steps, and ends.
    std::fs::write(&flag, "").unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains("has ended: nothing further is begun"),
        "{rest}"
    );
    survivor.wait().unwrap();
    assert_eq!(looked(dir.path()).life(), Life::Free);
    let mut third = Holder::new(dir.path(), "r3", &["lock"]);
    assert_eq!(third.answer().1, ["held"]);
    third.leave();
}

#[test]
fn a_program_of_an_older_run_does_not_begin() {
    let dir = tempfile::tempdir().unwrap();
    let mut now = Holder::new(dir.path(), "r2", &["lock"]);
    assert_eq!(now.answer().1, ["held"]);
    let late = out_of(program(dir.path(), "r1", "ours || exit 0\necho begun"));
    assert!(late.contains("(r1) on this host has ended"), "{late}");
    assert!(
        !late.contains("begun\n") || late.contains("is begun"),
        "{late}"
    );
    let own = out_of(program(dir.path(), "r2", "ours || exit 0\necho begun"));
    assert_eq!(own, "begun\n");
    now.leave();
}

#[test]
fn a_dead_runs_lock_can_be_taken_with_what_it_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Holder::new(dir.path(), "r1", &["lock"]);
    assert_eq!(first.answer().1, ["held"]);
    let mut survivor = program(dir.path(), "r1", "echo begun\nsleep 600");
    let (_output, line) = first_line(&mut survivor);
    assert_eq!(line, "begun");
    first.leave();
    let take = |programs| {
        let text = shell::take_away(
            &frame(),
            &dir.path().display().to_string(),
            "lock",
            "r1",
            programs,
        );
        let mut child = sh();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(whole_program(&text).expose().as_bytes())
            .unwrap();
        drop(input);
        out_of(child)
    };
    let refused = take(false);
    assert!(refused.contains("it is still held"), "{refused}");
    let taken = take(true);
    assert!(taken.contains("@@n0 freed"), "{taken}");
    survivor.wait().unwrap();
    assert_eq!(
        looked(dir.path()).ended.as_deref(),
        Some("taken away by unlock")
    );
}
