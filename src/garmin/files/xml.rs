//! Walks through the elements of an XML file.

use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::error::MOST_SAMPLES;
use super::recording::{Pause, Sample};

/// A step through the file. Names come without their namespace.
pub(super) enum XmlStep<'a> {
    Open {
        name: &'a str,
        tag: &'a BytesStart<'a>,
    },
    /// The end of an element, with the last text before it.
    Close {
        name: &'a str,
        text: &'a str,
    },
}

/// Calls `on` for the beginning and end of every element. Returns whether the file is whole.
pub(super) fn walk(text: &str, mut on: impl FnMut(XmlStep<'_>)) -> bool {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut last = String::new();
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                depth += 1;
                last.clear();
                on(XmlStep::Open {
                    name: tag.local_name().as_ref(),
                    tag: &tag,
                });
            }
            Ok(Event::Empty(tag)) => {
                let name = tag.local_name();
                let name = name.as_ref();
                on(XmlStep::Open { name, tag: &tag });
                on(XmlStep::Close { name, text: "" });
            }
            Ok(Event::Text(text)) => last.push_str(&text),
            Ok(Event::End(tag)) => {
                depth = depth.saturating_sub(1);
                on(XmlStep::Close {
                    name: tag.local_name().as_ref(),
                    text: last.trim(),
                });
                last.clear();
            }
            Ok(Event::Eof) => return depth == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Parses a timestamp into Unix seconds.
pub(super) fn time_s(text: &str) -> Option<f64> {
    text.parse::<Timestamp>()
        .ok()
        .map(|at| at.as_duration().as_secs_f64())
}

/// Parses a number; infinities and NaN are refused.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Collects points. A new segment within the same track means that the timer was stopped in between.
#[derive(Default)]
pub(super) struct Points {
    pub(super) samples: Vec<Sample>,
    pub(super) pauses: Vec<Pause>,
    begins_segment: bool,
}

impl Points {
    pub(super) fn begin_segment(&mut self) {
        self.begins_segment = !self.samples.is_empty();
    }

    pub(super) fn add(&mut self, sample: Sample) {
        if self.samples.len() >= MOST_SAMPLES {
            return;
        }
        if let (true, Some(last)) = (self.begins_segment, self.samples.last()) {
            self.pauses.push(Pause {
                from_s: last.at_s,
                to_s: sample.at_s,
            });
        }
        self.begins_segment = false;
        self.samples.push(sample);
    }
}
