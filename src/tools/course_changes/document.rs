//! Garmin's document of a course.

use serde_json::{Value, json};

/// The earth's mean radius in metres, the value that garmin_mcp uses.
const EARTH_M: f64 = 6_371_000.0;

/// Garmin's document of a new course.
pub(super) fn document(
    imported: &[Value],
    name: &str,
    description: Option<&str>,
    type_id: i64,
) -> Result<Value, String> {
    let places = places(imported);
    let ([first, .., last], true) = (places.as_slice(), places.len() == imported.len()) else {
        return Err("Parsed course has fewer than 2 geo points; GPX is empty or invalid".to_owned());
    };
    let mut total = 0.0;
    let mut previous = *first;
    let mut points = Vec::with_capacity(imported.len());
    for (point, place) in imported.iter().zip(&places) {
        total += distance_m(previous, *place);
        previous = *place;
        let mut point = point.as_object().cloned().unwrap_or_default();
        let elevation = point
            .get("elevation")
            .filter(|elevation| !elevation.is_null())
            .cloned();
        point.insert("elevation".to_owned(), elevation.unwrap_or_else(|| json!(0.0)));
        point.insert("distance".to_owned(), json!(total));
        points.push(Value::Object(point));
    }
    let fold = |pick: fn(&(f64, f64)) -> f64, choose: fn(f64, f64) -> f64| {
        places.iter().map(pick).reduce(choose).unwrap_or_default()
    };
    let (south, north) = (fold(|place| place.0, f64::min), fold(|place| place.0, f64::max));
    let (west, east) = (fold(|place| place.1, f64::min), fold(|place| place.1, f64::max));
    let corner = |latitude: f64, longitude: f64| json!({"latitude": latitude, "longitude": longitude});
    let elevation = points.first().and_then(|point| point.get("elevation")).cloned();
    let mut course = json!({
        "courseName": name,
        "description": description,
        "rulePK": 2,
        "sourceTypeId": 3,
        "distanceMeter": total,
        "elevationGainMeter": 0.0,
        "elevationLossMeter": 0.0,
        "startPoint": {
            "latitude": first.0, "longitude": first.1, "elevation": elevation, "distance": null, "timestamp": null,
        },
        "coursePoints": [],
        "boundingBox": {
            "center": corner(f64::midpoint(south, north), f64::midpoint(west, east)),
            "lowerLeft": corner(south, west),
            "upperRight": corner(north, east),
            "lowerLeftLatIsSet": true,
            "lowerLeftLongIsSet": true,
            "upperRightLatIsSet": true,
            "upperRightLongIsSet": true,
        },
        "activityTypePk": type_id,
        "courseLines": [{
            "courseId": null,
            "sortOrder": 1,
            "numberOfPoints": points.len(),
            "distanceInMeters": total,
            "bearing": bearing(*first, *last),
            "points": points,
            "coordinateSystem": "WGS84",
            "originalCoordinateSystem": "WGS84",
        }],
        "coordinateSystem": "WGS84",
        "targetCoordinateSystem": "WGS84",
        "originalCoordinateSystem": "WGS84",
        "elevationSource": 3,
        "geoPoints": points,
    });
    if let Some(members) = course.as_object_mut() {
        for name in [
            "openStreetMap",
            "matchedToSegments",
            "hasShareableEvent",
            "hasTurnDetectionDisabled",
            "includeLaps",
            "hasPaceBand",
            "hasPowerGuide",
            "favorite",
        ] {
            members.insert(name.to_owned(), json!(false));
        }
        for name in [
            "userProfilePk",
            "userGroupPk",
            "geoRoutePk",
            "sourcePk",
            "virtualPartnerId",
            "elapsedSeconds",
            "speedMeterPerSecond",
            "consumer",
            "startNote",
            "finishNote",
            "cutoffDuration",
        ] {
            members.insert(name.to_owned(), Value::Null);
        }
    }
    Ok(course)
}

/// The positions of the points that have one.
pub(super) fn places(points: &[Value]) -> Vec<(f64, f64)> {
    let place = |point: &Value| {
        Some((
            point.get("latitude")?.as_f64()?,
            point.get("longitude")?.as_f64()?,
        ))
    };
    points.iter().filter_map(place).collect()
}

/// The distance between two points on the sphere, in metres.
pub(super) fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let [lat1, lat2] = [from.0, to.0].map(f64::to_radians);
    let (half_lat, half_lon) = ((lat2 - lat1) / 2.0, (to.1 - from.1).to_radians() / 2.0);
    let a = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_M * a.sqrt().atan2((1.0 - a).sqrt())
}

/// The initial bearing from one point to another, in degrees from 0 to 360.
fn bearing(from: (f64, f64), to: (f64, f64)) -> f64 {
    let [lat1, lat2] = [from.0, to.0].map(f64::to_radians);
    let lon = (to.1 - from.1).to_radians();
    let y = lon.sin() * lat2.cos();
    let x = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * lon.cos();
    (y.atan2(x).to_degrees() + 360.0) % 360.0
}
