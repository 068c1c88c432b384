//! A step as shell text: postcondition, precondition, action in one program, told apart by marks.

use crate::command::{Frame, FrameLine, given, whole_program};
use crate::resource::prelude;
use crate::secret::Secret;
use std::time::Duration;

/// The status by which an action says that it refuses.
const REFUSED: u8 = 94;

/// Three pieces of shell text with `errexit` on. What a failing check prints are the words that people see.
#[derive(Clone, Debug)]
pub struct Script {
    /// The precondition, checked immediately before the action. What it prints on failure is why not.
    pub require: Secret,
    /// The action; can be run again. May be empty: then the step only waits. One that finds its precondition only while
    /// it looks says `refuse WORDS` before it has changed anything.
    pub act: Secret,
    /// The postcondition: quick, without effect. Holds it beforehand, the step is skipped.
    pub holds: Secret,
}

impl Script {
    /// An action and how its end is known.
    pub fn new(act: impl Into<String>, holds: impl Into<String>) -> Self {
        Self {
            require: Secret::new(""),
            act: Secret::new(act),
            holds: Secret::new(holds),
        }
    }

    /// Waits for a condition.
    pub fn wait(holds: impl Into<String>) -> Self {
        Self::new("", holds)
    }

    /// The same with a precondition.
    #[must_use]
    pub fn require(mut self, check: impl Into<String>) -> Self {
        self.require = Secret::new(check);
        self
    }
}

/// What a line of a step's program means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The postcondition held beforehand.
    Skipped,
    /// The precondition does not hold; the lines before say why.
    Refused,
    /// The action begins: what was said before is no part of it.
    Acting,
    /// The action failed with a status.
    Failed(i32),
    /// The action is through; the postcondition is waited for.
    Waiting,
    /// The postcondition does not hold yet; the line says what is missing.
    Still(String),
    /// Nor did it in time.
    Late,
    Done,
    /// Output of the step.
    Text(String),
}

impl Attempt {
    /// Reads a line.
    pub fn read(frame: &Frame, line: &str) -> Self {
        let FrameLine::Mark(words) = frame.read(line) else {
            return Self::Text(line.trim_end().to_owned());
        };
        match words.as_slice() {
            ["skipped"] => Self::Skipped,
            ["refused"] => Self::Refused,
            ["acting"] => Self::Acting,
            ["failed", code] => Self::Failed(code.parse().unwrap_or(-1)),
            ["waiting"] => Self::Waiting,
            ["still", words @ ..] => Self::Still(words.join(" ")),
            ["late"] => Self::Late,
            ["done"] => Self::Done,
            _ => Self::Text(line.trim_end().to_owned()),
        }
    }
}

/// The program of a step on one host. `guard` is shell text that makes the program hold the lock of its run, and defines `ours`,
/// which fails when that is no longer so.
pub fn attempt_program(
    frame: &Frame,
    guard: &str,
    run: &str,
    functions: Option<&Secret>,
    script: &Script,
    within: Duration,
) -> Secret {
    let (refused, within) = (REFUSED.to_string(), within.as_secs().to_string());
    let values = [("REFUSED", refused.as_str()), ("WITHIN", &within)];
    let text = format!(
        "{mark}{guard}{prelude}{functions}\n\
         holds() {{\n{holds}\n:\n}}\nrequire() {{\n{require}\n:\n}}\nact() {{\n{act}\n:\n}}\n{attempt}",
        mark = frame.define_mark(),
        prelude = prelude(run),
        functions = functions.map(Secret::expose).unwrap_or_default(),
        holds = script.holds.expose(),
        require = script.require.expose(),
        act = script.act.expose(),
        attempt = given(&values, include_str!("scripts/attempt.sh")),
    );
    whole_program(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn attempts(script: &Script, seconds: u64) -> Vec<Attempt> {
        let frame = Frame::new("n0");
        let program = attempt_program(
            &frame,
            "ours() { :; }\n",
            "r",
            None,
            script,
            Duration::from_secs(seconds),
        );
        let mut child = Command::new("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text = program.expose().as_bytes().to_vec();
        child.stdin.take().unwrap().write_all(&text).unwrap();
        let output = child.wait_with_output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        output
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| Attempt::read(&frame, line))
            .collect()
    }

    fn text(text: &str) -> Attempt {
        Attempt::Text(text.to_owned())
    }

    #[test]
    fn a_step_whose_postcondition_holds_is_skipped() {
        assert_eq!(
            attempts(&Script::new("echo no", ":"), 1),
            [Attempt::Skipped]
        );
    }

    #[test]
    fn a_precondition_stops_it_with_its_words() {
        let script =
            Script::new("echo no", "false").require("echo 'etcd has a majority'\nfalse\n:");
        assert_eq!(
            attempts(&script, 1),
            [text("etcd has a majority"), Attempt::Refused]
        );
    }

    #[test]
    fn an_action_may_refuse_by_itself() {
        let script = Script::new("refuse somebody is back\necho no", "false");
        let wanted = [Attempt::Acting, text("somebody is back"), Attempt::Refused];
        assert_eq!(attempts(&script, 1), wanted);
    }

    #[test]
    fn the_action_ends_at_its_first_failure() {
        let script = Script::new("echo one\n(exit 3)\necho two", "false");
        let wanted = [Attempt::Acting, text("one"), Attempt::Failed(3)];
        assert_eq!(attempts(&script, 1), wanted);
    }

    #[test]
    fn the_postcondition_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let flag = dir.path().join("flag").display().to_string();
        let script = Script::new(
            format!("(sleep 0.3; : >{flag}) >/dev/null 2>&1 &"),
            format!("if ! [ -e {flag} ]; then echo 'no  flag'; false; fi"),
        );
        let wanted = [
            Attempt::Acting,
            Attempt::Waiting,
            Attempt::Still("no flag".into()),
            Attempt::Done,
        ];
        assert_eq!(attempts(&script, 5), wanted);
        let never = Script::wait("echo never\nfalse");
        let wanted = [
            Attempt::Acting,
            Attempt::Waiting,
            Attempt::Still("never".into()),
            text("never"),
            Attempt::Late,
        ];
        assert_eq!(attempts(&never, 1), wanted);
    }
}
