//! What is wrong, in words, and the findings that belong to a host as a whole.

use super::StatusAnswers;
use super::host::HostAnswers;
use crate::engine::Run;
use crate::engine::fleet::chain;
use crate::event::status::CertificateStatus;
use crate::names::words::duration;
use crate::pki::inspect;
use time::OffsetDateTime;

/// Days before its end at which a certificate becomes a problem.
const EXPIRES_SOON: i64 = 30;

/// Seconds by which a clock may be off before it is said, and before it is a problem.
const CLOCK: (f64, f64) = (2.0, 10.0);

/// How full a file system of data may be (percent) before it is said, and before it is a problem.
const FULL: (u8, u8) = (90, 97);

/// Sentences, the host or group first.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub problems: Vec<String>,
    pub warnings: Vec<String>,
}

impl Findings {
    pub(super) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    pub(super) fn unreachable(&mut self, run: &Run<'_>) {
        for (host, error) in run.fleet.unreachable() {
            let why = chain(error);
            self.problem(match why.starts_with(host.as_str()) {
                true => why,
                false => format!("{host}: {why}"),
            });
        }
    }

    /// Hosts that are connected and did not say how they are.
    pub(super) fn unanswered(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            if let Err(why) = answer {
                self.problem(format!("{host} did not answer: {why}"));
            }
        }
    }

    /// Patroni lives on by the login that it has: whoever must log in again, as to take over, cannot.
    pub(super) fn logins(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            if let Some(why) = answer.as_ref().ok().and_then(|it| it.etcd_refuses.as_ref()) {
                self.problem(format!(
                    "{host}: etcd refuses the user and password of Patroni's file ({why}): nobody can take over; `citusctl apply` gives etcd the declared password"
                ));
            }
        }
    }

    /// A recover that is not closed, said once for all hosts that have its note.
    pub(super) fn emergency(&mut self, answers: &StatusAnswers) {
        let hosts = answers
            .hosts
            .values()
            .filter_map(|answer| answer.as_ref().ok());
        let mut notes: Vec<String> = hosts
            .filter_map(|seen| seen.emergency.as_ref())
            .map(|marker| {
                format!(
                    "{}: `citusctl recover rejoin` or `rebuild` closes it",
                    marker.sentence()
                )
            })
            .collect();
        notes.sort();
        notes.dedup();
        self.problems.extend(notes);
    }

    /// A restore that is not done, said once for all hosts that are part of it.
    pub(super) fn restore(&mut self, answers: &StatusAnswers) {
        let hosts = answers.hosts.iter();
        let open = hosts
            .filter_map(|(host, answer)| Some((host, answer.as_ref().ok()?.restore.as_ref()?)));
        if let Some((host, open)) = open.into_iter().max_by_key(|(_, open)| *open) {
            let (words, way_out) = (open.words(), open.way_out());
            self.problem(format!("{host}: it has {words}: {way_out}"));
        }
    }

    /// What a restore that has stopped nothing left beside the data: it takes its room.
    pub(super) fn prepared(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            for point in answer.iter().flat_map(|seen| &seen.prepared) {
                self.warn(format!(
                    "{host}: a restore to `{point}` has copied a backup beside its data, and has stopped nothing: `citusctl restore --point {point}` goes on, `citusctl restore undo` removes the copy"
                ));
            }
        }
    }

    /// What somebody prepared and nobody decides, as after a restore to a moment between the two.
    pub(super) fn in_doubt(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            for found in answer.iter().flat_map(|seen| &seen.in_doubt) {
                let age = duration(found.age * 1000);
                self.warn(format!("{host}: {}", found.sentence(&age)));
            }
        }
    }

    /// Clocks that are off: certificates, logs and `now()` go by them.
    pub(super) fn clocks(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            let Ok(seen) = answer else { continue };
            let Some(off) = seen.clock_off else {
                self.problem(format!(
                    "{host}: what its clock says is not known: `date` gave no time"
                ));
                continue;
            };
            let way = if off > 0.0 { "ahead" } else { "behind" };
            let words = format!("{host}: its clock is {:.0} s {way}", off.abs());
            match off.abs() {
                off if off >= CLOCK.1 => self.problem(words),
                off if off >= CLOCK.0 => self.warn(words),
                _ => {}
            }
        }
    }

    /// File systems of data that are nearly full, or full.
    pub(super) fn disks(&mut self, answers: &StatusAnswers) {
        for (host, answer) in &answers.hosts {
            let disks = answer.iter().flat_map(|seen| &seen.disks);
            let mute = |seen: &HostAnswers| seen.has_data && seen.disks.is_empty();
            if answer.as_ref().is_ok_and(mute) {
                self.problem(format!(
                    "{host}: how full its file systems are is not known: `df` gave no answer"
                ));
            }
            for (mount, full) in disks {
                let words = format!("{host}: the file system of {mount} is {full} % full");
                match *full {
                    full if full >= FULL.1 => self.problem(words),
                    full if full >= FULL.0 => self.warn(words),
                    _ => {}
                }
            }
        }
    }
}

/// The dates of all certificates.
pub(super) fn certificates(answers: &StatusAnswers, said: &mut Findings) -> Vec<CertificateStatus> {
    let now = OffsetDateTime::now_utc();
    let mut all = Vec::new();
    for (host, answer) in &answers.hosts {
        let found = answer.iter().flat_map(|seen| &seen.certificates);
        for (name, pem) in found {
            match inspect(name, pem) {
                Ok(inspected) => {
                    let days = (inspected.not_after - now).whole_days();
                    judge_days(&format!("{host}: the certificate of {name}"), days, said);
                    all.push(CertificateStatus {
                        host: host.clone(),
                        name: name.clone(),
                        days,
                    });
                }
                Err(error) => said.problem(format!("{host}: {}", chain(&error))),
            }
        }
    }
    all
}

fn judge_days(what: &str, days: i64, said: &mut Findings) {
    if days < 0 {
        said.problem(format!("{what} expired {} days ago", -days));
    } else if days < EXPIRES_SOON {
        said.problem(format!("{what} expires in {days} days"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_disks_are_said_before_they_are_problems() {
        let mut said = Findings::default();
        let mut answers = StatusAnswers::default();
        for (host, clock_off, full) in [("a", 600.4, 97), ("b", -3.0, 90), ("c", 1.0, 89)] {
            let disks = [("/data".to_owned(), full)].into();
            let seen = HostAnswers {
                clock_off: Some(clock_off),
                has_data: true,
                disks,
                ..HostAnswers::default()
            };
            answers.hosts.insert(host.into(), Ok(seen));
        }
        let mute = HostAnswers {
            has_data: true,
            ..HostAnswers::default()
        };
        answers.hosts.insert("d".into(), Ok(mute));
        said.clocks(&answers);
        said.disks(&answers);
        let problems = [
            "a: its clock is 600 s ahead",
            "d: what its clock says is not known: `date` gave no time",
            "a: the file system of /data is 97 % full",
            "d: how full its file systems are is not known: `df` gave no answer",
        ];
        assert_eq!(said.problems, problems);
        let warnings = [
            "b: its clock is 3 s behind",
            "b: the file system of /data is 90 % full",
        ];
        assert_eq!(said.warnings, warnings);
    }

    #[test]
    fn certificates_become_problems_in_their_last_month() {
        let mut said = Findings::default();
        for days in [-2, 29, 30] {
            judge_days("a: the certificate of etcd", days, &mut said);
        }
        assert_eq!(
            said.problems,
            [
                "a: the certificate of etcd expired 2 days ago",
                "a: the certificate of etcd expires in 29 days"
            ]
        );
    }
}
