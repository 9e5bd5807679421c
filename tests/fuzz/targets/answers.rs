//! Runs a tool on a recorded answer of Garmin, changed as the bytes say.
#![no_main]

use garmin_gateway::tools;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|choices: &[u8]| tools::fuzz(choices));
