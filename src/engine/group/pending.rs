//! What a rolling restart waits for before it touches a member.

use super::GroupWork;
use crate::engine::EngineError;
use crate::fact::{GroupSeen, MemberSeen};
use crate::names::InstanceName;

impl GroupWork<'_> {
    /// Waits until Patroni knows what these members wait for: it reads its file at the end of a loop, and starts PostgreSQL
    /// with what it has read.
    pub(super) async fn told_by_patroni(
        &self,
        members: &[InstanceName],
    ) -> Result<(), EngineError> {
        let limit = 2 * u64::from(self.group.rto.loop_wait) + 10;
        let all = |seen: &GroupSeen| {
            let pending =
                |name: &InstanceName| seen.member(name).is_some_and(|it| it.pending_restart);
            members.iter().all(pending).then_some(())
        };
        self.wait("Patroni to say that a restart is pending", limit, all)
            .await
    }

    /// Waits until every member is up.
    pub(super) async fn all_up(&self) -> Result<GroupSeen, EngineError> {
        self.wait("all members to be up", 60, |seen| {
            let up = seen.members.iter().all(MemberSeen::is_up);
            up.then(|| seen.clone())
        })
        .await
    }
}
