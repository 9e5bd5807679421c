use jiff::civil::{Date, date};
use serde_json::Value;

use super::*;

const TODAY: Date = date(2026, 1, 31);
/// A Sunday and a Thursday in the past.
const DAYS: [Date; 2] = [date(2026, 1, 25), date(2026, 1, 29)];

pub(super) fn ann() -> PersonSeed {
    PersonSeed {
        seed: 7,
        profile_id: 900_001,
        display_name: "ann one".to_owned(),
        full_name: "Ann Example".to_owned(),
        unit_system: "metric".to_owned(),
    }
}

fn ask(person: &PersonSeed, target: &str) -> Option<DataResponse> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    answer(
        person,
        &DataRequest {
            method: "GET",
            path,
            query,
        },
        TODAY,
    )
}

fn get(target: &str) -> Value {
    let answer = ask(&ann(), target).unwrap_or_else(|| panic!("{target} is unknown"));
    assert_eq!(answer.status, 200, "{target}");
    answer.body.unwrap()
}

/// Every document of a day, by its path; `{day}` is replaced by the day.
const OF_DAY: [&str; 16] = [
    "/usersummary-service/usersummary/daily/ann%20one?calendarDate={day}",
    "/wellness-service/wellness/dailySummaryChart/ann%20one?date={day}",
    "/wellness-service/wellness/dailyHeartRate/ann%20one?date={day}",
    "/wellness-service/wellness/dailySleepData/ann%20one?date={day}&nonSleepBufferMinutes=60",
    "/userstats-service/wellness/daily/ann%20one?fromDate={day}&untilDate={day}&metricId=60",
    "/usersummary-service/stats/steps/daily/{day}/{day}",
    "/usersummary-service/usersummary/hydration/daily/{day}",
    "/wellness-service/wellness/dailyStress/{day}",
    "/wellness-service/wellness/bodyBattery/reports/daily?startDate={day}&endDate={day}",
    "/wellness-service/wellness/bodyBattery/events/{day}",
    "/wellness-service/wellness/daily/respiration/{day}",
    "/wellness-service/wellness/daily/spo2/{day}",
    "/wellness-service/wellness/floorsChartData/daily/{day}",
    "/metrics-service/metrics/trainingreadiness/{day}",
    "/lifestylelogging-service/dailyLog/{day}",
    "/mobile-gateway/heartRate/forDate/{day}",
];

#[test]
fn the_same_request_has_the_same_answer_and_people_differ() {
    let mut bob = ann();
    bob.seed = 8;
    for path in OF_DAY {
        let path = path.replace("{day}", "2026-01-25");
        assert_eq!(ask(&ann(), &path), ask(&ann(), &path), "{path}");
        assert_ne!(ask(&ann(), &path), ask(&bob, &path), "{path}");
    }
}

#[test]
fn days_without_data_say_so_in_the_form_of_their_endpoint() {
    let first = Timeline {
        person: &ann(),
        today: TODAY,
    }
    .first_day();
    for day in [date(2026, 2, 1), first.yesterday().unwrap()] {
        for path in OF_DAY {
            let answer = ask(&ann(), &path.replace("{day}", &day.to_string())).unwrap();
            let body = answer.body.unwrap_or(Value::Null);
            let empty = match answer.status {
                204 => body.is_null(),
                _ if path.contains("usersummary/daily") => {
                    body["totalSteps"].is_null() && body["calendarDate"] == day.to_string()
                }
                _ if path.contains("dailySleepData") => body["dailySleepDTO"]["sleepTimeSeconds"].is_null(),
                _ if path.contains("forDate") => body["ActivitiesForDay"]["payload"] == json!([]),
                status => status == 200 && body == json!([]),
            };
            assert!(empty, "{day} {path} {body}");
        }
        let range = format!("startDate={day}&endDate={day}");
        let activities =
            format!("/activitylist-service/activities/search/activities?{range}&start=0&limit=20");
        assert_eq!(get(&activities), json!([]));
        assert_eq!(
            get(&format!("/weight-service/weight/dateRange?{range}"))["dateWeightList"],
            json!([])
        );
    }
}

#[test]
fn the_documents_of_a_day_agree() {
    for day in DAYS {
        let of = |path: &str| get(&path.replace("{day}", &day.to_string()));
        let [summary, chart, beats, sleep, resting] = OF_DAY.first_chunk().unwrap().map(of);
        let sum = |list: &Value, key: &str| {
            list.as_array()
                .unwrap()
                .iter()
                .filter_map(|i| i[key].as_i64())
                .sum::<i64>()
        };

        assert_eq!(summary["totalSteps"], sum(&chart, "steps"));
        assert_eq!(of(OF_DAY[5])[0]["totalSteps"], summary["totalSteps"]);
        for key in [
            "restingHeartRate",
            "maxHeartRate",
            "minHeartRate",
            "lastSevenDaysAvgRestingHeartRate",
        ] {
            assert_eq!(summary[key], beats[key], "{key}");
        }
        assert_eq!(sleep["restingHeartRate"], summary["restingHeartRate"]);
        let rhr = &resting["allMetrics"]["metricsMap"]["WELLNESS_RESTING_HEART_RATE"][0]["value"];
        assert_eq!(rhr.as_f64(), summary["restingHeartRate"].as_f64());
        assert_eq!(beats["heartRateValues"].as_array().unwrap().len(), 720);

        let stress = of(OF_DAY[7]);
        assert_eq!(stress["avgStressLevel"], summary["averageStressLevel"]);
        assert_eq!(stress["maxStressLevel"], summary["maxStressLevel"]);
        let report = of(OF_DAY[8]);
        assert_eq!(report[0]["charged"], summary["bodyBatteryChargedValue"]);
        assert_eq!(
            report[0]["bodyBatteryActivityEvent"],
            summary["bodyBatteryActivityEventList"]
        );
        assert_eq!(
            of(OF_DAY[9]).as_array().unwrap().len(),
            report[0]["bodyBatteryActivityEvent"].as_array().unwrap().len()
        );
        assert_eq!(
            of(OF_DAY[11])["averageSpO2"].as_f64(),
            summary["averageSpo2"].as_f64()
        );
        assert_eq!(
            of(OF_DAY[10])["lowestRespirationValue"],
            summary["lowestRespirationValue"]
        );
        let seconds = [
            "highlyActiveSeconds",
            "activeSeconds",
            "sedentarySeconds",
            "sleepingSeconds",
        ];
        assert_eq!(
            seconds
                .map(|key| summary[key].as_i64().unwrap())
                .iter()
                .sum::<i64>(),
            86_400
        );
        let stages = ["deepSleepSeconds", "lightSleepSeconds", "remSleepSeconds"];
        let night = &sleep["dailySleepDTO"];
        assert_eq!(
            stages.map(|key| night[key].as_i64().unwrap()).iter().sum::<i64>(),
            night["sleepTimeSeconds"]
        );

        let activities = of(OF_DAY[15])["ActivitiesForDay"]["payload"].clone();
        for key in ["moderateIntensityMinutes", "vigorousIntensityMinutes"] {
            assert_eq!(summary[key], sum(&activities, key), "{key}");
        }
        assert!(summary["totalSteps"].as_i64() > Some(sum(&activities, "steps")));
    }
}

#[test]
fn a_week_is_the_sum_of_its_days() {
    let days = get("/usersummary-service/stats/steps/daily/2026-01-19/2026-01-25");
    let total: i64 = days
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["totalSteps"].as_i64().unwrap())
        .sum();
    let weeks = get("/usersummary-service/stats/steps/weekly/2026-01-25/4");
    assert_eq!(weeks.as_array().unwrap().len(), 4);
    assert_eq!(weeks[3]["calendarDate"], "2026-01-19");
    assert_eq!(weeks[3]["values"]["totalSteps"].as_f64(), Some(total as f64));
    assert_eq!(
        get("/usersummary-service/stats/stress/weekly/2026-01-25/2")
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let minutes = get("/usersummary-service/stats/im/weekly/2026-01-21/2026-01-27");
    assert_eq!(minutes[0]["calendarDate"], "2026-01-19");
    assert_eq!(minutes.as_array().unwrap().len(), 2);
}

#[test]
fn an_activity_in_a_list_agrees_with_the_single_activity() {
    let list = get("/activitylist-service/activities/search/activities?start=0&limit=30");
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 30);
    assert!(
        list.windows(2)
            .all(|pair| pair[0]["beginTimestamp"].as_i64() > pair[1]["beginTimestamp"].as_i64())
    );
    let mut kinds = std::collections::BTreeSet::new();
    for item in list {
        let path = format!("/activity-service/activity/{}", item["activityId"]);
        let single = get(&path);
        assert_eq!(single["activityName"], item["activityName"]);
        assert_eq!(single["activityTypeDTO"], item["activityType"]);
        for key in [
            "distance",
            "duration",
            "averageHR",
            "maxHR",
            "calories",
            "steps",
            "differenceBodyBattery",
        ] {
            assert_eq!(single["summaryDTO"][key], item[key], "{key}");
        }
        let laps = get(&format!("{path}/splits"));
        assert_eq!(
            laps["lapDTOs"].as_array().unwrap().len(),
            usize::try_from(item["lapCount"].as_u64().unwrap()).unwrap()
        );
        let metres: f64 = laps["lapDTOs"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|lap| lap["distance"].as_f64())
            .sum();
        assert!(
            (metres - item["distance"].as_f64().unwrap()).abs() < 2.0,
            "{metres}"
        );
        let zones = get(&format!("{path}/hrTimeInZones"));
        let seconds: f64 = zones
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|zone| zone["secsInZone"].as_f64())
            .sum();
        assert!(
            (seconds - item["duration"].as_f64().unwrap()).abs() < 1.0,
            "{seconds}"
        );
        kinds.insert(item["activityType"]["typeKey"].as_str().unwrap().to_owned());

        let kind = item["activityType"]["typeKey"].as_str().unwrap();
        let status = |rest: &str| ask(&ann(), &format!("{path}/{rest}")).unwrap().status;
        assert_eq!(
            status("exerciseSets"),
            if kind == "strength_training" { 200 } else { 204 }
        );
        assert_eq!(
            status("weather"),
            if item["hasPolyline"] == true { 200 } else { 204 }
        );
        assert_eq!(
            status("typedsplits"),
            if kind.contains("running") { 200 } else { 204 }
        );
        assert_eq!(status("split_summaries"), status("typedsplits"));
        let power = get(&format!("{path}/powerTimeInZones"));
        assert_eq!(power == json!([]), item["avgPower"].is_null());
        let gear = get(&format!(
            "/gear-service/gear/filterGear?activityId={}",
            item["activityId"]
        ));
        assert_eq!(
            gear == json!([]),
            matches!(kind, "lap_swimming" | "strength_training")
        );
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[test]
fn lists_are_searched_by_day_type_and_page() {
    let search = "/activitylist-service/activities/search/activities";
    let of = |query: &str| get(&format!("{search}?{query}")).as_array().unwrap().clone();
    let all = of("start=0&limit=1000");
    let count = get("/activitylist-service/activities/count")["totalCount"]
        .as_u64()
        .unwrap();
    assert!(count > 500, "{count}");
    assert_eq!(
        of("start=0&limit=1000&startDate=2026-01-01&endDate=2026-01-31"),
        {
            let month = |item: &&Value| item["startTimeLocal"].as_str().unwrap().starts_with("2026-01");
            all.iter().filter(month).cloned().collect::<Vec<_>>()
        }
    );
    assert_eq!(of("start=3&limit=4"), all[3..7]);
    let runs = of("start=0&limit=50&activityType=running");
    assert!(runs.iter().all(|item| {
        item["activityType"]["typeKey"]
            .as_str()
            .unwrap()
            .contains("running")
    }));
    assert_eq!(of("start=100000&limit=5"), Vec::<Value>::new());
}

#[test]
fn impossible_days_people_and_ids_are_refused() {
    let status = |target: &str| ask(&ann(), target).map(|answer| answer.status);
    assert_eq!(
        status("/wellness-service/wellness/dailyStress/yesterday"),
        Some(400)
    );
    assert_eq!(
        status("/wellness-service/wellness/dailyHeartRate/None?date=2026-01-25"),
        Some(403)
    );
    assert_eq!(status("/activity-service/activity/12"), Some(404));
    assert_eq!(status("/activity-service/activity/x/splits"), Some(404));
    assert_eq!(status("/no-service/at/all"), None);
    let request = DataRequest {
        method: "PUT",
        path: "/activity-service/activity/12",
        query: "",
    };
    assert_eq!(answer(&ann(), &request, TODAY), None);
}

#[test]
fn body_and_profile_follow_the_person() {
    let settings = get("/userprofile-service/userprofile/user-settings");
    assert_eq!(settings["userData"]["measurementSystem"], "metric");
    let weights = get("/weight-service/weight/dateRange?startDate=2026-01-01&endDate=2026-01-31");
    let list = weights["dateWeightList"].as_array().unwrap();
    assert!(list.len() > 5);
    let usual = settings["userData"]["weight"].as_f64().unwrap();
    assert!(
        list.iter()
            .all(|w| (w["weight"].as_f64().unwrap() - usual).abs() < 2_000.0)
    );
    let pressure = get("/bloodpressure-service/bloodpressure/range/2026-01-01/2026-01-31?includeAll=true");
    assert!(!pressure["measurementSummaries"].as_array().unwrap().is_empty());
    assert_eq!(
        get("/userprofile-service/socialProfile")["fullName"],
        "Ann Example"
    );
    assert_eq!(
        get("/userprofile-service/userprofile/settings")["displayName"],
        "ann one"
    );
    assert!(
        get("/activity-service/activity/activityTypes")
            .as_array()
            .unwrap()
            .len()
            > 5
    );
    assert!(get("/wellness-service/wellness/dailyEvents?calendarDate=2026-01-25").is_array());
}
