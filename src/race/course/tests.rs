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

/// East for 10 km and back on the same road.
fn out_and_back() -> Course {
    let east = |i: u32| (46.62, 14.30 + f64::from(i) * 0.0013);
    let points: Vec<_> = (0..=100).chain((0..100).rev()).map(east).collect();
    Course::from_gpx(&gpx(&points)).unwrap()
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
    assert!((Course::from_gpx(&routes).unwrap().length_m() - 1112.0).abs() < 2.0);
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
        assert_eq!(Course::from_gpx(text), Err(bad), "{text}");
    }
}

#[test]
fn entities_do_not_expand() {
    let bomb = "<!DOCTYPE gpx [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\
                <gpx><trkpt lat='46' lon='14'><ele>&b;</ele></trkpt></gpx>";
    assert_eq!(Course::from_gpx(bomb), Err(BadCourse::TooShort));
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
        // Back to front: nobody moves backwards, the way back is taken.
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
    let course = Course::from_gpx(&gpx(&points)).unwrap();
    assert!(course.corners.len() <= MOST_CORNERS);
    let text = serde_json::to_vec(&course).unwrap();
    assert!(text.len() < 30_000, "{}", text.len());
    let again: Course = serde_json::from_slice(&text).unwrap();
    assert!((again.length_m() - course.length_m()).abs() < 0.1);
    let broken = r#"{"lat":[1,2],"lon":[1],"along":[1,2]}"#;
    assert!(serde_json::from_str::<Course>(broken).is_err());
}
