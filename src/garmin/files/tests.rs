use super::fit::{FitValue, FitWriter, fit_time, message};
use super::*;

/// 8 January 2026, 10:00 UTC.
const NOON: i64 = 1_767_866_400;

/// A ride with smart recording: samples 1 s apart, then 9 s apart, a pause of 5 minutes, and two laps.
fn ride() -> Vec<u8> {
    use FitValue::{Signed, Whole};
    let mut fit = FitWriter::default();
    fit.message(0, &[(0, Whole(4)), (8, FitValue::Text("Edge"))]);
    let event =
        |fit: &mut FitWriter, at, kind| fit.timed(message::EVENT, at, &[(0, Whole(0)), (1, Whole(kind))]);
    event(&mut fit, NOON, 0);
    for (at, watts) in [(0, 100), (1, 200), (10, 300), (320, 400), (321, 500)] {
        if at == 320 {
            event(&mut fit, NOON + 15, 4);
            event(&mut fit, NOON + 315, 0);
        }
        let fields = [
            (0, Signed(572_662_306)),
            (1, Signed(119_304_647)),
            (78, Whole(3_000)),
            (3, Whole(120)),
            (5, Whole(1_234)),
            (7, Whole(watts)),
            (73, Whole(7_500)),
        ];
        fit.timed(message::RECORD, NOON + at, &fields);
    }
    for (from, seconds) in [(0, 15_000), (315, 6_000)] {
        let start = (2, Whole(fit_time(NOON + from)));
        fit.timed(
            message::LAP,
            NOON + 321,
            &[start, (7, Whole(seconds)), (9, Whole(5_000))],
        );
    }
    fit.timed(message::SESSION, NOON + 321, &[(5, Whole(2))]);
    fit.finish()
}

#[test]
fn a_fit_file_of_several_sports_has_its_sessions() {
    use FitValue::Whole;

    let mut fit = FitWriter::default();
    for at in [0, 60, 120] {
        fit.timed(message::RECORD, NOON + at, &[(5, Whole(100))]);
    }
    // Watches write the sessions at the end of the file, not in chronological order.
    for (sport, from, seconds) in [(2, 75, 45_000), (5, 0, 60_000), (3, 60, 15_000)] {
        let start = (2, Whole(fit_time(NOON + from)));
        fit.timed(
            message::SESSION,
            NOON + 120,
            &[start, (5, Whole(sport)), (7, Whole(seconds))],
        );
    }
    let recording = read(&fit.finish()).unwrap();
    let sessions: Vec<_> = recording
        .sessions
        .iter()
        .map(|session| (session.sport.as_deref().unwrap(), session.from_s, session.to_s))
        .collect();
    assert_eq!(
        sessions,
        [
            ("swimming", 0.0, 60.0),
            ("transition", 60.0, 75.0),
            ("cycling", 75.0, 120.0)
        ]
    );
    assert_eq!(recording.sport.as_deref(), Some("swimming"));
}

#[test]
fn a_fit_file_has_samples_pauses_and_laps() {
    let recording = read(&ride()).unwrap();
    assert_eq!(recording.start.as_second(), NOON);
    assert_eq!(recording.sport.as_deref(), Some("cycling"));
    assert!(!recording.is_cut);
    let watts: Vec<_> = recording
        .samples
        .iter()
        .map(|sample| (sample.at_s, sample.power_w.unwrap()))
        .collect();
    assert_eq!(
        watts,
        [
            (0.0, 100.0),
            (1.0, 200.0),
            (10.0, 300.0),
            (320.0, 400.0),
            (321.0, 500.0)
        ]
    );
    assert_eq!(
        recording.pauses,
        [Pause {
            from_s: 15.0,
            to_s: 315.0
        }]
    );
    assert_eq!(recording.held_s().collect::<Vec<_>>(), [1.0, 9.0, 5.0, 1.0, 1.0]);
    let laps: Vec<_> = recording
        .laps
        .iter()
        .map(|lap| (lap.from_s, lap.to_s, lap.distance_m))
        .collect();
    assert_eq!(laps, [(0.0, 15.0, Some(50.0)), (315.0, 321.0, Some(50.0))]);
    let sample = recording.samples[0];
    assert_eq!(
        (sample.altitude_m, sample.speed_mps, sample.distance_m),
        (Some(100.0), Some(7.5), Some(12.34))
    );
    let position = sample.position.unwrap();
    assert!(
        (position.lat - 48.0).abs() < 1e-6 && (position.lon - 10.0).abs() < 1e-6,
        "{position:?}"
    );
}

#[test]
fn archives_are_unpacked_by_their_content() {
    let fit = ride();
    assert_eq!(read(&pack::zip("20000000001_ACTIVITY.fit", &fit)), read(&fit));
    let mut gzip = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    gzip.extend(b"ride.fit\0");
    gzip.extend(miniz_oxide::deflate::compress_to_vec(&fit, 6));
    assert_eq!(read(&gzip), read(&fit));
    for (bytes, wanted) in [
        (pack::zip("readme.txt", b"hello"), FileError::BadArchive),
        (pack::zip("a.fit", b""), FileError::Empty),
        (b"PK\x03\x04 broken".to_vec(), FileError::BadArchive),
        (vec![], FileError::Empty),
        (b"<html></html>".to_vec(), FileError::UnknownFormat),
        (b"\0\x01\x02\xff".to_vec(), FileError::UnknownFormat),
    ] {
        assert_eq!(read(&bytes), Err(wanted));
    }
}

/// The directory of an archive may state a wrong size.
#[test]
fn a_wrong_claim_of_the_size_changes_nothing() {
    let fit = ride();
    let archive = pack::zip("ride.fit", &fit);
    let directory = archive.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    for claim in [
        0,
        1,
        fit.len() - 1,
        fit.len() + 1,
        MOST_BYTES,
        MOST_BYTES + 1,
        usize::MAX,
    ] {
        let mut archive = archive.clone();
        let claim = u32::try_from(claim).unwrap_or(u32::MAX).to_le_bytes();
        archive[directory + 24..directory + 28].copy_from_slice(&claim);
        assert_eq!(read(&archive), read(&fit));
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = pack::zip("a.fit", &vec![0; MOST_BYTES + 1]);
    assert!(bomb.len() < 200_000);
    assert_eq!(read(&bomb), Err(FileError::TooLarge));
}

#[test]
fn a_file_that_broke_off_gives_its_beginning() {
    let fit = ride();
    let whole = read(&fit).unwrap();
    for length in 0..fit.len() {
        match read(&fit[..length]) {
            Ok(part) => {
                assert!(part.is_cut || part.samples == whole.samples, "{length}");
                assert!(whole.samples.starts_with(&part.samples), "{length}");
            }
            Err(error) => assert!(
                matches!(
                    error,
                    FileError::Empty | FileError::UnknownFormat | FileError::Damaged | FileError::NoSamples
                ),
                "{error} at {length}"
            ),
        }
    }
}

#[test]
fn files_behind_one_another_are_one_recording() {
    let mut two = ride();
    two.extend(ride());
    let recording = read(&two).unwrap();
    assert_eq!(recording.samples, read(&ride()).unwrap().samples);
    assert_eq!(recording.laps.len(), 4);
    // Zeros after the last file are not damage.
    two.extend([0; 40]);
    assert!(!read(&two).unwrap().is_cut);
}

/// A file built by hand: big-endian, plain altitude and speed, and times in the message header.
#[test]
fn compressed_times_and_big_endian_fields() {
    let at = fit_time(NOON);
    let mut body = vec![0x40, 0, 1, 0, 20, 3, 253, 4, 0x86, 2, 2, 0x84, 3, 1, 0x02];
    body.push(0);
    body.extend(at.to_be_bytes());
    body.extend(3_000_u16.to_be_bytes());
    body.push(100);
    body.extend([0x41, 0, 0, 20, 0, 1, 3, 1, 0x02]);
    // Three seconds later, then after the five-bit counter has wrapped, with an invalid heart rate.
    for (after, bpm) in [(3_u32, 110), (30, 0xff)] {
        let low = u8::try_from((at + after) & 0x1f).unwrap();
        body.extend([0x80 | 1 << 5 | low, bpm]);
    }
    let mut fit = vec![12, 0x10, 0, 0];
    fit.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    fit.extend(b".FIT");
    fit.extend(body);
    fit.extend([0, 0]);
    let samples = read(&fit).unwrap().samples;
    let told: Vec<_> = samples
        .iter()
        .map(|s| (s.at_s, s.altitude_m, s.heart_rate_bpm))
        .collect();
    assert_eq!(
        told,
        [
            (0.0, Some(100.0), Some(100.0)),
            (3.0, None, Some(110.0)),
            (30.0, None, None)
        ]
    );
}

#[test]
fn a_gpx_file_has_distances_and_a_pause_between_segments() {
    let gpx = r#"<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:g="x">
        <metadata><time>2020-01-01T00:00:00Z</time></metadata><trk><name>Run</name><type>running</type>
        <trkseg><trkpt lat="48.0" lon="10.0"><ele>500.5</ele><time>2026-01-08T10:00:00.000Z</time>
          <extensions><g:TrackPointExtension><g:hr>120</g:hr><g:cad>85</g:cad></g:TrackPointExtension></extensions></trkpt>
        <trkpt lat="48.001" lon="10.0"><time>2026-01-08T10:00:30Z</time></trkpt></trkseg>
        <trkseg><trkpt lat="48.001" lon="10.0"><time>2026-01-08T10:05:00Z</time></trkpt>
        <trkpt lat="48.002" lon="10.0"/></trkseg></trk></gpx>"#;
    let recording = read(gpx.as_bytes()).unwrap();
    assert_eq!(recording.start.as_second(), NOON);
    assert_eq!(recording.sport.as_deref(), Some("running"));
    assert_eq!(
        recording.pauses,
        [Pause {
            from_s: 30.0,
            to_s: 300.0
        }]
    );
    let first = recording.samples[0];
    assert_eq!(
        (first.altitude_m, first.heart_rate_bpm, first.cadence_rpm),
        (Some(500.5), Some(120.0), Some(85.0))
    );
    assert_eq!(recording.samples.len(), 3, "a point without a time is left out");
    let metres = recording.samples[2].distance_m.unwrap();
    assert!((111.0..111.5).contains(&metres), "{metres}");
    let cut = read(gpx.split_at(gpx.len() - 60).0.as_bytes()).unwrap();
    assert!(cut.is_cut && cut.samples == recording.samples);
    assert_eq!(read(b"<gpx><trk/></gpx>"), Err(FileError::NoSamples));
}

#[test]
fn a_tcx_file_has_laps_with_their_totals() {
    let point = |time: &str, metres: u32, bpm: u32| {
        format!(
            "<Trackpoint><Time>2026-01-08T10:{time}Z</Time><Position><LatitudeDegrees>48</LatitudeDegrees>\
             <LongitudeDegrees>10</LongitudeDegrees></Position><DistanceMeters>{metres}</DistanceMeters>\
             <HeartRateBpm><Value>{bpm}</Value></HeartRateBpm><Extensions><ns3:TPX><ns3:Speed>3.5</ns3:Speed>\
             <ns3:Watts>250</ns3:Watts></ns3:TPX></Extensions></Trackpoint>"
        )
    };
    let lap = |start: &str, metres: u32, track: &str| {
        format!(
            "<Lap StartTime=\"2026-01-08T10:{start}Z\"><TotalTimeSeconds>60</TotalTimeSeconds>\
             <DistanceMeters>{metres}</DistanceMeters><Calories>10</Calories><AverageHeartRateBpm><Value>99</Value>\
             </AverageHeartRateBpm>{track}</Lap>"
        )
    };
    let first = format!(
        "<Track>{}</Track><Track>{}</Track>",
        point("00:00", 0, 120),
        point("00:59", 200, 130)
    );
    let second = format!(
        "<Track>{}{}</Track>",
        point("01:00", 204, 131),
        point("02:00", 400, 140)
    );
    let tcx = format!(
        "<TrainingCenterDatabase xmlns:ns3=\"x\"><Activities><Activity Sport=\"Running\">{}{}</Activity></Activities>\
         </TrainingCenterDatabase>",
        lap("00:00", 204, &first),
        lap("01:00", 196, &second)
    );
    let recording = read(tcx.as_bytes()).unwrap();
    assert_eq!(recording.sport.as_deref(), Some("running"));
    assert_eq!(
        recording.pauses,
        [Pause {
            from_s: 0.0,
            to_s: 59.0
        }]
    );
    let bpm: Vec<_> = recording
        .samples
        .iter()
        .map(|s| s.heart_rate_bpm.unwrap())
        .collect();
    assert_eq!(bpm, [120.0, 130.0, 131.0, 140.0]);
    assert_eq!(
        (recording.samples[0].speed_mps, recording.samples[0].power_w),
        (Some(3.5), Some(250.0))
    );
    let laps: Vec<_> = recording
        .laps
        .iter()
        .map(|l| (l.from_s, l.to_s, l.timer_s, l.distance_m))
        .collect();
    assert_eq!(
        laps,
        [
            (0.0, 59.0, Some(60.0), Some(204.0)),
            (60.0, 120.0, Some(60.0), Some(196.0))
        ]
    );
}
