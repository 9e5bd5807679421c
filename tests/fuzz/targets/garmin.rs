//! Runs one response of Garmin, or of a server in its place, through every parser. The first line is the status and
//! the content type; the rest is the body. The body is also used as a code that a person typed.
#![no_main]

use garmin_gateway::garmin::fuzzing;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (status, content_type) = head.split_once(' ').unwrap_or((head, ""));
    fuzzing::read_response(status.parse().unwrap_or(200), content_type, body);
    fuzzing::read_code(body);
});
