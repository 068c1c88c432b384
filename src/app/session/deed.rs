//! What a session may leave behind on the control machine.

/// What a session may leave behind on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Nothing: no authority, no certificate, no journal.
    Looks,
    /// An authority and certificates, because a saved plan holds them.
    Saves,
    /// A journal as well.
    Changes,
}
