//! What a machine is made of, stated or observed: tuning is computed from it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Size and system of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Processors that the system may use.
    pub cpu: u32,
    /// Memory in MiB.
    pub mem_mb: u64,
    /// Size of the file system that holds the data, in GiB.
    pub disk_gb: u64,
    pub os: Os,
    /// Whether `node_facts` of the inventory or an observation says so; otherwise these are the
    /// defaults that `render` and `check` use without a network.
    pub stated: bool,
}

impl Default for Facts {
    /// A small virtual machine: 2 processors, 4 GiB, 40 GiB (Pigsty's own fallback for the disk).
    fn default() -> Self {
        Self {
            cpu: 2,
            mem_mb: 4096,
            disk_gb: 40,
            os: Os::Debian13,
            stated: false,
        }
    }
}

/// An operating system that the catalog has packages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    Debian12,
    Debian13,
    Ubuntu22,
    Ubuntu24,
    El8,
    El9,
    El10,
}

impl Os {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Debian12,
        Self::Debian13,
        Self::Ubuntu22,
        Self::Ubuntu24,
        Self::El8,
        Self::El9,
        Self::El10,
    ];

    /// As in `debian12`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian12 => "debian12",
            Self::Debian13 => "debian13",
            Self::Ubuntu22 => "ubuntu22",
            Self::Ubuntu24 => "ubuntu24",
            Self::El8 => "el8",
            Self::El9 => "el9",
            Self::El10 => "el10",
        }
    }

    /// Pigsty's `node_os_code`, as in `d12`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Debian12 => "d12",
            Self::Debian13 => "d13",
            Self::Ubuntu22 => "u22",
            Self::Ubuntu24 => "u24",
            Self::El8 => "el8",
            Self::El9 => "el9",
            Self::El10 => "el10",
        }
    }

    /// Its number, as in 12 of `debian12`.
    pub fn release(self) -> u32 {
        match self {
            Self::El8 => 8,
            Self::El9 => 9,
            Self::El10 => 10,
            Self::Debian12 => 12,
            Self::Debian13 => 13,
            Self::Ubuntu22 => 22,
            Self::Ubuntu24 => 24,
        }
    }

    /// Its family and the name of the release, as repositories are called.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Debian12 => ("debian", "bookworm"),
            Self::Debian13 => ("debian", "trixie"),
            Self::Ubuntu22 => ("ubuntu", "jammy"),
            Self::Ubuntu24 => ("ubuntu", "noble"),
            Self::El8 | Self::El9 | Self::El10 => ("el", ""),
        }
    }

    /// Whether it installs `.deb` packages.
    pub fn is_deb(self) -> bool {
        match self {
            Self::Debian12 | Self::Debian13 | Self::Ubuntu22 | Self::Ubuntu24 => true,
            Self::El8 | Self::El9 | Self::El10 => false,
        }
    }

    /// From `ID` and `VERSION_ID` of `/etc/os-release`.
    pub fn from_release(id: &str, version: &str) -> Option<Self> {
        let major = version.split('.').next().unwrap_or(version);
        let family = match id {
            "debian" | "ubuntu" => id,
            "rhel" | "rocky" | "almalinux" | "centos" | "ol" => "el",
            _ => return None,
        };
        format!("{family}{major}").parse().ok()
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no system of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown operating system `{0}`")]
pub struct UnknownOs(pub String);

impl FromStr for Os {
    type Err = UnknownOs;

    /// Reads `debian12` and Pigsty's `d12`.
    fn from_str(text: &str) -> Result<Self, UnknownOs> {
        Self::ALL
            .into_iter()
            .find(|os| os.name() == text || os.code() == text)
            .ok_or_else(|| UnknownOs(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_codes_and_releases() {
        assert_eq!("d12".parse(), Ok(Os::Debian12));
        assert_eq!("debian13".parse(), Ok(Os::Debian13));
        assert_eq!(Os::from_release("ubuntu", "24.04"), Some(Os::Ubuntu24));
        assert_eq!(Os::from_release("rocky", "9.4"), Some(Os::El9));
        assert_eq!(Os::from_release("arch", "1"), None);
    }
}
