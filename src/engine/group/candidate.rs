//! Whom a leader that must restart hands over to.

use super::{GroupWork, POLL};
use crate::engine::{EngineError, copies};
use crate::fact::MemberSeen;
use crate::runbook::patroni::{GroupView, best};
use std::time::{Duration, Instant};

impl GroupWork<'_> {
    /// The member that is fit to lead: streaming, nothing pending, least behind. In a synchronous group Patroni
    /// hands over only to a synchronous standby, which one that has just restarted becomes again within a loop or
    /// two: it is waited for. Without any fit member the leader restarts where it is.
    pub(super) async fn candidate(
        &self,
        synchronous: bool,
    ) -> Result<Option<MemberSeen>, EngineError> {
        let limit = Duration::from_secs(u64::from(self.group.rto.ttl));
        let started = Instant::now();
        loop {
            let seen = copies::confirm(self.run, self.group, self.seen().await?).await;
            let view = GroupView::of(self.group, &seen);
            let best = best(&view).filter(|member| {
                !member.pending_restart && (!synchronous || member.is_synchronous())
            });
            if let Some(best) = best {
                return Ok(Some(best.clone()));
            }
            let hope = seen
                .members
                .iter()
                .any(|member| member.is_streaming() && !member.pending_restart);
            if !synchronous || !hope || started.elapsed() > limit {
                return Ok(None);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
