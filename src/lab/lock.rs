//! One builder at a time: a file lock that the kernel drops when its holder dies.

use super::error::{At, LabError};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Holds the lock until dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`; `waiting` is called once if someone else holds it.
    pub(super) fn take(path: &Path, waiting: impl FnOnce()) -> Result<Self, LabError> {
        let file = File::create(path).at(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock().at(path)?;
            }
            Err(TryLockError::Error(source)) => return Err(source).at(path),
        }
        Ok(Self { _file: file })
    }
}
