//! Runs a tool on a recorded response of Garmin, which the input bytes modify.
#![no_main]

use garmin_gateway::tools;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|choices: &[u8]| tools::fuzz(choices));
