//! `facts`: what hosts are.

use super::exit::{Failure, pretty, result};
use super::options::{Common, Connect};
use super::project::Project;
use super::session::{Deed, Session};
use std::collections::BTreeMap;

/// Runs it.
pub async fn run(common: &Common, _: &Connect) -> Result<u8, Failure> {
    let project = Project::open(common)?;
    let session = Session::connect(common, &project, "site", "facts", Deed::Looks).await?;
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
