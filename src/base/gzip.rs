//! The header of gzip files (RFC 1952).

/// The compressed data of a gzip file, after its header.
pub fn gzip_data(bytes: &[u8]) -> Option<&[u8]> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return None;
    }
    let flags = *bytes.get(3)?;
    let mut rest = bytes.get(10..)?;
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    // The file name and the comment, which end with a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}
