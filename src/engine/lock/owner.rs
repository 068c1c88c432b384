//! Whose a lock is, as its host tells it.

use std::time::Duration;

/// What a host knows of a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    pub run: String,
    /// `user@machine (pid N)`.
    pub operator: String,
    pub command: String,
    /// When it was taken, by the host's clock.
    pub since: String,
    /// Why its holder let go, where it has said so.
    pub ended: Option<String>,
    /// How long ago its run gave the last sign of life.
    pub silent: Option<Duration>,
    /// Whether a holder has it.
    pub held: bool,
    /// Programs of the run that still have it: process id and command line.
    pub programs: Vec<(u32, String)>,
    /// A program that the host lacks: nothing can be locked there.
    pub missing: Option<String>,
}

/// What is known of the run that has a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nobody has it.
    Free,
    /// A sign of life came so long ago.
    Alive(Duration),
    /// Its control side is gone, or has been silent for too long; why.
    Dead(String),
}

impl Owner {
    /// Reads the lines that the host printed. What a host says is text of a stranger: control characters are left out.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut owner = Self::default();
        for line in lines {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            owner.take(key, value);
        }
        owner
    }

    fn take(&mut self, key: &str, value: String) {
        match key {
            "run" => self.run = value,
            "operator" => self.operator = value,
            "command" => self.command = value,
            "since" => self.since = value,
            "ended" => self.ended = Some(value),
            "silent" => self.silent = value.parse().ok().map(Duration::from_secs),
            "held" => self.held = true,
            "missing" => self.missing = Some(value),
            "program" => {
                let (pid, words) = value.split_once(' ').unwrap_or((&value, ""));
                if let Ok(pid) = pid.parse() {
                    self.programs.push((pid, words.trim().to_owned()));
                }
            }
            _ => {}
        }
    }

    /// Whether its run lives, by what the host sees now.
    pub fn life(&self) -> Life {
        let limit = Duration::from_secs(super::SILENCE);
        let silent = match self.silent {
            Some(silent) => silent,
            None if self.held => Duration::ZERO,
            None => limit,
        };
        match (self.held, self.programs.is_empty(), &self.ended) {
            (false, true, _) => Life::Free,
            (true, _, None) if silent <= limit => Life::Alive(silent),
            (_, _, Some(why)) => Life::Dead(why.clone()),
            (true, _, None) => Life::Dead(format!("no sign of life for {} s", silent.as_secs())),
            (false, false, None) => Life::Dead("its holder is gone".to_owned()),
        }
    }

    /// Whose it is and what is known of it, in words.
    pub fn sentence(&self) -> String {
        if let Some(program) = &self.missing {
            return format!("nobody: `{program}` is missing on this host");
        }
        let who = match self.run.is_empty() {
            true => "a run that has not said its name".to_owned(),
            false => format!(
                "run {} of {}, `{}`, since {}",
                self.run, self.operator, self.command, self.since
            ),
        };
        let life = match self.life() {
            Life::Free => "it has just let go".to_owned(),
            Life::Alive(silent) => format!("last sign of life {} s ago", silent.as_secs()),
            Life::Dead(why) => format!("dead: {why}"),
        };
        match self.last_program() {
            Some(program) => format!("{who}; {life}; on the host {program} still runs"),
            None => format!("{who}; {life}"),
        }
    }

    /// The program that does the work: the youngest has the highest number, nearly always.
    fn last_program(&self) -> Option<String> {
        let (pid, words) = self.programs.last()?;
        Some(format!("process {pid} (`{words}`)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: [&str; 4] = [
        "run=20260101-000000-ab",
        "operator=root@control (pid 7)",
        "command=apply",
        "since=2026-01-01T00:00:00Z",
    ];

    #[test]
    fn a_run_that_gives_signs_is_alive_and_a_silent_one_is_not() {
        let of = |more: &[&'static str]| Owner::read(WHO.iter().copied().chain(more.to_vec()));
        assert_eq!(
            of(&["held=9", "silent=3"]).life(),
            Life::Alive(Duration::from_secs(3))
        );
        assert_eq!(
            of(&["held=9", "silent=31"]).life(),
            Life::Dead("no sign of life for 31 s".into())
        );
        assert_eq!(of(&["silent=3"]).life(), Life::Free);
    }

    #[test]
    fn a_program_that_outlives_its_run_is_named() {
        let lines = [
            "ended=its connection has ended",
            "program=42 apt-get install x",
        ];
        let owner = Owner::read(WHO.into_iter().chain(lines));
        assert_eq!(owner.life(), Life::Dead("its connection has ended".into()));
        assert_eq!(
            owner.sentence(),
            "run 20260101-000000-ab of root@control (pid 7), `apply`, since 2026-01-01T00:00:00Z; dead: its connection has ended; \
             on the host process 42 (`apt-get install x`) still runs"
        );
    }

    #[test]
    fn a_host_cannot_write_to_the_terminal() {
        let owner = Owner::read(["run=a\u{1b}[2Jb"]);
        assert_eq!(owner.run, "a[2Jb");
    }
}
