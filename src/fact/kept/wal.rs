//! Of which cluster the data of a member of etcd is: the head of its log says so, in every segment.
//!
//! A segment is frames of a length (eight bytes, little-endian; its highest byte tells how much is padding) and a record in
//! protobuf: type, checksum, data. The first record is a checksum, the second the metadata: node and cluster.

const CHECKSUM: u64 = 4;
const METADATA: u64 = 1;

/// The cluster's identifier in the head of a segment, given as hexadecimal digits of bytes.
pub(super) fn cluster(hex: &str) -> Option<u64> {
    let bytes: Option<Vec<u8>> = hex
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect();
    let bytes = bytes?;
    let mut rest = bytes.as_slice();
    loop {
        let (record, after) = frame(rest)?;
        match (field(record, 1)?.number?, field(record, 3)) {
            (METADATA, Some(metadata)) => return field(metadata.bytes?, 2)?.number,
            (CHECKSUM, _) => rest = after,
            _ => return None,
        }
    }
}

/// The first record, and what comes after it.
fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let head = u64::from_le_bytes(*head);
    let length = usize::try_from(head & !(0xff << 56)).ok()?;
    // The sign says that there is padding at all.
    let padding = match head >> 63 {
        1 => (head >> 56) & 7,
        _ => 0,
    };
    let end = length.checked_add(usize::try_from(padding).ok()?)?;
    Some((rest.get(..length)?, rest.get(end..)?))
}

/// A field of a message: a number, or bytes.
struct Field<'b> {
    number: Option<u64>,
    bytes: Option<&'b [u8]>,
}

/// The first field of that tag.
fn field(mut message: &[u8], tag: u64) -> Option<Field<'_>> {
    loop {
        let key = varint(&mut message)?;
        let value = varint(&mut message)?;
        let found = match key & 7 {
            0 => Field {
                number: Some(value),
                bytes: None,
            },
            2 => {
                let (bytes, rest) = message.split_at_checked(usize::try_from(value).ok()?)?;
                message = rest;
                Field {
                    number: None,
                    bytes: Some(bytes),
                }
            }
            _ => return None,
        };
        if key >> 3 == tag {
            return Some(found);
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a log that etcd 3.5.16 wrote, whose `endpoint status` says 0x7cc416ae2b6a773b.
    const HEAD: &str = "04 00 00 00 00 00 00 84 08 04 10 00 00 00 00 00 \
        1e 00 00 00 00 00 00 82 08 01 10 db c8 bd b0 0a 1a 14 08 e2 87 b5 85 bc ff e2 ac 2b 10 bb ee a9 \
        db e2 d5 85 e2 7c 00 00 0e 00 00 00 00 00 00 82 08 05 10 c1 b5 b9 e1 08 1a 04 08 00 10 00 00 00";

    #[test]
    fn the_log_of_a_member_names_its_cluster() {
        assert_eq!(cluster(HEAD), Some(0x7cc4_16ae_2b6a_773b));
    }

    #[test]
    fn what_is_no_such_log_names_none() {
        assert_eq!(cluster(""), None);
        assert_eq!(cluster("04 00"), None);
        assert_eq!(cluster("zz"), None);
        let words: Vec<&str> = HEAD.split_whitespace().collect();
        for length in 0..56 {
            assert_eq!(cluster(&words[..length].join(" ")), None, "{length} bytes");
        }
        assert_eq!(cluster(&["ff"; 96].join(" ")), None);
    }
}
