//! A query or a form: of `/authorize`, `/token`, `/revoke`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| garmin_gateway::oauth::fuzzing::parameters(text));
