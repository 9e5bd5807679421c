//! LiveTrack: a pasted link, an e-mail, and arbitrary responses of its page and its interfaces.
#![no_main]

use garmin_gateway::config::GarminHosts;
use garmin_gateway::garmin::livetrack::{self, LiveTrackSession, PastedLink};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drop(livetrack::points(data));
    drop(livetrack::course(data));
    if let Ok(session) = LiveTrackSession::read(data) {
        session.link_ends_at();
        session.ended_at("2026-10-04T12:00:00Z".parse().unwrap());
    }
    garmin_gateway::races::fuzz_mail(data);
    let text = String::from_utf8_lossy(data);
    livetrack::page(&text);
    livetrack::csrf_token(&text);
    let base = "https://livetrack.garmin.com".parse().unwrap();
    if let Ok(PastedLink::Complete(link)) = livetrack::find(&text, &GarminHosts::at(&base)) {
        let url = link.url(&base);
        assert_eq!(url.host_str(), Some("livetrack.garmin.com"));
        assert_eq!(url.path_segments().unwrap().count(), 4, "{url}");
    }
});
