use super::simplify::MOST_CORNERS;
use super::*;

fn gpx(points: &[(f64, f64)]) -> String {
    let point =
        |(lat, lon): &(f64, f64)| format!("<trkpt lat=\"{lat}\" lon='{lon}'><ele>440.5</ele></trkpt>");
    let points = points.iter().map(point).collect::<Vec<_>>().concat();
    format!(
        "<?xml version=\"1.0\"?><gpx xmlns=\"http://www.topografix.com/GPX/1/1\"><wpt lat=\"1\" lon=\"1\"/>\
         <trk><name>&lt;x&gt;</name><trkseg>{points}</trkseg></trk></gpx>"
    )
}

/// A course that runs east for 10 km and returns on the same road.
fn out_and_back() -> Course {
    let east = |i: u32| (46.62, 14.30 + f64::from(i) * 0.0013);
    let points: Vec<_> = (0..=100).chain((0..100).rev()).map(east).collect();
    read(&gpx(&points)).unwrap()
}

#[test]
fn a_gpx_file_becomes_a_line() {
    let course = out_and_back();
    assert!(
        (course.length_m() - 19_858.0).abs() < 20.0,
        "{}",
        course.length_m()
    );
    assert!(course.corners.len() < 20, "a straight road needs few corners");
    let routes = gpx(&[(46.62, 14.3), (46.63, 14.3)]).replace("trkpt", "rtept");
    assert!((read(&routes).unwrap().length_m() - 1112.0).abs() < 2.0);
}

#[test]
fn bad_files_are_told_apart() {
    for (text, bad) in [
        ("", BadCourse::NotGpx),
        ("hello", BadCourse::NotGpx),
        ("<gpx><trk", BadCourse::NotGpx),
        ("<kml></kml>", BadCourse::NotGpx),
        ("<gpx></gpx>", BadCourse::TooShort),
        ("<gpx><trkpt lat='91' lon='0'/></gpx>", BadCourse::BadPoint),
        ("<gpx><trkpt lon='0'/></gpx>", BadCourse::BadPoint),
        (&gpx(&[(46.62, 14.3), (46.62, 14.3001)]), BadCourse::TooShort),
        (&gpx(&[(-80.0, 0.0), (80.0, 0.0)]), BadCourse::TooLong),
    ] {
        assert_eq!(read(text), Err(bad), "{text}");
    }
}

/// A straight track of `km` kilometres to the east, starting `north_km` north of the others.
fn east(km: f64, north_km: f64) -> String {
    let point = |i: u32| {
        let lon = 14.3 + f64::from(i) / 100.0 * km / 76.4;
        format!("<trkpt lat=\"{}\" lon=\"{lon}\"/>", 46.62 + north_km / 111.2)
    };
    (0..=100).map(point).collect()
}

fn described(tracks: &str, expected_m: Option<f64>) -> Result<String, BadCourse> {
    let text = format!("<gpx>{tracks}</gpx>");
    CourseFile::read(&text, expected_m, 0.0).map(|file| file.course.describe())
}

#[test]
fn stray_points_are_left_out_and_said() {
    let stray = "<trkpt lat=\"45.6\" lon=\"14.3\"/>";
    let (line, near) = (east(11.1, 0.0), east(0.2, 0.0));
    let half = line.len() / 2;
    let half = half + line[half..].find('<').unwrap();
    let (first, second) = line.split_at(half);
    for (segments, wanted) in [
        (format!("<trkseg>{line}</trkseg>"), "11.1 km"),
        (
            format!("<trkseg>{stray}</trkseg><trkseg>{line}</trkseg>"),
            "11.1 km (1 stray point left out)",
        ),
        (
            format!("<trkseg>{line}</trkseg><trkseg>{stray}</trkseg>"),
            "11.1 km (1 stray point left out)",
        ),
        (
            format!("<trkseg>{stray}{line}{stray}</trkseg>"),
            "11.1 km (2 stray points left out)",
        ),
        (
            format!("<trkseg>{first}<trkpt lat=\"0\" lon=\"0\"/>{second}</trkseg>"),
            "11.1 km (1 stray point left out)",
        ),
        (
            format!("<trkseg>{}</trkseg><trkseg>{line}</trkseg>", east(0.2, 90.0)),
            "11.1 km (1 stray part left out)",
        ),
        // A paused watch is no reason to leave anything out.
        (
            format!("<trkseg>{first}</trkseg><trkseg>{second}</trkseg>"),
            "11.1 km",
        ),
        (format!("<trkseg/><trkseg>{near}</trkseg>"), "0.2 km"),
    ] {
        let track = format!("<trk>{segments}</trk>");
        assert_eq!(described(&track, None).as_deref(), Ok(wanted), "{segments}");
    }
}

#[test]
fn one_of_several_tracks_is_chosen_and_said() {
    let track = |km, north_km| format!("<trk><trkseg>{}</trkseg></trk>", east(km, north_km));
    let two = track(21.1, 0.0) + &track(42.2, 0.0);
    assert_eq!(described(&two, None).as_deref(), Ok("42.2 km of track 2 of 2"));
    let half = Some(21_097.5);
    assert_eq!(described(&two, half).as_deref(), Ok("21.1 km of track 1 of 2"));
    // Tracks too short or too empty to be a course do not count.
    let with_strays = format!(
        "<trk><name>empty</name></trk>{}{}",
        track(0.05, 0.0),
        track(10.0, 0.0)
    );
    assert_eq!(described(&with_strays, None).as_deref(), Ok("10.0 km"));
    let routes = two
        .replace("trkpt", "rtept")
        .replace("trkseg", "x")
        .replace("trk>", "rte>");
    assert_eq!(described(&routes, None).as_deref(), Ok("42.2 km of route 2 of 2"));
    assert_eq!(
        described(&format!("{routes}{}", track(5.0, 0.0)), None).as_deref(),
        Ok("5.0 km")
    );
}

#[test]
fn a_track_in_pieces_is_refused_with_the_reason() {
    let track = format!(
        "<trk><trkseg>{}</trkseg><trkseg>{}</trkseg></trk>",
        east(8.0, 0.0),
        east(5.0, 40.0)
    );
    let refused = described(&track, None).unwrap_err().to_string();
    assert!(
        refused.contains("track 1 has parts that are far apart (8.0 km, 5.0 km)"),
        "{refused}"
    );
}

#[test]
fn the_origin_is_stored_with_the_course() {
    let tracks = format!(
        "<gpx><trk>{}</trk><trk>{}</trk></gpx>",
        east(5.0, 0.0),
        east(10.0, 0.0)
    );
    let course = read(&tracks).unwrap();
    let stored = serde_json::to_string(&course).unwrap();
    let again: Course = serde_json::from_str(&stored).unwrap();
    assert_eq!(again.describe(), "10.0 km of track 2 of 2");
    let before = r#"{"lat":[46620000,0],"lon":[14300000,100000],"along":[0,76400]}"#;
    let course: Course = serde_json::from_str(before).unwrap();
    assert_eq!(course.describe(), "7.6 km");
    assert_eq!(serde_json::to_string(&course).unwrap(), before);
}

#[test]
fn entities_do_not_expand() {
    let bomb = "<!DOCTYPE gpx [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
                <gpx><trkpt lat='46' lon='14'><ele>&b;</ele></trkpt></gpx>";
    assert_eq!(read(bomb), Err(BadCourse::TooShort));
}

#[test]
fn the_way_out_is_told_from_the_way_back() {
    let course = out_and_back();
    let half = course.length_m() / 2.0;
    let place = Position {
        lat: 46.6201,
        lon: 14.30 + 50.0 * 0.0013,
    };
    for (from_m, expected) in [
        (0.0, half / 2.0),
        (half / 2.0 - 300.0, half / 2.0),
        (half, half * 1.5),
        (half * 1.5, half * 1.5),
        // Already past this place on the way out. Athletes do not run backwards, so the way back is chosen.
        (half * 0.9, half * 1.5),
    ] {
        let at = course.locate(place, from_m).unwrap();
        assert!((at.along_m - expected).abs() < 30.0, "from {from_m}: {at:?}");
        assert!((at.off_m - 11.0).abs() < 1.0, "{at:?}");
    }
}

#[test]
fn a_long_winding_course_fits_a_record() {
    let points: Vec<_> = (0..10_000)
        .map(|i| {
            let i = f64::from(i);
            (
                46.0 + i * 3e-5 + (i / 7.0).sin() * 4e-4,
                14.0 + (i / 11.0).cos() * 5e-4,
            )
        })
        .collect();
    let course = read(&gpx(&points)).unwrap();
    assert!(course.corners.len() <= MOST_CORNERS);
    let text = serde_json::to_vec(&course).unwrap();
    assert!(text.len() < 30_000, "{}", text.len());
    let again: Course = serde_json::from_slice(&text).unwrap();
    assert!((again.length_m() - course.length_m()).abs() < 0.1);
    let broken = r#"{"lat":[1,2],"lon":[1],"along":[1,2]}"#;
    assert!(serde_json::from_str::<Course>(broken).is_err());
}

fn read(text: &str) -> Result<Course, BadCourse> {
    CourseFile::read(text, None, 0.0).map(|file| file.course)
}

#[test]
fn elevations_waypoints_and_the_official_distance_are_read() {
    let points = (0..=100).fold(String::new(), |points, i| {
        let (lon, height_m) = (f64::from(i) * 0.001, 100 + i.min(50));
        points + &format!(r#"<trkpt lat="0" lon="{lon}"><ele>{height_m}</ele><name>x</name></trkpt>"#)
    });
    let text = format!(
        r#"<gpx><wpt lat="0.0005" lon="0.05"><ele>9</ele><name>VP &amp; 2</name></wpt><wpt lat="0" lon="0.02"><name>VP1</name></wpt>
           <wpt lat="1" lon="1"><name>far</name></wpt><trk><name>y</name><trkseg>{points}</trkseg></trk></gpx>"#
    );
    let file = CourseFile::read(&text, Some(11_400.0), 0.15).unwrap();
    let names: Vec<_> = file.places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], "VP1");
    // 0.1 degrees are 11.1 km, stretched to 11.4.
    assert!((file.places[1].along_m - 5700.0).abs() < 5.0, "{:?}", file.places);
    assert!((file.course.length_m() - 11_400.0).abs() < 0.1);
    assert_eq!(file.course.describe(), "11.4 km, 11.1 km in the file");
    let climb_m = file.course.profile().unwrap().climb_m(0.0, 11_400.0);
    assert!((climb_m - 50.0).abs() < 4.0, "{climb_m}");
    let middle = file.course.position_at(5700.0).unwrap();
    assert!((middle.lon - 0.05).abs() < 1e-4 && middle.lat.abs() < 1e-9);
    let kept = serde_json::to_string(&file.course).unwrap();
    let again: Course = serde_json::from_str(&kept).unwrap();
    assert!((again.profile().unwrap().climb_m(0.0, 11_400.0) - climb_m).abs() < 0.1);
    let other = CourseFile::read(&text, Some(20_000.0), 0.15).unwrap().course;
    assert_eq!(other.describe(), "11.1 km, not scaled to 20.0 km");
}
