//! What is in a snapshot: whether it is whole, and whose system identifiers it names.

use crate::model::Group;
use crate::resource::sha256_hex;
use crate::runbook::Refusal;
use crate::runbook::recover::PgSeen;
use std::collections::BTreeSet;

/// The largest snapshot that travels with a program (bytes); Patroni's keys take a few megabytes at most.
const LARGEST: usize = 64 << 20;
/// etcd writes its keys in pages, and the hash of them at the end.
const SECTOR: usize = 512;
const HASH: usize = 32;

/// Whether this is what `etcd snapshot` saved, to its last byte.
///
/// # Errors
/// Why not, in words.
pub fn whole(snapshot: &[u8]) -> Result<(), String> {
    if snapshot.len() > LARGEST {
        return Err(format!(
            "{} bytes are too many: etcd holds only what Patroni keeps there, a few megabytes",
            snapshot.len()
        ));
    }
    if snapshot.len() < SECTOR || snapshot.len() % SECTOR != HASH {
        return Err("is no snapshot of etcd, or only a part of one".to_owned());
    }
    let (keys, hash) = snapshot.split_at(snapshot.len() - HASH);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    match sha256_hex(keys) == hash {
        true => Ok(()),
        false => Err("is damaged: its hash is not that of its keys".to_owned()),
    }
}

/// With another system identifier in etcd Patroni would refuse to run beside its own data. Gives what is to be known of
/// groups that the snapshot does not have.
pub(super) fn own_keys<'a>(
    leaders: impl Iterator<Item = (&'a Group, &'a PgSeen)>,
    snapshot: &[u8],
) -> Result<Vec<String>, Refusal> {
    let hint = "take one of this formation; without any: `citusctl etcd reset --to HOST`, or `--without-data` where no member has its data";
    let (mut known, mut unknown) = (0, Vec::new());
    for (group, pg) in leaders {
        let named = values(snapshot, &format!("{}initialize", group.dcs_prefix));
        if named.contains(&pg.system) {
            known += 1;
        } else if named.is_empty() {
            unknown.push(group.cluster.to_string());
        } else {
            let named: Vec<String> = named.into_iter().collect();
            let reason = format!(
                "the snapshot is of another cluster: it names the system {} for {}, whose data is {}",
                named.join(", "),
                group.cluster,
                pg.system
            );
            return Err(Refusal::new(reason, hint));
        }
    }
    if known == 0 && !unknown.is_empty() {
        let reason = format!("the snapshot knows nothing of {}", unknown.join(", "));
        return Err(Refusal::new(reason, hint));
    }
    let words =
        |name| format!("the snapshot knows nothing of {name}: its leader writes its keys anew");
    Ok(unknown.into_iter().map(words).collect())
}

/// All values that a key ever had in a snapshot, as far as its pages still have them.
pub(super) fn values(snapshot: &[u8], key: &str) -> BTreeSet<String> {
    let key = key.as_bytes();
    let Ok(length) = u8::try_from(key.len()) else {
        return BTreeSet::new();
    };
    // A record as protobuf: the key (1), three numbers (2 to 4), the value (5).
    let begin: Vec<u8> = [&[0x0a, length], key].concat();
    let places = snapshot.windows(begin.len()).enumerate();
    let places = places.filter(|(_, window)| *window == begin.as_slice());
    places
        .filter_map(|(at, _)| value(snapshot.get(at + begin.len()..)?))
        .collect()
}

fn value(mut rest: &[u8]) -> Option<String> {
    while let [tag @ (0x10 | 0x18 | 0x20), after @ ..] = rest {
        let _ = tag;
        let end = after.iter().position(|byte| byte & 0x80 == 0)?;
        rest = after.get(end + 1..)?;
    }
    let [0x2a, length, after @ ..] = rest else {
        return None;
    };
    let text = after.get(..usize::from(*length))?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(keys: &[u8]) -> Vec<u8> {
        let hex = sha256_hex(keys);
        let hash = (0..HASH).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
        let hash: Vec<u8> = hash.map(|byte| byte.expect("digits")).collect();
        [keys, &hash].concat()
    }

    #[test]
    fn a_file_that_is_no_snapshot_is_told_before_anybody_is_asked() {
        let good = sealed(&[7; 2 * SECTOR]);
        assert_eq!(whole(&good), Ok(()));
        let mut bad = good.clone();
        bad[100] ^= 1;
        assert!(whole(&bad).unwrap_err().contains("damaged"));
        for short in [&good[..good.len() - 1], &good[..SECTOR], &[]] {
            assert!(whole(short).unwrap_err().contains("only a part"));
        }
    }

    #[test]
    fn the_system_identifiers_are_read_from_its_records() {
        let key = "/pg/pg-test/initialize";
        let mut bytes = vec![1, 2, 3, 0x0a, 22];
        bytes.extend(key.bytes());
        bytes.extend([0x10, 0x96, 0x01, 0x18, 0x05, 0x20, 0x01, 0x2a, 4]);
        bytes.extend(b"7710rest");
        assert_eq!(values(&bytes, key), ["7710".to_owned()].into());
        assert!(values(&bytes, "/pg/other/initialize").is_empty());
    }
}
