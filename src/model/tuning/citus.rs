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
    let conninfo = format!("sslmode=verify-full sslrootcert={}", input.ca_file);
    set(gucs, [("citus.node_conninfo", conninfo)]);
}
