//! The headers of a request, one per line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| garmin_gateway::web::fuzz_headers(data));
