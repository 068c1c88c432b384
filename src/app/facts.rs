//! `facts`: what hosts are.

use super::failure::{Failure, pretty, result};
use super::options::Options;
use super::project::Project;
use super::session::{Deed, Session};
use std::collections::BTreeMap;

/// Shows what was gathered.
///
/// # Errors
/// Hosts that cannot be asked.
pub async fn run(options: &Options) -> Result<u8, Failure> {
    let project = Project::open(options)?;
    let session = Session::connect(options, &project, "site", "facts", Deed::Looks).await?;
    let run = session.run()?;
    let (_, seen, _) = session.plan(&run).await?;
    drop(run);
    let traits: BTreeMap<_, _> = seen
        .hosts
        .iter()
        .map(|(host, observed)| (host, &observed.traits))
        .collect();
    session.emitter.pause();
    result(&pretty(&traits)?)?;
    let outcome = session.outcome();
    Ok(session.finish(outcome).await)
}
