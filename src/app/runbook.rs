//! What all verbs that run a runbook share: show it, ask for consent, carry it out, say how it ended.

use super::apply::{outcome, outcome_of};
use super::failure::{Failure, code, compact, result, say};
use super::options::Options;
use super::session::Session;
use crate::engine::{self, Run};
use crate::event::Outcome;
use crate::runbook::{Consent, Refusal, Runbook};
use crate::ui::{runbook_view, term};

/// How a runbook is consented to.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// The name that stands for consent where nobody is asked.
    pub confirm: Option<String>,
    /// Show the plan and stop.
    pub dry_run: bool,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(
            code::REFUSED,
            format!("{}\n  nothing was changed", refusal.reason),
        )
        .hint(refusal.hint)
    }
}

/// Shows a planned runbook, asks, carries it out, and ends the run of the session. `planned` is the planner's
/// answer, so that a refusal ends the run as well.
pub async fn run(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    planned: Result<Runbook, Failure>,
) -> Result<u8, Failure> {
    run_after(options, args, session, run, planned, || Ok(())).await
}

/// The same, with something to do on this computer once consent is given, before any host is touched.
pub async fn run_after(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    planned: Result<Runbook, Failure>,
    first: impl FnOnce() -> Result<(), Failure>,
) -> Result<u8, Failure> {
    close(
        session,
        decide(options, args, session, run, planned, first).await,
    )
    .await
}

/// Ends the run of the session, as it went.
pub(super) async fn close(
    session: &Session<'_>,
    ended: Result<Outcome, (Outcome, Failure)>,
) -> Result<u8, Failure> {
    match ended {
        Ok(outcome) => Ok(session.finish(outcome).await),
        Err((outcome, failure)) => {
            session.finish(outcome).await;
            Err(failure)
        }
    }
}

/// What is to be done by hand once a runbook is through.
pub(super) fn afterwards(options: &Options, session: &Session<'_>, book: &Runbook) {
    if !options.json && !options.quiet {
        session.emitter.pause();
        book.afterwards.iter().for_each(|line| say(line));
    }
}

/// Shows, asks and carries out; the session stays open.
pub(super) async fn decide(
    options: &Options,
    args: &Approval,
    session: &Session<'_>,
    run: &Run<'_>,
    planned: Result<Runbook, Failure>,
    first: impl FnOnce() -> Result<(), Failure>,
) -> Result<Outcome, (Outcome, Failure)> {
    let stopped = |failure: Failure| (outcome_of(failure.code), failure);
    session.emitter.pause();
    let book = planned.map_err(stopped)?;
    show(options, args, &book, &session.masker).map_err(stopped)?;
    if args.dry_run || book.steps.is_empty() {
        return Ok(Outcome::Done);
    }
    consent(options, args, &book).map_err(stopped)?;
    first().map_err(stopped)?;
    engine::carry_out(run, &book)
        .await
        .map_err(|error| (outcome(&error), Failure::from(error)))?;
    afterwards(options, session, &book);
    Ok(Outcome::Done)
}

/// With JSON the plan is a result only where nothing follows; otherwise the events are.
pub(super) fn show(
    options: &Options,
    args: &Approval,
    book: &Runbook,
    masker: &crate::secret::Masker,
) -> Result<(), Failure> {
    if !options.json {
        result(&masker.mask(&runbook_view(book)))?;
    } else if args.dry_run {
        result(&masker.mask(&compact(book)?))?;
    }
    Ok(())
}

/// What the operator has to say, by the runbook's own measure.
pub(super) fn consent(options: &Options, args: &Approval, book: &Runbook) -> Result<(), Failure> {
    if let Some(said) = &args.confirm {
        return match *said == book.subject {
            true => Ok(()),
            false => Err(Failure::new(
                code::DECLINED,
                format!(
                    "`--confirm {said}` is not `{}`; nothing was changed",
                    book.subject
                ),
            )
            .hint(format!(
                "if this is what you want, say `--confirm {}`",
                book.subject
            ))),
        };
    }
    match book.consent {
        Consent::Yes if options.yes => Ok(()),
        Consent::Yes => ask("Do this? [y/N] ", "`--yes` answers", |said| {
            matches!(said, "y" | "yes" | "Y" | "Yes")
        }),
        Consent::Name => ask(
            &format!("Type `{}` to go on: ", book.subject),
            &format!(
                "`--confirm {}` answers; `--yes` does not, because data may be lost",
                book.subject
            ),
            |said| said == book.subject,
        ),
    }
}

pub(super) fn ask(
    question: &str,
    answer: &str,
    good: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    if !term::can_ask() {
        return Err(Failure::new(
            code::DECLINED,
            "there is no terminal to ask for consent at; nothing was changed",
        )
        .hint(answer));
    }
    let declined = || Failure::new(code::DECLINED, "declined; nothing was changed");
    let said = term::ask(&format!("\n{question}")).map_err(|_| declined())?;
    if good(said.trim()) {
        Ok(())
    } else {
        Err(declined())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn book(consent: Consent) -> Runbook {
        Runbook {
            name: "test",
            aim: String::new(),
            subject: "pg-a".to_owned(),
            seen: Vec::new(),
            risks: Vec::new(),
            consent,
            steps: Vec::new(),
            afterwards: Vec::new(),
            prelude: BTreeMap::new(),
        }
    }

    #[test]
    fn yes_is_not_enough_where_data_may_be_lost() {
        let args = |name: Option<&str>| Approval {
            confirm: name.map(str::to_owned),
            dry_run: false,
        };
        let yes = Options {
            yes: true,
            ..Options::default()
        };
        assert!(consent(&yes, &args(None), &book(Consent::Yes)).is_ok());
        let refused = consent(&yes, &args(None), &book(Consent::Name));
        assert_eq!(refused.unwrap_err().code, code::DECLINED);
        assert!(consent(&yes, &args(Some("pg-a")), &book(Consent::Name)).is_ok());
        let wrong = consent(&yes, &args(Some("pg-b")), &book(Consent::Name)).unwrap_err();
        assert_eq!(wrong.code, code::DECLINED);
        assert!(wrong.text.contains("is not `pg-a`"), "{}", wrong.text);
    }
}
