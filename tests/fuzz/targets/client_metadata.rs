//! A client's own metadata: a registration, or a metadata document with its URL and its `Cache-Control`.
#![no_main]

use garmin_gateway::oauth::fuzzing;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzzing::registration(data);
    let text = String::from_utf8_lossy(data);
    let (id, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let (cache_control, body) = rest.split_once('\n').unwrap_or((rest, ""));
    fuzzing::document(id, cache_control, body.as_bytes());
    fuzzing::document("", "", data);
});
