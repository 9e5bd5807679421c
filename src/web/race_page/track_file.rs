//! The recorded track of a race that is over as a file, for the crew.

use std::convert::Infallible;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;

use super::message;
use crate::race::gpx::{GPX_END, gpx_point, gpx_start};
use crate::race::page::{PageWords, is_over};
use crate::races::OpenLink;
use crate::store::StoreError;
use crate::web::face::Face;
use crate::web::race_view::MessageWhy;
use crate::web::reply::{self, Response};

/// How many points are sent as one chunk.
const PART: usize = 500;

/// The GPX file of the athlete with this number. A link for a family has none, because the file contains the exact
/// positions.
pub(super) fn gpx(face: &Face, link: &OpenLink, number: &str, words: &'static PageWords) -> Response {
    let lines = match lines(face, link, number) {
        Ok(Some(lines)) => lines,
        Ok(None) => return message(words, MessageWhy::Gone),
        Err(e) => {
            tracing::error!(reason = %e, "race_page.failed");
            return message(words, MessageWhy::Broken);
        }
    };
    let parts = lines
        .chunks(PART)
        .map(|part| Ok::<_, Infallible>(Bytes::from(part.concat())));
    let parts = futures_util::stream::iter(parts.collect::<Vec<_>>());
    let mut response = warp::Reply::into_response(warp::reply::stream(parts));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gpx+xml"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let file = HeaderValue::from_static("attachment; filename=\"race.gpx\"");
    headers.insert(CONTENT_DISPOSITION, file);
    reply::never_indexed(&mut response);
    response
}

/// The file in lines; `None` if there is no such athlete, the share is for a family, or the race goes on.
fn lines(face: &Face, link: &OpenLink, number: &str) -> Result<Option<Vec<String>>, StoreError> {
    let number: Option<usize> = number.parse().ok();
    let share = number.and_then(|number| link.shares.get(number));
    let Some(share) = share.filter(|share| share.terms.is_crew()) else {
        return Ok(None);
    };
    let races = &face.parts.races;
    let race = races.view(&share.account, &share.race)?;
    if race.is_none_or(|race| !is_over(&race.snapshot)) {
        return Ok(None);
    }
    let samples = races.samples(&share.account, &share.race, Timestamp::UNIX_EPOCH, Timestamp::MAX)?;
    // If the person has chosen no name, the file does not name them.
    let name = share.terms.name.as_deref().unwrap_or("LiveTrack");
    let points = samples.iter().filter_map(gpx_point);
    let all = std::iter::once(gpx_start(name)).chain(points);
    Ok(Some(all.chain([GPX_END.to_owned()]).collect()))
}
