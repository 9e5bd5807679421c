//! Watches and other devices: garmin_mcp's module `devices`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, list, pick, pick_each};
use super::garmin_get::{GarminGet, failure};
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

pub(super) const LAST_USED: &str = "/device-service/deviceservice/mylastused";

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_device_last_used",
        about: "The device that synchronized last, and when (UTC).",
        parameters: &[],
        ask: GarminQuery::Get(LAST_USED),
        tell: AnswerShape::Shaped(last_used),
        nothing: "No last used device found.",
        failing: "Error retrieving last used device",
    },
    Tool {
        name: "get_device_settings",
        about: "Settings of a device: units, time format, tones, alerts, number of alarms.",
        parameters: &[Parameter::id(
            "device_id",
            "The device's id, from get_devices; left out: the one used last",
        )
        .optional()],
        ask: GarminQuery::Steps(settings_step),
        tell: AnswerShape::Made(settings),
        nothing: "No settings found for device ID {device_id}.",
        failing: "Error retrieving device settings",
    },
    Tool {
        name: "get_device_alarms",
        about: "The alarms of all devices, by time of day.",
        parameters: &[],
        ask: GarminQuery::Steps(alarms_step),
        tell: AnswerShape::Made(alarms),
        nothing: "No device alarms found.",
        failing: "Error retrieving device alarms",
    },
    Tool {
        name: "get_devices",
        about: "The devices that are registered with the person's account: name, model, serial number.",
        parameters: &[],
        ask: GarminQuery::Get("/device-service/deviceregistration/devices"),
        tell: AnswerShape::Shaped(devices),
        nothing: "No devices found.",
        failing: "Error retrieving devices",
    },
    Tool {
        name: "get_primary_training_device",
        about: "The device whose training data counts, and the others that could be chosen.",
        parameters: &[],
        ask: GarminQuery::Get("/web-gateway/device-info/primary-training-device"),
        tell: AnswerShape::Shaped(primary),
        nothing: "No primary training device found.",
        failing: "Error retrieving primary training device",
    },
    Tool {
        name: "get_device_solar_data",
        about: "Sun and battery of a solar watch on one day.",
        parameters: &[
            Parameter::required_text("device_id", "The device's id, from get_devices"),
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
        ],
        ask: GarminQuery::Get("/web-gateway/solar/{device_id}/{date}/{date}?singleDayView=true"),
        tell: AnswerShape::Shaped(solar),
        nothing: "No solar data found for device ID {device_id} on {date}.",
        failing: "Error retrieving solar data",
    },
];

const DEVICE: &[Field] = fields! {
    "device_id" <- "deviceId";
    "device_name" <- "displayName" | "productDisplayName";
    "model" <- "partNumber";
    "manufacturer" <- "manufacturerName";
    "serial_number" <- "serialNumber";
    "software_version" <- "softwareVersionString";
    "status" <- "deviceStatusName";
    "last_sync_time" <- "lastSyncTime";
    "battery_status" <- "batteryStatus";
    "device_type" <- "deviceType";
    "is_primary" <- "primaryDevice";
};

const SOLAR: &[Field] = fields! {
    "date" <- "calendarDate";
    "solar_intensity_avg" <- "solarIntensityAvg";
    "solar_intensity_max" <- "solarIntensityMax";
    "battery_charged_percent" <- "batteryCharged";
    "battery_used_percent" <- "batteryUsed";
    "battery_net_percent" <- "batteryNet";
};

fn devices(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    Ok(ToolAnswer::Json(pick_each(DEVICE, document, "")?.into()))
}

fn primary(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = Map::new();
    let id = at(document, "PrimaryTrainingDevice.deviceId");
    told.insert("primary_device_id".to_owned(), json!(id));
    let device = |device: &Value| {
        let mut told = json!({
            "device_id": device.get("deviceId"),
            "display_name": device.get("displayName"),
            "is_primary_wearable": device.get("primaryWearableDevice"),
            "primary_training_capable": device.get("primaryTrainingCapable"),
        });
        if let (Some(told), Some(image)) = (told.as_object_mut(), at(device, "imageUrl")) {
            told.insert("image_url".to_owned(), image.clone());
        }
        told
    };
    let devices: Vec<Value> = list(document, "PrimaryTrainingDevices.deviceWeights")?
        .iter()
        .map(device)
        .collect();
    if !devices.is_empty() {
        let count = devices.len();
        told.insert("training_devices".to_owned(), devices.into());
        told.insert("training_device_count".to_owned(), json!(count));
    }
    if let Some(count) = at(document, "WearableDevices.wearableDeviceCount") {
        told.insert("wearable_device_count".to_owned(), count.clone());
    }
    Ok(ToolAnswer::object(told))
}

fn solar(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let days = pick_each(SOLAR, document, "deviceSolarInput.solarDailyDataDTOs")?;
    if days.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    Ok(ToolAnswer::Json(
        json!({"device_id": call.text("device_id"), "solar_data": days}),
    ))
}

const LAST_USED_FIELDS: &[Field] = fields! {
    "user_device_id" <- "userDeviceId";
    "device_name" <- "lastUsedDeviceName";
    "device_key" <- "lastUsedDeviceApplicationKey";
    "user_profile_id" <- "userProfileNumber";
    "last_upload_time" <- "lastUsedDeviceUploadTime";
    "image_url" <- "imageUrl";
};

const SETTINGS: &[Field] = fields! {
    "device_id" <- "deviceId";
    "time_format" <- "timeFormat";
    "date_format" <- "dateFormat";
    "measurement_units" <- "measurementUnits";
    "key_tones_enabled" <- "keyTonesEnabled";
    "key_vibration_enabled" <- "keyVibrationEnabled";
    "alert_tones_enabled" <- "alertTonesEnabled";
};

const TRACKING: [(&str, &str); 4] = [
    ("move_alert_enabled", "moveAlertEnabled"),
    ("pulse_ox_sleep_tracking", "pulseOxSleepTrackingEnabled"),
    ("high_hr_alert_enabled", "highHrAlertEnabled"),
    ("low_hr_alert_enabled", "lowHrAlertEnabled"),
];

fn last_used(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(LAST_USED_FIELDS, document)?;
    if let Some(time) = told.get_mut("last_upload_time") {
        let at = time.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        *time = json!(at.map(|at| {
            at.to_zoned(TimeZone::UTC)
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        }));
    }
    Ok(ToolAnswer::object(told))
}

fn settings_of(device: impl std::fmt::Display) -> GarminGet {
    GarminGet::plain(&format!(
        "/device-service/deviceservice/device-info/settings/{device}"
    ))
}

/// Requests the named device, or by default the one used last.
fn settings_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let named = call.text("device_id");
    match answers {
        [] if named.is_empty() => vec![GarminGet::plain(LAST_USED)],
        [] => vec![settings_of(named)],
        [last_used] if named.is_empty() => {
            let id = at(last_used, "userDeviceId").and_then(Value::as_i64);
            id.map(settings_of).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn is_on(alarm: &Value) -> bool {
    alarm.get("alarmMode") == Some(&json!("ON"))
}

fn settings(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    if call.text("device_id").is_empty() && answers.len() < 2 {
        return Ok(ToolAnswer::Text(
            "No default device found. Pass device_id explicitly or register a device with Garmin Connect."
                .to_owned(),
        ));
    }
    let Some(document) = answers.last().filter(|document| !document.is_null()) else {
        return Ok(ToolAnswer::Nothing);
    };
    let mut told = pick(SETTINGS, document)?;
    let tracking = TRACKING.into_iter().filter_map(|(key, from)| {
        let value = at(document, &format!("activityTracking.{from}"))?;
        Some((key.to_owned(), value.clone()))
    });
    let tracking: Map<String, Value> = tracking.collect();
    if !tracking.is_empty() {
        told.insert("activity_tracking".to_owned(), tracking.into());
    }
    let alarms = list(document, "alarms")?;
    if !alarms.is_empty() {
        told.insert("alarm_count".to_owned(), json!(alarms.len()));
        told.insert(
            "enabled_alarm_count".to_owned(),
            json!(alarms.iter().filter(|alarm| is_on(alarm)).count()),
        );
    }
    Ok(ToolAnswer::object(told))
}

/// Requests the list of devices, then the settings of each.
fn alarms_step(_: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    match answers {
        [] => vec![GarminGet::plain("/device-service/deviceregistration/devices")],
        [devices] => {
            let ids = devices.as_array().into_iter().flatten();
            let ids = ids.filter_map(|device| device.get("deviceId")?.as_i64());
            ids.map(|id| settings_of(id).optional()).collect()
        }
        _ => Vec::new(),
    }
}

fn alarms(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (mut alarms, mut failed) = (Vec::new(), Vec::new());
    let devices = answers.first().and_then(|devices| devices.as_array());
    let devices = devices.into_iter().flatten();
    let devices = devices.filter(|device| device.get("deviceId").is_some_and(Value::is_i64));
    for (device, settings) in devices.zip(answers.iter().skip(1)) {
        if let Some(reason) = failure(settings) {
            let name = at(device, "displayName").or_else(|| at(device, "productDisplayName"));
            let name = name.and_then(Value::as_str).unwrap_or("a device");
            failed.push(json!(format!("settings of {name}: {reason}")));
        }
        alarms.extend(list(settings, "alarms")?);
    }
    if alarms.is_empty() && failed.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let minutes = |alarm: &Value| alarm.get("alarmTime").and_then(Value::as_i64).unwrap_or_default();
    alarms.sort_by_key(|alarm| minutes(alarm));
    let enabled = alarms.iter().filter(|alarm| is_on(alarm)).count();
    let told = |alarm: &&Value| {
        let (minutes, none) = (minutes(alarm), json!([]));
        let mut told = json!({
            "alarm_id": alarm.get("alarmId"),
            "time": format!("{:02}:{:02}", minutes / 60, minutes % 60),
            "time_minutes": minutes,
            "enabled": is_on(alarm),
            "days": alarm.get("alarmDays").unwrap_or(&none),
            "sound": alarm.get("alarmSound"),
        });
        for (key, from) in [("backlight", "backlight"), ("message", "alarmMessage")] {
            if let (Some(told), Some(value)) = (told.as_object_mut(), at(alarm, from)) {
                told.insert(key.to_owned(), value.clone());
            }
        }
        told
    };
    let told: Vec<Value> = alarms.iter().map(told).collect();
    let mut told = json!({"total_alarms": told.len(), "enabled_alarms": enabled, "alarms": told});
    if let (Some(told), false) = (told.as_object_mut(), failed.is_empty()) {
        told.insert("failed".to_owned(), failed.into());
    }
    Ok(ToolAnswer::Json(told))
}
