//! FIT, GPX and TCX files, and the archives around them.
#![no_main]

use garmin_gateway::garmin::files::{self, fit};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(recording) = files::read(bytes) {
        let mut last_s = -1.0;
        for sample in &recording.samples {
            assert!(sample.at_s > last_s, "samples are in order");
            last_s = sample.at_s;
        }
        let held_s: f64 = recording.held_s().sum();
        assert!(held_s >= 0.0 && held_s <= recording.elapsed_s() + 1.0);
    }
    for message in fit::messages(bytes).map_while(Result::ok) {
        for field in message.fields() {
            let _ = (field.text(), field.time_s(), field.numbers().count());
        }
    }
});
