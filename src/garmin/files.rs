//! Activity files: FIT, GPX and TCX, also inside a ZIP or gzip archive, as Garmin's download service sends them.
//!
//! [`read`] turns a file into a [`Recording`]: samples, pauses, laps and sessions, whatever the format. [`fit`] also
//! gives access to the individual messages of a FIT file.
//!
//! The files come from other people's devices. Reading is bounded: [`MOST_BYTES`] after unpacking, [`MOST_SAMPLES`],
//! and time in proportion to the size. A damaged file yields the part before the damage, marked with
//! [`Recording::is_cut`].
//!
//! The FIT decoder is our own because no crate is suitable. `fitparser` compiles a profile of 68,000 lines and
//! allocates two strings per field; `rustyfit` panics on an unknown base type in the last release that our oldest Rust
//! can build.

mod error;
pub mod fit;
mod gpx;
pub mod pack;
mod recording;
mod tcx;
pub mod text;
mod unpack;
mod xml;

pub use error::{FileError, MOST_BYTES, MOST_SAMPLES};
pub use recording::{Pause, RecordedLap, RecordedSession, Recording, Sample};
pub use unpack::unpack;

/// How far into an XML file to look for its root element.
const HEAD_BYTES: usize = 4_096;

/// Reads a file of any supported format. The format is recognised by its content, not by its name.
pub fn read(bytes: &[u8]) -> Result<Recording, FileError> {
    let file = unpack(bytes)?;
    if fit::is_fit(&file) {
        return fit::recording(&file);
    }
    let decoded = text::decode(&file);
    let known = decoded.as_deref().map_or(&*file, str::as_bytes);
    let head = String::from_utf8_lossy(known.get(..known.len().min(HEAD_BYTES)).unwrap_or_default());
    let text = decoded.as_deref().ok_or(FileError::Characters);
    if head.contains("<gpx") {
        gpx::recording(text?)
    } else if head.contains("TrainingCenterDatabase") {
        tcx::recording(text?)
    } else {
        Err(FileError::UnknownFormat)
    }
}

#[cfg(test)]
mod tests;
