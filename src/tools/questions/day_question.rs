//! A question about metrics by day: which days of which metrics it needs, and the answer that it builds from them.

use serde_json::Value;

use super::metrics::Metric;
use super::period::Period;
use super::series::Series;
use crate::history::KeptRows;
use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;
use crate::tools::garmin_get::GarminGet;

/// A metric, and the days of it that a question needs.
pub(super) type AskedMetric = (&'static Metric, Period);

#[derive(Debug, Clone, Copy)]
pub(in crate::tools) struct DayQuestion {
    pub(super) asked: fn(&ToolCall) -> Result<Vec<AskedMetric>, AnswerError>,
    pub(super) tell: fn(&ToolCall, &[Series]) -> Result<ToolAnswer, AnswerError>,
}

impl DayQuestion {
    /// The requests to Garmin, part by part.
    pub(in crate::tools) fn gets(self, call: &ToolCall) -> Result<Vec<GarminGet>, AnswerError> {
        let asked = (self.asked)(call)?;
        Ok(asked
            .iter()
            .flat_map(|(metric, period)| requests(metric, *period))
            .collect())
    }

    /// The answer from Garmin's answers to these requests.
    pub(in crate::tools) fn tell_answers(
        self,
        call: &ToolCall,
        mut answers: &[&Value],
    ) -> Result<ToolAnswer, AnswerError> {
        let mut all = Vec::new();
        for (metric, period) in (self.asked)(call)? {
            let parts = period.windows(metric.window).count();
            let (own, rest) = answers.split_at_checked(parts).unwrap_or((answers, &[]));
            answers = rest;
            all.push(Series::read(metric, period, own)?);
        }
        (self.tell)(call, &all)
    }

    /// The answer from kept rows; `None` if some of them are missing.
    pub(in crate::tools) fn tell_kept(
        self,
        call: &ToolCall,
        rows: impl Fn(&GarminGet) -> Option<KeptRows>,
    ) -> Option<ToolAnswer> {
        let kept = |(metric, period): AskedMetric| {
            let rows = rows(&request(metric, period))?;
            Series::of_kept(metric, period, &rows)
        };
        let all: Option<Vec<Series>> = (self.asked)(call).ok()?.into_iter().map(kept).collect();
        (self.tell)(call, &all?).ok()
    }
}

/// One request for each part of the period that Garmin answers at once.
pub(super) fn requests(metric: &Metric, period: Period) -> impl Iterator<Item = GarminGet> {
    period.windows(metric.window).map(|part| request(metric, part))
}

fn request(metric: &Metric, period: Period) -> GarminGet {
    let value = |name: &str| match name {
        "from" => period.first.to_string(),
        "to" => period.last.to_string(),
        _ => String::new(),
    };
    GarminGet::of(metric.path, value).optional()
}
