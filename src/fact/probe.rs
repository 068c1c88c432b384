//! The questions.

/// One question to a host. Equal questions are asked once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// Kind, mode, owner, size and SHA-256 of a path.
    Path(String),
    /// Status and version of a package.
    Package(String),
    /// State of a systemd unit.
    Unit(String),
    /// An account by name.
    User(String),
    /// A shell fragment whose output is kept as it is, under a name of one word.
    Script { name: String, text: String },
}
