//! What a removal does to Citus's metadata, always on the host where the coordinator leads.

use super::survey::PLACED;
use super::{NodeRow, RemovalCase};
use crate::command::{given, quote};
use crate::model::{Formation, Group, Instance};
use crate::names::HostName;
use crate::runbook::{Refusal, Script, Step};

/// A formation's metadata as seen on the host where its coordinator leads.
pub(super) struct Metadata<'a> {
    formation: &'a Formation,
    leader: HostName,
    nodes: &'a [NodeRow],
}

impl<'a> RemovalCase<'a> {
    /// The metadata, in a formation with Citus.
    ///
    /// # Errors
    /// Nobody leads the coordinator, or its leader does not tell.
    pub(super) fn metadata(
        &self,
        formation: &'a Formation,
    ) -> Result<Option<Metadata<'a>>, Refusal> {
        let Some(group) = formation.coordinator().filter(|_| formation.is_citus()) else {
            return Ok(None);
        };
        let leader = self.leader(group).map(|leader| leader.host.clone());
        let nodes = leader
            .as_ref()
            .and_then(|leader| self.left.get(leader)?.nodes.as_deref());
        match (leader, nodes) {
            (Some(leader), Some(nodes)) => Ok(Some(Metadata {
                formation,
                leader,
                nodes,
            })),
            _ => Err(Refusal::new(
                format!(
                    "{}: the coordinator has no leader that answers, so Citus's metadata cannot be changed",
                    group.cluster
                ),
                "`citusctl status` shows what is wrong with it",
            )),
        }
    }

    /// A worker group leaves only without shards.
    pub(super) fn drained(&self, metadata: &Metadata<'_>, group: &Group) -> Result<(), Refusal> {
        let number = group.number.unwrap_or_default();
        let placed = self
            .left
            .get(&metadata.leader)
            .and_then(|left| left.placed.as_ref());
        let Some(placed) = placed else {
            return Err(Refusal::new(
                format!(
                    "{}: how many shards are placed on group {number} is unknown: the coordinator's leader on {} did not say",
                    group.cluster, metadata.leader
                ),
                "`citusctl status` shows what is wrong with it; run the command again when it answers",
            ));
        };
        let Some(count) = placed.get(&number).filter(|count| **count > 0) else {
            return Ok(());
        };
        let node = metadata.nodes.iter().rfind(|node| node.group == number);
        let (host, port) = node.map_or(("HOST", 5432), |node| (node.host.as_str(), node.port));
        Err(Refusal::new(
            format!(
                "{}: {count} shards are placed on group {number}",
                group.cluster
            ),
            format!(
                "move them to the other groups first: `citusctl group drain {number}`, or `SELECT citus_drain_node('{host}', {port})` in the database `{}` on the coordinator",
                metadata.formation.primary_db
            ),
        ))
    }
}

impl Metadata<'_> {
    fn sql(&self, statement: &str) -> String {
        format!(
            "sql {} {}",
            quote(&self.formation.primary_db),
            quote(statement)
        )
    }

    fn step(&self, id: &'static str, title: String, act: String, holds: String) -> Step {
        let leads = format!(
            "[ \"$({})\" = f ] || {{ echo 'PostgreSQL here leads no more'; false; }}",
            self.sql("SELECT pg_is_in_recovery()")
        );
        Step::on(
            &self.leader,
            id,
            title,
            Script::new(act, holds).require(leads),
        )
    }

    /// No shard is on the group, and none is placed there from now on.
    pub(super) fn close(&self, group: &Group) -> Option<Step> {
        let number = group.number?;
        self.nodes.iter().find(|node| node.group == number)?;
        let act = self.sql(&format!(
            "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) FROM pg_dist_node WHERE groupid = {number} AND noderole = 'primary'"
        ));
        let open = self.sql(&format!(
            "SELECT count(*) FROM pg_dist_node WHERE groupid = {number} AND noderole = 'primary' AND shouldhaveshards"
        ));
        let placed = self.sql(&format!(
            "SELECT coalesce(sum(count), 0) FROM ({PLACED} AND p.groupid = {number} GROUP BY 1) AS placed"
        ));
        let holds = format!(
            "open=$({open}) && placed=$({placed}) || {{ echo 'PostgreSQL does not answer'; false; }}\n\
             [ \"$open\" = 0 ] || {{ echo 'Citus may place shards there'; false; }}\n\
             [ \"$placed\" = 0 ] || {{ echo \"$placed shards are placed on group {number}\"; false; }}"
        );
        let title =
            format!("see that no shard is on group {number}, and let Citus place none there");
        Some(
            self.step("drained", title, format!("{act} >/dev/null"), holds)
                .within(2),
        )
    }

    /// The rows of a group leave, the primary's last.
    pub(super) fn forget_group(&self, group: &Group) -> Option<Step> {
        let number = group.number?;
        self.nodes.iter().find(|node| node.group == number)?;
        let wanted = format!("groupid = {number}");
        let title = format!("take group {number} out of pg_dist_node");
        Some(self.forget("nodes", title, &wanted))
    }

    /// A standby's row leaves, where Citus has one.
    pub(super) fn forget_member(&self, member: &Instance) -> Option<Step> {
        let address = member.address.to_string();
        self.nodes
            .iter()
            .find(|node| node.host == address && node.port == member.port)?;
        let wanted = format!(
            "noderole = 'secondary' AND nodename = '{address}' AND nodeport = {}",
            member.port
        );
        let title = format!("take {} out of pg_dist_node", member.name);
        Some(self.forget("node", title, &wanted))
    }

    fn forget(&self, id: &'static str, title: String, wanted: &str) -> Step {
        let rows = self.sql(&format!(
            "SELECT quote_literal(nodename) || ', ' || nodeport FROM pg_dist_node WHERE {wanted} ORDER BY noderole = 'primary'"
        ));
        // Patroni may take a standby's row out by itself at the same moment: what counts is that it is gone.
        let values = [("CITUS_DB", self.formation.primary_db.as_str())];
        let act = given(&values, include_str!("scripts/remove-nodes.sh"));
        let act = format!("rows() {{ {rows}; }}\n{act}");
        let count = self.sql(&format!("SELECT count(*) FROM pg_dist_node WHERE {wanted}"));
        let holds = format!(
            "left=$({count}) || {{ echo 'PostgreSQL does not answer'; false; }}\n\
             [ \"$left\" = 0 ] || {{ echo \"$left rows are left\"; false; }}"
        );
        self.step(id, title, act, holds)
    }
}
