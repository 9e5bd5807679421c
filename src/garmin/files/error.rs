//! The size limits of files, and the reasons why a file cannot be read.

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
    #[error("the file's characters can't be read; save it as UTF-8")]
    Characters,
    #[error("the file is larger than {} MB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    #[error("the archive is damaged, or has no FIT, GPX or TCX file in it")]
    BadArchive,
    #[error("the file is damaged at its beginning")]
    Damaged,
    #[error("the file has no samples with a time")]
    NoSamples,
}
