//! What Citus needs beside the locks and prepared transactions of [`super::memory`].

use super::memory::Sizes;
use super::{Gucs, TuningInput, set};

/// A node's connections are shared by its clients and by the other nodes, which connect to it for
/// distributed queries. Half for each keeps a burst of clients from starving the nodes:
/// `citus.max_client_connections` bounds the clients (superusers excepted),
/// `citus.max_shared_pool_size` what this node opens to any other one.
pub(super) fn add(gucs: &mut Gucs, sizes: &Sizes, input: &TuningInput) {
    let half = i64::try_from(sizes.connections / 2).unwrap_or(i64::MAX);
    set(
        gucs,
        [
            ("citus.max_client_connections", half),
            ("citus.max_shared_pool_size", half),
        ],
    );
    set(gucs, [("citus.node_conninfo", conninfo(input))]);
    // Milliseconds, for a whole attempt; Citus waits for it once or twice before it gives a dead host up (its default: 30 s).
    let patience = i64::from(input.silence) * 1000;
    set(gucs, [("citus.node_connection_timeout", patience)]);
}

/// A host without power says no goodbye: a session that waits for its answer, and the locks that it holds on `pg_dist_node`,
/// would keep the group's new leader away for as long as TCP tries. The keywords are those that Citus takes (12.1 to 13.2).
fn conninfo(input: &TuningInput) -> String {
    let TuningInput {
        ca_file, silence, ..
    } = input;
    format!(
        "sslmode=verify-full sslrootcert={ca_file} keepalives_idle={silence} keepalives_interval={} tcp_user_timeout={}",
        (silence / 5).max(1),
        u64::from(*silence) * 1000
    )
}
