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
    /// SQL that a host answers only while its PostgreSQL leads. All of a session travel in one `psql`.
    Sql {
        name: String,
        session: SqlSession,
        query: String,
    },
}

/// How a host's own PostgreSQL is asked, and in which database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SqlSession {
    /// The superuser, also the operating system's account.
    pub dbsu: String,
    pub bin_dir: String,
    pub socket_dir: String,
    pub port: u16,
    /// The data directory that it must be running in.
    pub data_dir: String,
    /// Major version; 0 where it is not known.
    pub version: u32,
    pub database: String,
}

impl Probe {
    /// The path, if this asks about one.
    pub fn path(&self) -> Option<&String> {
        match self {
            Self::Path(path) => Some(path),
            Self::Package(_)
            | Self::Unit(_)
            | Self::User(_)
            | Self::Script { .. }
            | Self::Sql { .. } => None,
        }
    }

    /// The package, if this asks about one.
    pub fn package(&self) -> Option<&String> {
        match self {
            Self::Package(name) => Some(name),
            Self::Path(_)
            | Self::Unit(_)
            | Self::User(_)
            | Self::Script { .. }
            | Self::Sql { .. } => None,
        }
    }

    /// The unit, if this asks about one.
    pub fn unit(&self) -> Option<&String> {
        match self {
            Self::Unit(name) => Some(name),
            Self::Path(_)
            | Self::Package(_)
            | Self::User(_)
            | Self::Script { .. }
            | Self::Sql { .. } => None,
        }
    }

    /// The account, if this asks about one.
    pub fn user(&self) -> Option<&String> {
        match self {
            Self::User(name) => Some(name),
            Self::Path(_)
            | Self::Package(_)
            | Self::Unit(_)
            | Self::Script { .. }
            | Self::Sql { .. } => None,
        }
    }
}
