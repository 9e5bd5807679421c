use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::base::secrets::RootSecret;
use crate::garmin::livetrack::{PointStatus, Position, Trackpoint};
use crate::race::support::{at, running, steady};
use crate::store::Packed as _;

struct Kept {
    store: Store,
    race: RaceId,
    _dir: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        Self {
            store: Store::open(&dir.path().join("db"), &secret).unwrap(),
            race: RaceId::random(),
            _dir: dir,
        }
    }

    async fn append(&self, batch: Vec<TrackSample>) -> Appended {
        let race = self.race.clone();
        let act = move |tx: &mut Tx<'_>| append(tx, &race, batch);
        self.store.atomic(act).await.unwrap()
    }

    fn all(&self) -> Vec<TrackSample> {
        read_all(&self.store, &self.race).unwrap()
    }
}

#[tokio::test]
async fn batches_come_in_any_order_and_no_point_twice() {
    let kept = Kept::new();
    let all = steady(20_000, 3.0);
    let (early, late) = (&all[..700], &all[1100..]);
    assert_eq!(kept.append(early.to_vec()).await.new.len(), 700);
    for batch in late.chunks(6) {
        assert_eq!(kept.append(batch.to_vec()).await.new.len(), batch.len());
    }
    // The tunnel's points, newest first, with known points before and after it.
    let mut tunnel = all[690..1110].to_vec();
    tunnel.reverse();
    let appended = kept.append(tunnel).await;
    assert_eq!((appended.new.as_slice(), appended.filled), (&all[700..1100], 0));
    assert_eq!(kept.append(all.clone()).await, Appended::default());
    assert_eq!(kept.all(), all);
    let window = read(&kept.store, &kept.race, at(9_995), at(10_600)).unwrap();
    assert_eq!(window, all[1000..=1060]);
    // Another race's points are separate.
    let other = RaceId::random();
    assert_eq!(read_all(&kept.store, &other).unwrap(), []);
    let race = kept.race.clone();
    kept.store.atomic(move |tx| forget(tx, &race)).await.unwrap();
    assert_eq!(kept.all(), []);
}

#[tokio::test]
async fn a_point_learns_and_its_unknown_members_stay() {
    let kept = Kept::new();
    let value = json!({"dateTime": "2026-10-04T08:00:10Z", "deviceId": 3_412_876_001_u64, "new": {"a": [1.50, null]}});
    let mut first = running(10, 30.0);
    first.point = Trackpoint::read(&value).unwrap();
    kept.append(vec![first.clone()]).await;
    let whole = running(10, 30.0);
    let appended = kept.append(vec![whole.clone()]).await;
    assert_eq!((appended.new.len(), appended.filled), (0, 1));
    let [sample] = kept.all().try_into().unwrap();
    assert_eq!(sample.seen_at, first.seen_at);
    assert_eq!(sample.point.heart_rate_bpm, Some(145));
    assert_eq!(sample.point.other, first.point.other);
}

#[tokio::test]
async fn long_unknown_members_make_blocks_shorter_and_not_lost() {
    let kept = Kept::new();
    let mut samples = steady(1270, 3.0);
    for (i, sample) in samples.iter_mut().enumerate() {
        // Data that does not compress.
        let noise = crate::base::secrets::random_token("");
        sample
            .point
            .other
            .insert(format!("member{i}"), noise.expose().repeat(20).into());
        let more: Vec<_> = (0..20)
            .map(|_| crate::base::secrets::random_token("").expose().to_owned())
            .collect();
        sample.point.other.insert("more".into(), json!(more));
    }
    kept.append(samples.clone()).await;
    assert_eq!(kept.all(), samples);
}

fn any_sample() -> impl Strategy<Value = TrackSample> {
    let float = || {
        prop_oneof![
            Just(None),
            any::<f64>()
                .prop_filter("finite", |f| f.is_finite())
                .prop_map(Some),
            (-180_000_000_i32..180_000_000).prop_map(|n| Some(f64::from(n) / 1e6)),
            any::<i32>().prop_map(|n| Some(f64::from(n) / (2_147_483_648.0 / 180.0))),
        ]
    };
    let texts = prop_oneof![
        Just(None),
        Just(Some("RUNNING".to_owned())),
        ".{0,9}".prop_map(Some)
    ];
    (
        0..4_000_000_000_000_i64,
        prop::option::of(-90_000_i64..90_000),
        prop::array::uniform8(float()),
        prop::array::uniform3(prop::option::of(any::<u32>())),
        texts,
        prop::collection::vec("[A-Z]{1,4}", 0..3),
        any::<Option<bool>>(),
    )
        .prop_map(
            |(ms, late, [lat, lon, alt, v, d, td, t, tt], [hr, cad, w], kind, events, moving)| {
                let mut point = Trackpoint::at(Timestamp::from_millisecond(ms).unwrap());
                point.reported_at = late.map(|late| point.at + SignedDuration::from_millis(late));
                point.position = lat.zip(lon).map(|(lat, lon)| Position { lat, lon });
                (point.altitude_m, point.speed_mps, point.distance_m) = (alt, v, d);
                (point.total_distance_m, point.duration_s, point.total_duration_s) = (td, t, tt);
                (point.heart_rate_bpm, point.cadence_rpm, point.power_w) = (hr, cad, w);
                (point.activity_type, point.events) = (kind, events);
                let status = |moving| {
                    if moving {
                        PointStatus::Moving
                    } else {
                        PointStatus::Stationary
                    }
                };
                point.status = moving.map(status);
                TrackSample {
                    point,
                    seen_at: at(0),
                }
            },
        )
}

proptest! {
    #[test]
    fn whatever_is_packed_is_unpacked_bit_for_bit(mut samples in prop::collection::vec(any_sample(), 0..40)) {
        samples.sort_by_key(|sample| sample.point.at);
        let block = Block(samples);
        prop_assert_eq!(Block::unpack(1, &block.pack()), Some(block));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let packed = miniz_oxide::deflate::compress_to_vec(&bytes, 1);
        drop((Block::unpack(1, &bytes), Block::unpack(1, &packed)));
    }
}

#[test]
fn a_point_of_a_steady_race_takes_few_bytes() {
    let block = Block(steady(1270, 3.0));
    let bytes = block.pack().len();
    assert!(bytes <= block.0.len() * 20, "{bytes} bytes for {}", block.0.len());
}
