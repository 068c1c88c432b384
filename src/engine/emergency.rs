//! What Patroni cannot tell of itself: the notes of an open recover, and whether etcd has its majority.

use super::Run;
use super::gate::{Health, exec, health};
use super::look::futures_join;
use crate::fact::OpenRestore;
use crate::names::HostName;
use crate::runbook::backup::RESTORE_PATH;
use crate::runbook::recover::{MARKER_PATH, Marker};

/// The notes of recovers that are open, of all hosts that are connected.
///
/// # Errors
/// A host that is connected and does not say whether it has one.
pub async fn markers(run: &Run<'_>) -> Result<Vec<Marker>, String> {
    let line =
        format!("cat {MARKER_PATH} 2>/dev/null || [ ! -e {MARKER_PATH} ] || echo unreadable");
    let mut notes = Vec::new();
    for (host, text) in noted(run, &line, "a recover").await? {
        let unread = || unknown(&host, "a recover", &format!("{MARKER_PATH} cannot be read"));
        notes.push(Marker::read(&text).ok_or_else(unread)?);
    }
    Ok(notes)
}

/// A restore that is open, of all hosts that are connected: where, and which; one that is being undone before others.
///
/// # Errors
/// A host that is connected and does not say whether it has one.
pub async fn open_restore(run: &Run<'_>) -> Result<Option<(HostName, OpenRestore)>, String> {
    let line = format!("[ ! -e {RESTORE_PATH} ] || cat {RESTORE_PATH}");
    let noted = noted(run, &line, "a restore").await?.into_iter();
    let open = noted.filter_map(|(host, text)| Some((host, OpenRestore::read(&text)?)));
    Ok(open.max_by(|(_, a), (_, b)| a.cmp(b)))
}

/// What a line of shell says on every host that is connected, where it says anything.
async fn noted(run: &Run<'_>, line: &str, what: &str) -> Result<Vec<(HostName, String)>, String> {
    let hosts = run.fleet.hosts();
    let said = futures_join(hosts.iter().map(|host| async move {
        let said = exec(run, host, line).await;
        let said = said.map_err(|why| unknown(host, what, &why))?;
        Ok((host.clone(), said))
    }));
    let said: Result<Vec<_>, String> = said.await.into_iter().collect();
    let told = |(_, text): &(HostName, String)| !text.trim().is_empty();
    Ok(said?.into_iter().filter(told).collect())
}

fn unknown(host: &HostName, what: &str, why: &str) -> String {
    format!("{host} does not say whether {what} is open there: {why}")
}

/// Whether etcd can decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Majority {
    /// A member reads through a majority.
    There,
    /// All that were asked say that there is none.
    Lost,
    /// Why it is not known.
    Unknown(String),
}

/// Whether etcd can decide anything, as its members that are connected say. An etcd that is not of this inventory is not asked.
pub async fn etcd_majority(run: &Run<'_>) -> Majority {
    let Some(etcd) = run.model.etcd.as_ref() else {
        return Majority::There;
    };
    let asked = etcd.members.iter();
    let asked = asked.filter(|member| run.fleet.get(&member.host).is_some());
    majority(&futures_join(asked.map(|member| health(run, member, etcd.client_port))).await)
}

fn majority(said: &[Health]) -> Majority {
    if said.contains(&Health::Well) {
        return Majority::There;
    }
    let unknown = said.iter().find_map(|health| match health {
        Health::Unknown(why) => Some(why.clone()),
        Health::Well | Health::Sick(_) => None,
    });
    match (unknown, said.is_empty()) {
        (Some(why), _) => Majority::Unknown(why),
        (None, true) => Majority::Unknown("none of its hosts is connected".to_owned()),
        (None, false) => Majority::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_that_nobody_tells_of_is_not_known() {
        let sick = || Health::Sick("unhealthy".to_owned());
        let mute = || Health::Unknown("it hangs".to_owned());
        assert_eq!(majority(&[sick(), Health::Well]), Majority::There);
        assert_eq!(majority(&[sick(), sick()]), Majority::Lost);
        assert_eq!(
            majority(&[sick(), mute()]),
            Majority::Unknown("it hangs".to_owned())
        );
        assert_eq!(
            majority(&[]),
            Majority::Unknown("none of its hosts is connected".to_owned())
        );
    }
}
