//! Activity files: FIT, GPX and TCX, also inside a ZIP or gzip archive, as Garmin's download service sends them.
//!
//! [`read`] turns a file into a [`Recording`]: samples, pauses and laps, whatever the format was. [`fit`] also gives
//! the single messages of a FIT file.
//!
//! The files come from other people's devices. Reading is bounded: [`MOST_BYTES`] after unpacking, [`MOST_SAMPLES`],
//! and time in proportion to the size. A damaged file gives the part before the damage, marked with
//! [`Recording::is_cut`].
//!
//! The FIT decoder is our own because no crate fits. `fitparser` compiles a profile of 68,000 lines and allocates two
//! strings per field; `rustyfit` panics on an unknown base type in the last release that our oldest Rust can build.

pub mod fit;
mod gpx;
pub mod pack;
mod recording;
mod tcx;
mod unpack;
mod xml;

pub use recording::{Pause, RecordedLap, Recording, Sample};
pub use unpack::unpack;

/// The largest file after unpacking. A day at one sample a second is about 8 MB.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Three days at one sample a second.
pub const MOST_SAMPLES: usize = 260_000;

/// Why a file could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is neither FIT, GPX nor TCX")]
    UnknownFormat,
    #[error("the file is larger than {} MB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("the archive is damaged, or has no FIT, GPX or TCX file in it")]
    BadArchive,
    #[error("the file is damaged at its beginning")]
    Damaged,
    #[error("the file has no samples with a time")]
    NoSamples,
}

/// Reads a file of any supported format. The format is recognised by its content, not by its name.
pub fn read(bytes: &[u8]) -> Result<Recording, FileError> {
    let file = unpack(bytes)?;
    if fit::is_fit(&file) {
        return fit::recording(&file);
    }
    let text = std::str::from_utf8(&file).map_err(|_| FileError::UnknownFormat)?;
    let head = text.get(..text.floor_char_boundary(4_096)).unwrap_or_default();
    if head.contains("<gpx") {
        gpx::recording(text)
    } else if head.contains("TrainingCenterDatabase") {
        tcx::recording(text)
    } else {
        Err(FileError::UnknownFormat)
    }
}

#[cfg(test)]
mod tests;
