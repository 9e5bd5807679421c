//! A redirect URI, at registration and at `/authorize`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| garmin_gateway::oauth::fuzzing::redirect_uri(text));
