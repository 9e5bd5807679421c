//! Watches and other devices: the reading tools of garmin_mcp's module `devices` that need one request.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, list, pick_each};
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

pub(super) const TOOLS: &[Tool] = &[
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
        about: "The device whose training data counts, and the others that could be.",
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
