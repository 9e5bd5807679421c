//! Who the person is: profile and settings.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::PersonSeed;
use super::dice::Dice;

/// The body of a person, on which weights, calories and distances rest.
pub(super) struct Body {
    pub(super) weight_g: f64,
    pub(super) height_cm: f64,
    pub(super) female: bool,
    pub(super) birth_year: i64,
}

impl Body {
    pub(super) fn of(person: &PersonSeed) -> Self {
        let mut dice = Dice::of(person.seed, "body");
        let female = dice.happens(0.5);
        let height_cm = if female {
            dice.whole(158, 178)
        } else {
            dice.whole(170, 194)
        } as f64;
        let bmi = dice.number(20.5, 24.5);
        Self {
            weight_g: (bmi * height_cm * height_cm / 10_000.0 * 10.0).round() * 100.0,
            height_cm,
            female,
            birth_year: dice.whole(1970, 2000),
        }
    }
}

impl Body {
    /// Calories that the body uses at rest in a day (Mifflin and St Jeor).
    pub(super) fn bmr_kcal(&self, date: Date) -> f64 {
        let age = (i64::from(date.year()) - self.birth_year) as f64;
        10.0 * self.weight_g / 1_000.0 + 6.25 * self.height_cm - 5.0 * age
            + if self.female { -161.0 } else { 5.0 }
    }
}

fn birth_date(body: &Body) -> String {
    format!("{}-04-12", body.birth_year)
}

/// `GET /userprofile-service/socialProfile`.
pub(super) fn social(person: &PersonSeed) -> Value {
    json!({
        "id": person.profile_id - person.profile_id % 1_000 + 111,
        "profileId": person.profile_id,
        "garminGUID": format!("00000000-0000-4000-8000-{:012x}", person.profile_id),
        "displayName": person.display_name,
        "fullName": person.full_name,
        "userName": person.display_name,
        "profileImageType": "UPLOADED_PHOTO",
        "location": null,
        "primaryActivity": "running",
        "favoriteActivityTypes": ["running", "cycling"],
        "profileVisibility": "private",
        "activityStartVisibility": "private",
        "nameApproved": true,
        "userProfileFullName": person.full_name,
        "userLevel": 4,
        "userPoint": 212,
        "userRoles": ["ROLE_CONNECTUSER", "ROLE_FITNESS_USER"],
        "userPro": false,
    })
}

/// `GET /userprofile-service/userprofile/user-settings`.
pub(super) fn user_settings(person: &PersonSeed) -> Value {
    let body = Body::of(person);
    let mut dice = Dice::of(person.seed, "settings");
    json!({
        "id": person.profile_id,
        "userData": {
            "gender": if body.female { "FEMALE" } else { "MALE" },
            "weight": body.weight_g,
            "height": body.height_cm,
            "timeFormat": "time_twenty_four_hr",
            "birthDate": birth_date(&body),
            "measurementSystem": person.unit_system,
            "activityLevel": null,
            "handedness": "RIGHT",
            "powerFormat": format_of(30, "watt"),
            "heartRateFormat": format_of(21, "bpm"),
            "firstDayOfWeek": {"dayId": 3, "dayName": "monday", "sortOrder": 3, "isPossibleFirstDay": true},
            "vo2MaxRunning": dice.whole(42, 56) as f64,
            "vo2MaxCycling": null,
            "lactateThresholdSpeed": null,
            "lactateThresholdHeartRate": dice.whole(164, 176),
            "intensityMinutesCalcMethod": "AUTO",
            "moderateIntensityMinutesHrZone": 3,
            "vigorousIntensityMinutesHrZone": 4,
            "hydrationMeasurementUnit": "milliliter",
            "hydrationContainers": [],
            "hydrationAutoGoalEnabled": true,
            "thresholdHeartRateAutoDetected": true,
            "ftpAutoDetected": null,
        },
        "userSleep": {"sleepTime": 81_000, "defaultSleepTime": false, "wakeTime": 24_300, "defaultWakeTime": false},
        "connectDate": null,
        "sourceType": null,
    })
}

/// `GET /userprofile-service/userprofile/settings`.
pub(super) fn settings(person: &PersonSeed) -> Value {
    let body = Body::of(person);
    json!({
        "id": person.profile_id - person.profile_id % 1_000 + 111,
        "profileId": person.profile_id,
        "displayName": person.display_name,
        "fullName": person.full_name,
        "userName": person.display_name,
        "location": null,
        "gender": if body.female { "FEMALE" } else { "MALE" },
        "birthDate": birth_date(&body),
        "measurementSystem": person.unit_system,
        "powerFormat": format_of(30, "watt"),
        "heartRateFormat": format_of(21, "bpm"),
    })
}

fn format_of(id: u32, key: &str) -> Value {
    json!({
        "formatId": id,
        "formatKey": key,
        "minFraction": 0,
        "maxFraction": 0,
        "groupingUsed": true,
        "displayFormat": null,
    })
}
