//! What a downloaded file is turned into.

/// The document that [`super::activity_files::read`] makes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FileReading {
    FitData,
    Timeseries,
    Messages,
    PowerCurve,
    /// Decoupling and grade-adjusted speed, for `analyze_activity`.
    Endurance,
    Size,
}
