//! Secrets leave an event before anybody sees it.

use super::{Kind, StepOutcome};
use crate::secret::Masker;

/// The event with every known secret in its free text replaced. Names are left alone.
pub fn masked(mut kind: Kind, masker: &Masker) -> Kind {
    for text in free_text(&mut kind) {
        let clean = masker.mask(text);
        if clean != *text {
            *text = clean;
        }
    }
    kind
}

/// Every text in which a machine's or a person's words may stand.
fn free_text(kind: &mut Kind) -> Vec<&mut String> {
    match kind {
        Kind::HostUnreachable { error, hints, .. } => with(error, hints, &mut []),
        Kind::StepStarted { title, .. } => vec![title],
        Kind::StepFinished {
            title,
            outcome,
            output_tail,
            ..
        } => step_text(title, outcome, output_tail),
        Kind::Output { line, .. } => vec![line],
        Kind::GateWaiting { detail, .. } | Kind::GatePassed { detail, .. } => vec![detail],
        Kind::GateFailed { detail, log, .. } => with(detail, log, &mut []),
        Kind::HostFailed {
            error, log, hints, ..
        } => with(error, log, hints),
        Kind::Note { text } => vec![text],
        Kind::Interrupted { what } => vec![what],
        Kind::RunStarted { .. }
        | Kind::HostConnected { .. }
        | Kind::Observed { .. }
        | Kind::StageStarted { .. }
        | Kind::StageFinished { .. }
        | Kind::RunFinished { .. } => Vec::new(),
    }
}

fn step_text<'a>(
    title: &'a mut String,
    outcome: &'a mut StepOutcome,
    tail: &'a mut [String],
) -> Vec<&'a mut String> {
    let mut all = with(title, tail, &mut []);
    match outcome {
        StepOutcome::Skipped { reason } => all.push(reason),
        StepOutcome::Done | StepOutcome::Failed { .. } => {}
    }
    all
}

fn with<'a>(
    first: &'a mut String,
    lines: &'a mut [String],
    more: &'a mut [String],
) -> Vec<&'a mut String> {
    std::iter::once(first).chain(lines).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn blanks_secrets_in_all_free_text_of_a_step() {
        let mut masker = Masker::default();
        masker.add(Secret::new("hunter22"));
        let kind = Kind::StepFinished {
            host: "h1".into(),
            resource: "pgsql/hunter22".into(),
            title: "set hunter22".into(),
            outcome: StepOutcome::Skipped {
                reason: "has hunter22".into(),
            },
            millis: 1,
            output_tail: vec!["x=hunter22;".into()],
        };
        let expected = Kind::StepFinished {
            host: "h1".into(),
            resource: "pgsql/hunter22".into(),
            title: "set ********".into(),
            outcome: StepOutcome::Skipped {
                reason: "has ********".into(),
            },
            millis: 1,
            output_tail: vec!["x=********;".into()],
        };
        assert_eq!(masked(kind, &masker), expected);
    }
}
