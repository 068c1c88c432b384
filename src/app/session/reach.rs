//! Sessions without a wanted state: for runbooks and looks.

use super::{Session, Wanted, Way};
use crate::app::failure::Failure;
use crate::app::options::Options;
use crate::app::project::Project;
use crate::app::sinks;
use crate::names::HostName;
use std::collections::BTreeSet;

impl<'a> Session<'a> {
    /// Connects to the given hosts without compiling anything: for runbooks, which must work when most hosts are
    /// gone and the authority's key may be, too. Needs one host at least.
    pub async fn reach(
        options: &'a Options,
        project: &'a Project,
        verb: &str,
        hosts: BTreeSet<HostName>,
    ) -> Result<Self, Failure> {
        Self::reach_for(options, project, verb, hosts, false).await
    }

    /// The same. A run that only `looks` leaves no journal, and with JSON its result is all that comes to stdout.
    pub async fn reach_for(
        options: &'a Options,
        project: &'a Project,
        verb: &str,
        hosts: BTreeSet<HostName>,
        looks: bool,
    ) -> Result<Self, Failure> {
        let ca = project.authority(false)?;
        let masker = sinks::masker(&project.inventory);
        let way = Way {
            verb,
            journal: !looks,
            hosts,
            wanted: Wanted::default(),
        };
        Self::open(options, project, way, (ca, masker)).await
    }
}
