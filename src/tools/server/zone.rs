//! The current time in the person's time zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::super::time_zone;
use super::Server;
use crate::garmin::ApiError;

impl Server {
    /// Sets the zone that the person chose at the gateway, so that Garmin need not be asked.
    pub(in crate::tools) fn set_zone(&self, zone: TimeZone) {
        self.0.zone.set(zone).ok();
    }

    /// The current time where the person is. If Garmin does not know where that is, the zone of `TZ`, or else of the
    /// machine.
    pub(super) async fn now(&self) -> Zoned {
        let zone = match self.0.zone.get() {
            Some(zone) => zone.clone(),
            None => match self.find_zone().await {
                Ok(found) => {
                    let zone = found.unwrap_or_else(TimeZone::system);
                    self.0.zone.get_or_init(|| zone).clone()
                }
                // Garmin is asked again at the next call.
                Err(_) => TimeZone::system(),
            },
        };
        self.0.clock.now().to_zoned(zone)
    }

    /// The current time where the person is; `None` if Garmin could not be asked.
    pub(super) async fn known_zone(&self) -> Option<Zoned> {
        let now = self.now().await;
        self.0.zone.get().map(|_| now)
    }

    async fn find_zone(&self) -> Result<Option<TimeZone>, ApiError> {
        let none: [(&str, &str); 0] = [];
        match self.0.api.get_json(time_zone::PROFILE, &none).await {
            Ok(profile) => {
                if let Some(zone) = time_zone::of_profile(&profile) {
                    return Ok(Some(zone));
                }
            }
            Err(ApiError::NotFound | ApiError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        let (path, query) = time_zone::NEWEST_ACTIVITY;
        match self.0.api.get_json(path, &query).await {
            Ok(list) => Ok(time_zone::of_newest_activity(&list)),
            Err(ApiError::NotFound | ApiError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
