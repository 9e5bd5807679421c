//! Takes a file out of a ZIP or gzip archive.
//!
//! The size is bounded while unpacking, whatever the archive claims, so a zip bomb costs [`MOST_BYTES`] at most.

use std::borrow::Cow;
use std::iter;

use miniz_oxide::inflate::{TINFLStatus, decompress_slice_iter_to_slice, decompress_to_vec_with_limit};

use super::error::{FileError, MOST_BYTES};
use crate::base::gzip::gzip_data;

/// Garmin's archives have one file; some export programs add a few.
const MOST_ENTRIES: usize = 64;

/// The file in the archive. Bytes that are not an archive are returned unchanged.
pub fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, FileError> {
    let file = if bytes.starts_with(b"PK\x03\x04") {
        unzip(bytes)?
    } else if bytes.starts_with(b"\x1f\x8b") {
        Cow::Owned(inflate(gzip_data(bytes).ok_or(FileError::BadArchive)?, None)?)
    } else {
        Cow::Borrowed(bytes)
    };
    match file.len() {
        0 => Err(FileError::Empty),
        1..=MOST_BYTES => Ok(file),
        _ => Err(FileError::TooLarge),
    }
}

/// `size`: the size that the archive claims. A buffer of the right size never grows, which saves memory; after a wrong
/// claim the data is inflated a second time.
fn inflate(data: &[u8], size: Option<usize>) -> Result<Vec<u8>, FileError> {
    if let Some(size) = size.filter(|size| *size <= MOST_BYTES) {
        let mut file = vec![0; size];
        if decompress_slice_iter_to_slice(&mut file, iter::once(data), false, true) == Ok(size) {
            return Ok(file);
        }
    }
    decompress_to_vec_with_limit(data, MOST_BYTES).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => FileError::TooLarge,
        _ => FileError::BadArchive,
    })
}

/// The first FIT file of the archive, else the first GPX or TCX file. The sizes are read from the central directory,
/// because the header before an entry may lack them.
fn unzip(bytes: &[u8]) -> Result<Cow<'_, [u8]>, FileError> {
    let entries = entries(bytes).ok_or(FileError::BadArchive)?;
    let named = |suffix: &str| entries.iter().find(|entry| entry.name.ends_with(suffix));
    let entry = [".fit", ".tcx", ".gpx"]
        .into_iter()
        .find_map(named)
        .ok_or(FileError::BadArchive)?;
    match entry.method {
        0 => Ok(Cow::Borrowed(entry.data)),
        8 => Ok(Cow::Owned(inflate(entry.data, Some(entry.size))?)),
        _ => Err(FileError::BadArchive),
    }
}

struct ZipEntry<'a> {
    /// In lower case.
    name: String,
    method: u16,
    /// Claimed size of the file.
    size: usize,
    data: &'a [u8],
}

fn entries(bytes: &[u8]) -> Option<Vec<ZipEntry<'_>>> {
    // The end record has 22 bytes and a comment of up to 64 KB after it.
    let tail = bytes.len().saturating_sub(22 + 0xffff);
    let end = bytes.get(tail..)?.windows(4).rposition(|w| w == b"PK\x05\x06")? + tail;
    let count = usize::from(u16_at(bytes, end + 10)?);
    let mut at = usize::try_from(u32_at(bytes, end + 16)?).ok()?;
    let mut entries = Vec::new();
    for _ in 0..count.min(MOST_ENTRIES) {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let [name, extra, comment] = [28, 30, 32].map(|offset| u16_at(bytes, at + offset).map(usize::from));
        let packed_size = usize::try_from(u32_at(bytes, at + 20)?).ok()?;
        let local = usize::try_from(u32_at(bytes, at + 42)?).ok()?;
        let skipped = 30
            + usize::from(u16_at(bytes, local.checked_add(26)?)?)
            + usize::from(u16_at(bytes, local + 28)?);
        let from = local.checked_add(skipped)?;
        entries.push(ZipEntry {
            name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name?)?).to_lowercase(),
            method: u16_at(bytes, at + 10)?,
            size: usize::try_from(u32_at(bytes, at + 24)?).ok()?,
            data: bytes.get(from..from.checked_add(packed_size)?)?,
        });
        at += 46 + name? + extra? + comment?;
    }
    Some(entries)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}
