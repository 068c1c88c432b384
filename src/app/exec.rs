//! `exec`: a command on many hosts, ad hoc.

use super::failure::{Failure, data, pretty, result, written};
use super::options::Options;
use super::project::Project;
use super::session::Session;
use crate::command::quote;
use crate::engine::{Answer, Unanswered, on_all};
use crate::event::{Kind, Outcome};
use crate::names::HostName;
use crate::ui::term;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What to run.
#[derive(Debug)]
pub struct ExecRequest {
    pub command: Vec<String>,
    /// In seconds; 0: none.
    pub timeout: u64,
    /// Whether the output comes as it is on a terminal, too.
    pub raw: bool,
}

type ExecAnswers = BTreeMap<HostName, Result<Answer, Unanswered>>;

fn deadline(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Runs a command on hosts in parallel.
///
/// # Errors
/// Hosts that cannot be reached; a command that fails is an exit code.
pub async fn run(options: &Options, args: &ExecRequest) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let hosts = project.chosen(options)?;
    let silent = options.without_events();
    let session = Session::reach(&silent, &project, "exec", hosts.clone()).await?;
    let run = session.run()?;
    let text = shell_text(&args.command);
    session.emitter.emit(Kind::Note { text: text.clone() });
    let answers = on_all(&run, &hosts, &text, deadline(args.timeout)).await;
    drop(run);
    session.emitter.pause();
    let printed = match options.json {
        true => as_json(&answers).and_then(|text| result(&session.masker.mask(&text))),
        false => {
            let text = session.masker.mask(&as_text(&answers));
            if args.raw {
                written(term::raw(&text))
            } else {
                data(&text)
            }
        }
    };
    let code = session.finish(outcome(&answers)).await;
    printed.map(|()| code)
}

/// As `ssh` takes it, but that several words stay the words that they are.
fn shell_text(words: &[String]) -> String {
    match words {
        [text] => text.clone(),
        words => {
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            words.join(" ")
        }
    }
}

fn outcome(answers: &ExecAnswers) -> Outcome {
    let failed = |answer: &Result<Answer, Unanswered>| match answer {
        Ok(answer) => !answer.ok(),
        Err(why) => why.entered,
    };
    let unreached =
        |answer: &Result<Answer, Unanswered>| answer.as_ref().is_err_and(|w| !w.entered);
    if answers.values().any(unreached) {
        Outcome::Unreachable
    } else if answers.values().any(failed) {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}

fn as_text(answers: &ExecAnswers) -> String {
    let mut out = String::new();
    for (host, answer) in answers {
        match answer {
            Ok(answer) if answer.ok() => out.push_str(&format!("{host}\n")),
            Ok(Answer {
                status: Some(n), ..
            }) => {
                out.push_str(&format!("{host}: exit status {n}\n"));
            }
            Ok(_) => out.push_str(&format!("{host}: ended by a signal\n")),
            Err(why) => out.push_str(&format!("{}\n", told(host, &why.words))),
        }
        let said = answer.iter().flat_map(|a| [&a.out, &a.err]);
        for line in said.flat_map(|text| text.lines()) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

/// Words of the transport name the host themselves.
fn told(host: &HostName, words: &str) -> String {
    let prefix = format!("{host}: ");
    match words.starts_with(&prefix) {
        true => words.to_owned(),
        false => format!("{prefix}{words}"),
    }
}

fn as_json(answers: &ExecAnswers) -> Result<String, Failure> {
    let row = |(host, answer): (&HostName, &Result<Answer, Unanswered>)| match answer {
        Ok(a) => json!({ "host": host, "status": a.status, "out": a.out, "err": a.err }),
        Err(why) if why.entered => json!({ "host": host, "failed": why.words }),
        Err(why) => json!({ "host": host, "unreachable": why.words }),
    };
    let rows: Vec<_> = answers.iter().map(row).collect();
    pretty(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: i32) -> Result<Answer, Unanswered> {
        Ok(Answer {
            status: Some(status),
            out: "a\nb\n".into(),
            err: String::new(),
        })
    }

    #[test]
    fn words_stay_words_and_a_text_is_the_shells() {
        let words = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            shell_text(&words)
        };
        assert_eq!(words(&["echo $HOME | wc -c"]), "echo $HOME | wc -c");
        assert_eq!(words(&["echo", "a b", "$x"]), "echo 'a b' '$x'");
    }

    #[test]
    fn the_worst_answer_counts() {
        let all = |answers: Vec<Result<Answer, Unanswered>>| -> ExecAnswers {
            let named = answers.into_iter().enumerate();
            named
                .map(|(n, answer)| (HostName::new(format!("h{n}")), answer))
                .collect()
        };
        assert_eq!(outcome(&all(vec![answer(0)])), Outcome::Done);
        assert_eq!(outcome(&all(vec![answer(0), answer(3)])), Outcome::Failed);
        let why = |words: &str, entered| {
            Err(Unanswered {
                words: words.into(),
                entered,
            })
        };
        assert_eq!(
            outcome(&all(vec![answer(0), why("h1: too slow", true)])),
            Outcome::Failed
        );
        let mixed = all(vec![answer(3), why("no way", false)]);
        assert_eq!(outcome(&mixed), Outcome::Unreachable);
        assert_eq!(as_text(&mixed), "h0: exit status 3\n  a\n  b\nh1: no way\n");
    }
}
