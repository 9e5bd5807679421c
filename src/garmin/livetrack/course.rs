//! The course that belongs to a session, if the athlete chose one.

use serde_json::Value;

use super::json_fields::JsonFields;
use super::point::json;
use super::{LiveTrackError, Position};

/// Parses a courses response: the points of the first course in order, or empty without a course.
pub fn course(body: &[u8]) -> Result<Vec<Position>, LiveTrackError> {
    let Some(value) = json(body)? else {
        return Ok(Vec::new());
    };
    let courses = value.get("courses").and_then(Value::as_array);
    let points = courses
        .ok_or(LiveTrackError::Changed("$.courses"))?
        .first()
        .and_then(|course| course.get("coursePoints"))
        .and_then(Value::as_array);
    Ok(points.into_iter().flatten().filter_map(position).collect())
}

fn position(value: &Value) -> Option<Position> {
    let mut position = JsonFields(value.get("position")?.as_object()?.clone());
    Some(Position {
        lat: position.number("lat", -90.0..=90.0)?,
        lon: position.number("lon", -180.0..=180.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_course_is_read() {
        let body = br#"{"courses":[{"coursePoints":[
            {"position":{"lat":46.62,"lon":14.31},"elevation":450.5,"distanceMeters":0},
            {"position":{"lat":46.63,"lon":14.32},"altitude":"451"},{"position":null}]}]}"#;
        let points = course(body).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(
            points[1],
            Position {
                lat: 46.63,
                lon: 14.32
            }
        );
        assert_eq!(course(br#"{"courses":[]}"#), Ok(vec![]));
        assert_eq!(course(b""), Ok(vec![]));
        assert_eq!(course(b"{}"), Err(LiveTrackError::Changed("$.courses")));
    }
}
