//! Where packages come from: the mirror that this machine's own apt uses. None is written in the project.

use super::error::LabError;
use super::spec::Suite;
use super::tool;

/// The archive and its security updates, as base URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    pub main: String,
    pub security: String,
}

impl Mirror {
    /// The mirror that the environment names, else the one in apt's configuration.
    pub(super) fn find(suite: Suite) -> Result<Self, LabError> {
        let named = std::env::var("CITUSCTL_LAB_MIRROR")
            .ok()
            .filter(|url| !url.is_empty());
        let sites = tool::run(
            "apt-get",
            &[
                "indextargets",
                "--format",
                "$(SITE)",
                "Created-By: Packages",
            ],
        );
        let sites = sites.unwrap_or_default();
        let debian = |site: &&str| site.trim_end_matches('/').ends_with("/debian");
        let main = named.or_else(|| sites.lines().find(debian).map(str::to_owned));
        let main = main.ok_or(LabError::NoMirror(suite))?;
        let security = std::env::var("CITUSCTL_LAB_SECURITY_MIRROR")
            .ok()
            .filter(|url| !url.is_empty());
        let found = || {
            sites
                .lines()
                .find(|site| site.trim_end_matches('/').ends_with("-security"))
                .map(str::to_owned)
        };
        let security = security
            .or_else(found)
            .unwrap_or_else(|| format!("{}-security", main.trim_end_matches('/')));
        Ok(Self { main, security })
    }

    /// Lines of a sources.list, with updates and security: an extension built against a newer minor release
    /// would not load without them.
    pub(super) fn sources(&self, suite: Suite) -> String {
        let name = suite.codename();
        format!(
            "deb {main} {name} main\ndeb {main} {name}-updates main\ndeb {security} {name}-security main\n",
            main = self.main,
            security = self.security
        )
    }
}

/// apt's own options that a download needs (proxies).
pub(super) fn apt_options() -> String {
    let dump = tool::run("apt-config", &["dump"]).unwrap_or_default();
    let wanted =
        |line: &&str| line.starts_with("Acquire::http") || line.starts_with("Acquire::https");
    dump.lines()
        .filter(wanted)
        .filter(|line| !line.contains("\"\""))
        .map(|line| format!("{line}\n"))
        .collect()
}
