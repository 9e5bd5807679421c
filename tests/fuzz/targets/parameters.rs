//! A query or a form for `/authorize`, `/token` or `/revoke`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| garmin_gateway::oauth::fuzzing::parameters(text));
