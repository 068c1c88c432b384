//! Images: made once, kept, and laid below every host as read-only layers.
//!
//! `SUITE-base` is a whole root; `SUITE-baked` is a layer on top of it. Both are made beside their place and
//! renamed, so that a crash leaves nothing that looks finished.

use super::dirs::{LabDirs, make_private, remove};
use super::error::{At, LabError};
use super::lock::Lock;
use super::mirror::{Mirror, apt_options};
use super::progress::{LabEvent, Progress};
use super::spec::{Image, Suite};
use super::tool;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

const COMMON: &str = include_str!("scripts/common.sh");
const BASE: &str = include_str!("scripts/base.sh");
const DEBS: &str = include_str!("scripts/debs.sh");
const BAKE: &str = include_str!("scripts/bake.sh");

/// The packages that a lab brings along, as a line of apt's sources. They were checked against their archive's
/// signatures when they were fetched; the directory itself has none.
pub const REPOSITORY: &str = "deb [trusted=yes] file:/srv/citusctl/debs ./";

/// Packages that are in no image, so that a run has something to install.
const EXTRA: &str = "chrony cron less pgbackrest";

/// Makes images.
pub(super) struct ImageBuilder<'a> {
    pub dirs: &'a LabDirs,
    pub suite: Suite,
    pub progress: &'a dyn Progress,
}

/// The packages of the database stack.
fn packages(suite: Suite) -> String {
    let version = suite.postgresql();
    format!(
        "etcd-server etcd-client postgresql-{version} postgresql-client-{version} patroni python3-etcd python3-psycopg2 \
         haproxy pgbouncer vip-manager keepalived openssl iputils-arping"
    )
}

impl ImageBuilder<'_> {
    /// The layers of an image, topmost first; builds what is missing.
    pub(super) fn layers(&self, image: Image) -> Result<Vec<PathBuf>, LabError> {
        let what = self.suite.to_string();
        let _lock = Lock::take(&self.dirs.images().join(format!("{what}.lock")), || {
            self.progress
                .event(LabEvent::WaitingForBuild { what: what.clone() });
        })?;
        let base = self.base()?;
        self.debs(&base)?;
        match image {
            Image::Base => Ok(vec![base]),
            Image::Baked => Ok(vec![self.baked(&base)?, base]),
        }
    }

    fn base(&self) -> Result<PathBuf, LabError> {
        let done = self.dirs.images().join(format!("{}-base", self.suite));
        if done.is_dir() {
            return Ok(done);
        }
        let root = self.dirs.images().join(format!("{}-base.new", self.suite));
        remove(&root)?;
        let mirror = Mirror::find(self.suite)?;
        let env = [
            ("SUITE", self.suite.codename().to_owned()),
            ("MIRROR", mirror.main.clone()),
            ("ROOT", root.display().to_string()),
            ("SOURCES", mirror.sources(self.suite)),
            ("APT_CONF", apt_options()),
        ];
        self.build(&format!("{}-base", self.suite), BASE, &env, true)?;
        std::fs::rename(&root, &done).at(&done)?;
        Ok(done)
    }

    /// The package directory that an air-gapped host uses.
    fn debs(&self, base: &Path) -> Result<PathBuf, LabError> {
        let dir = self.dirs.debs(self.suite);
        if !dir.join("NAMES").is_file() {
            self.fetch(base, &dir, &packages(self.suite))?;
        } else if !has_extra(&dir)
            && let Err(error) = self.fetch(base, &dir, "")
        {
            // A directory of an older lab, and perhaps no way out any more: it serves as it is.
            self.progress.event(LabEvent::BuildNote(format!(
                "hosts of this lab have no repository with {EXTRA}: {error}"
            )));
        }
        Ok(dir)
    }

    /// Downloads packages into the directory, beside those that are there, and makes its index anew.
    fn fetch(&self, base: &Path, dir: &Path, packages: &str) -> Result<(), LabError> {
        std::fs::create_dir_all(dir).at(dir)?;
        let mirror = Mirror::find(self.suite)?;
        let scratch = self.scratch("debs")?;
        let mut env = overlay(base, &scratch);
        env.extend([
            ("DEBS", dir.display().to_string()),
            ("SOURCES", mirror.sources(self.suite)),
            ("PACKAGES", packages.to_owned()),
            ("EXTRA", EXTRA.to_owned()),
            ("APT_CONF", apt_options()),
        ]);
        self.build(&format!("{}-debs", self.suite), DEBS, &env, true)?;
        remove(&scratch)
    }

    fn baked(&self, base: &Path) -> Result<PathBuf, LabError> {
        let done = self.dirs.images().join(format!("{}-baked", self.suite));
        if done.is_dir() {
            return Ok(done);
        }
        let debs = self.debs(base)?;
        let scratch = self.scratch("bake")?;
        let mut env = overlay(base, &scratch);
        env.extend([
            ("DEBS", debs.display().to_string()),
            ("APT_CONF", String::new()),
            ("REPOSITORY", REPOSITORY.to_owned()),
        ]);
        self.build(&format!("{}-baked", self.suite), BAKE, &env, false)?;
        std::fs::rename(scratch.join("upper"), &done).at(&done)?;
        remove(&scratch)?;
        Ok(done)
    }

    fn scratch(&self, name: &str) -> Result<PathBuf, LabError> {
        let dir = self
            .dirs
            .images()
            .join(format!("{}-{name}.new", self.suite));
        remove(&dir)?;
        make_private(&dir)?;
        Ok(dir)
    }

    /// Runs a script in mount and process namespaces of its own; without network when it needs none.
    fn build(
        &self,
        what: &str,
        script: &str,
        env: &[(&str, String)],
        network: bool,
    ) -> Result<(), LabError> {
        self.progress.event(LabEvent::Building {
            what: what.to_owned(),
        });
        let started = Instant::now();
        let log = self.dirs.images().join(format!("{what}.log"));
        let out = File::create(&log).at(&log)?;
        let mut command = tool::command("unshare");
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
        ]);
        if !network {
            command.arg("--net");
        }
        command
            .args(["bash", "-c"])
            .arg(format!("{COMMON}\n{script}"));
        command.envs(env.iter().map(|(name, value)| (*name, value.as_str())));
        command
            .stdout(out.try_clone().at(&log)?)
            .stderr(out)
            .stdin(Stdio::null());
        let status = command.status().map_err(|source| LabError::Spawn {
            command: format!("building {what}"),
            source,
        })?;
        if !status.success() {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let tail: Vec<&str> = text.lines().rev().take(15).collect();
            let log = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(LabError::Build {
                what: what.to_owned(),
                log,
            });
        }
        self.progress.event(LabEvent::Built {
            what: what.to_owned(),
            took: started.elapsed(),
        });
        Ok(())
    }
}

/// Whether the directory was asked for these names already, or has their packages.
fn has_extra(dir: &Path) -> bool {
    let asked = std::fs::read_to_string(dir.join("EXTRA")).unwrap_or_default();
    let index = std::fs::read_to_string(dir.join("Packages")).unwrap_or_default();
    let packages: Vec<&str> = index
        .lines()
        .filter_map(|l| l.strip_prefix("Package: "))
        .collect();
    let has =
        |name: &str| asked.split_whitespace().any(|it| it == name) || packages.contains(&name);
    EXTRA.split_whitespace().all(has)
}

fn overlay(base: &Path, scratch: &Path) -> Vec<(&'static str, String)> {
    let below = |name: &str| scratch.join(name).display().to_string();
    vec![
        ("LOWER", base.display().to_string()),
        ("UPPER", below("upper")),
        ("WORK", below("work")),
        ("ROOT", below("root")),
    ]
}
