//! Snapshots: all keys, taken through one member and verified.

use crate::command::{Frame, whole_program};
use crate::resource::sha256_hex;
use crate::secret::Secret;
use base64::Engine;

/// A snapshot as it came from a host.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub bytes: Vec<u8>,
    /// etcd's own words about it: hash, revision, keys, size.
    pub status: String,
}

/// The program that takes a snapshot on a host, has etcd verify it, and prints it. Nothing is left behind.
pub fn save_program(frame: &Frame, functions: &Secret) -> Secret {
    let text = format!(
        "{}{}\n{}",
        frame.define_mark(),
        functions.expose(),
        include_str!("scripts/snapshot.sh")
    );
    whole_program(&text)
}

impl Snapshot {
    /// Reads what [`save_program`] printed.
    ///
    /// # Errors
    /// etcd's refusal, or a transfer that is not whole.
    pub fn read(frame: &Frame, output: &str) -> Result<Self, String> {
        let sections = frame.sections(output);
        if let Some(words) = sections.get("failed") {
            return Err(words.trim().to_owned());
        }
        let (Some(data), Some(sum), Some(status), Some(_)) = (
            sections.get("data"),
            sections.get("sha256"),
            sections.get("status"),
            sections.get("end"),
        ) else {
            return Err("the answer is not whole".to_owned());
        };
        let encoded: String = data.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded);
        let bytes = bytes.map_err(|error| format!("the transfer was damaged: {error}"))?;
        if sha256_hex(&bytes) != sum.trim() {
            return Err("the hash of what arrived is not that of what was sent".to_owned());
        }
        let status = status.trim();
        if status.is_empty() {
            return Err("etcd does not verify its own snapshot".to_owned());
        }
        Ok(Self {
            bytes,
            status: status.to_owned(),
        })
    }
}
