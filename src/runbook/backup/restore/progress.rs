//! How far an earlier run has come: which steps are done, and what is still lost by going on.

use super::Returning;
use crate::model::Formation;
use crate::names::HostName;
use crate::runbook::Step;
use crate::runbook::backup::kept::NotePhase;
use crate::runbook::backup::{BackupInput, MemberLook, RestoreNote};

/// A restore, as members have noted it.
pub(super) struct Progress<'a> {
    pub input: BackupInput<'a>,
    pub formation: &'a Formation,
    pub point: &'a str,
    pub groups: &'a [Returning<'a>],
}

impl<'a> Progress<'a> {
    fn looks(&self) -> impl Iterator<Item = (&'a HostName, &'a MemberLook)> {
        let hosts = &self.input.look.hosts;
        let members = self.formation.members().map(|member| &member.host);
        members.filter_map(|host| Some((host, hosts.get(host)?)))
    }

    fn leaders(&self) -> impl Iterator<Item = Option<&'a RestoreNote>> {
        let hosts = &self.input.look.hosts;
        let looks = self.groups.iter().map(|it| hosts.get(&it.host));
        looks.map(|look| open_note(look?, self.point))
    }

    fn all_have(&self, mark: &str) -> bool {
        self.leaders()
            .all(|note| note.is_some_and(|it| it.has(mark)))
    }

    /// Whether each group was given to Patroni with what was restored.
    pub fn opened(&self) -> bool {
        let mut notes = self.leaders();
        notes.all(|note| note.is_some_and(|it| it.opened.is_some()))
    }

    fn stopped(&self) -> bool {
        let down = |look: &MemberLook| {
            open_note(look, self.point).is_some_and(|it| it.has("stopped")) && !look.up
        };
        self.opened() || self.looks().all(|(_, look)| down(look))
    }

    /// Whether a copy is of no use any more: somebody has its timeline by now.
    fn copies_hold(&self) -> bool {
        let taken = |it: &Returning<'_>| {
            let look = self.input.look.hosts.get(&it.host);
            let number = look
                .and_then(|look| look.copy(self.point))
                .map(|copy| copy.timeline);
            let hosts = it.group.members.iter().map(|member| &member.host);
            let mut now =
                hosts.filter_map(|host| self.input.look.hosts.get(host)?.timelines.as_ref());
            now.any(|timelines| Some(timelines.present) == number)
        };
        !self.groups.iter().any(taken)
    }

    /// Says of each step whether an earlier run has done it; what nobody saw is not said to be done.
    pub fn told(&self, step: Step) -> Step {
        let placed = self.all_have("placed");
        let made = |mark: &str| placed || (self.all_have(mark) && self.copies_hold());
        let done = match step.id {
            "restore" => made("restored"),
            "recover" => made("recovered"),
            "current" => placed,
            "stop" | "stop-leaders" => self.stopped(),
            "etcd" => {
                let mut looks = self.input.look.hosts.values();
                looks.any(|look| open_note(look, self.point).is_some_and(|it| it.has("locked")))
            }
            "swap" => placed,
            "unlock" => self.opened(),
            "config" => self.all_have("configured"),
            "open" => self.opened() && self.groups.iter().all(|it| self.leads(&it.host)),
            "standbys" => self.looks().all(|(host, look)| {
                let opened = open_note(look, self.point).is_some_and(|it| it.opened.is_some());
                self.groups.iter().any(|it| it.host == *host) || (opened && look.up)
            }),
            "backup" => self.all_have("backed-up"),
            _ => false,
        };
        step.done(done)
    }

    fn leads(&self, host: &HostName) -> bool {
        self.input.look.hosts.get(host).is_some_and(|it| it.leads)
    }

    /// What an earlier run left beside the data, in words.
    pub fn left(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (host, look) in self.looks() {
            for (point, copy) in look.copies() {
                let path = &copy.path;
                let chosen = self.groups.iter().any(|it| it.host == *host);
                lines.push(match (point == self.point, chosen) {
                    (true, true) => format!("{host}: {path} is there from an earlier run, and is used if it is whole"),
                    (false, true) => format!("{host}: {path} is left from a restore to `{point}`, and is removed"),
                    (_, false) => format!("{host}: {path} is left from a restore to `{point}`: `citusctl restore undo` removes it"),
                });
            }
        }
        lines
    }
}

/// Whether all that is left is to close it: some hosts have, and the others are as far.
pub(super) fn closing(input: BackupInput<'_>, point: &str) -> bool {
    let looks = || input.look.hosts.values();
    let mut open = looks().filter(|look| look.open.is_some()).peekable();
    let far = |look: &MemberLook| open_note(look, point).is_some_and(|it| it.opened.is_some());
    let done = |look: &MemberLook| {
        let mut notes = look.notes.iter();
        notes.any(|it| it.point == point && it.phase == NotePhase::Done)
    };
    open.peek().is_some() && open.all(far) && looks().any(done)
}

/// What a restore to this point that is not done has noted on a host.
fn open_note<'a>(look: &'a MemberLook, point: &str) -> Option<&'a RestoreNote> {
    let mut notes = look.notes.iter();
    notes.find(|note| note.point == point && note.phase == NotePhase::Open)
}
