//! Sample data of a gateway: empty, typical and rich.

use super::*;

pub(in crate::console) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

pub(super) fn empty(size: (u16, u16)) -> ConsoleState {
    ConsoleState::new(at(0), TimeZone::UTC, size)
}

/// A gateway with data in every view.
pub(in crate::console) fn typical(size: (u16, u16)) -> ConsoleState {
    let mut state = empty(size);
    let now = at(0);
    state.apply(ConsoleMessage::Link(LinkState::Live), now);
    for update in updates() {
        state.apply(ConsoleMessage::Update(Box::new(update)), now);
    }
    state.apply(ConsoleMessage::Tick, now);
    state
}

/// A gateway with many people and races, some of them in trouble.
pub(super) fn rich(size: (u16, u16)) -> ConsoleState {
    let mut state = typical(size);
    let data = &state.data;
    let (mut workers, mut people, mut races) =
        (data.workers.clone(), data.people.clone(), data.races.clone());
    let mut overview = data.overview.clone().unwrap();
    let history = HistoryView {
        since: at(-86_400),
        days: 1_637,
        bytes: 147_000,
        filled_at: Some(at(-120)),
        trouble: None,
    };
    for n in 1..=9_u32 {
        let (id, email) = (format!("acc_{n}"), format!("member{n}@example.org"));
        workers.push(WorkerView {
            account: id.clone(),
            label: email.clone(),
            memory_bytes: Some(u64::from(if n == 4 { 40 } else { n }) << 20),
            pid: Some(5_000),
            ..workers[0].clone()
        });
        people.accounts.push(AccountView {
            id,
            email,
            calls_30d: u64::from(n) * 97,
            history: (n % 2 == 0).then(|| history.clone()),
            ..people.accounts[0].clone()
        });
    }
    for n in 2..=6_u32 {
        let race = RaceView {
            id: format!("race_{n}"),
            account: format!("acc_{n}"),
            name: format!("Race {n} of the day"),
            athlete: Some(format!("Athlete {n}")),
            state: if n == 3 { "stopped" } else { "running" }.into(),
            distance_m: Some(f64::from(n) * 4_100.0),
            ..race()
        };
        if race.state == "stopped" {
            overview.attention.push(Attention {
                subject: "Athlete 3".into(),
                text: "is standing still with a good signal".into(),
                account: None,
                race: Some(race.id.clone()),
                view: ConsoleView::Races,
            });
        }
        races.push(race);
    }
    overview.garmin_paused_until = Some(at(900));
    (overview.histories, overview.history_days) = (4, 6_548);
    overview.history_filled_at = Some(at(-120));
    for update in [
        AdminUpdate::Overview(overview),
        AdminUpdate::Workers(workers),
        AdminUpdate::Accounts(people),
        AdminUpdate::Races(races),
    ] {
        state.apply(ConsoleMessage::Update(Box::new(update)), at(0));
    }
    state
}

#[expect(clippy::too_many_lines, reason = "data")]
pub(super) fn updates() -> Vec<AdminUpdate> {
    let account = |name: &str, sign_in_needed| AccountView {
        id: format!("acc_{name}"),
        email: format!("{name}@example.org"),
        name: format!("{name} Example"),
        linked_at: at(-90_000),
        last_seen: Some(at(-40)),
        garmin: if sign_in_needed {
            "sign-in needed: refused"
        } else {
            "working"
        }
        .into(),
        sign_in_needed,
        garmin_token_expires: Some(at(7_200)),
        clients: 1,
        tokens: 1,
        access: "read only".into(),
        calls_30d: 312,
        history: None,
    };
    let worker = |name: &str, state: &str, pid| WorkerView {
        account: format!("acc_{name}"),
        label: format!("{name}@example.org"),
        kind: "builtin".into(),
        state: state.into(),
        pid,
        port: pid.map(|_| 18_001),
        memory_bytes: pid.map(|_| 12_582_912),
        cpu_s: pid.map(|_| 0.4),
        calls: 41,
        in_flight: 2,
        waiting: 0,
        idle_s: None,
        starts: 1,
        failures: 0,
        fence: Some("landlock".into()),
        retry_at: pid.is_none().then(|| at(8)),
    };
    let family = |name: &str| FamilyView {
        id: format!("fam_{name}"),
        account: format!("acc_{name}"),
        label: format!("{name}@example.org"),
        client: "Claude".into(),
        client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata".into(),
        access: "read only".into(),
        issued_at: at(-90_000),
        last_used: Some(at(-40)),
        expires_at: None,
    };
    let event = |second, level: &str, event: &str, account: &str| EventView {
        at: at(second),
        level: level.into(),
        event: event.into(),
        fields: Map::from_iter([("account.id".to_owned(), json!(account))]),
    };
    vec![
        AdminUpdate::Overview(Overview {
            races_time: None,
            program: "1.2.3".into(),
            started_at: at(-90_000),
            url: "https://gateway.example.org/mcp".into(),
            simulated: false,
            people: 2,
            accounts: 2,
            clients: 1,
            tokens: 2,
            workers: 1,
            max_workers: 10,
            races: 1,
            calls: 312,
            errors: 1,
            memory_bytes: 31_457_280,
            store_bytes: 524_288,
            histories: 0,
            history_days: 0,
            history_filled_at: None,
            garmin_paused_until: None,
            mailbox: None,
            attention: vec![Attention {
                subject: "ben@example.org".into(),
                text: "Garmin wants a new sign-in".into(),
                account: Some("acc_ben".into()),
                race: None,
                view: ConsoleView::Accounts,
            }],
        }),
        AdminUpdate::Workers(vec![
            worker("ann", "ready", Some(4_711)),
            worker("ben", "failed", None),
        ]),
        AdminUpdate::Accounts(People {
            accounts: vec![account("ann", false), account("ben", true)],
            invitations: vec![InvitationView {
                email: "cleo@example.org".into(),
                invited_at: at(-3_600),
            }],
            invited_by_settings: Vec::new(),
            open_sign_up: false,
            access_requests: vec![AccessRequestView {
                email: "dee@example.org".into(),
                last: at(-300),
                times: 2,
            }],
        }),
        AdminUpdate::Races(vec![race()]),
        AdminUpdate::Tokens(TokensView {
            families: vec![family("ann"), family("ben")],
            revocations: vec![RevocationView {
                at: at(-600),
                family: "fam_old".into(),
                account: "acc_ann".into(),
                label: "ann@example.org".into(),
                client: "Claude Code".into(),
                reason: "operator".into(),
                by_uid: Some(1000),
                tokens: 2,
            }],
        }),
        AdminUpdate::Log {
            anew: true,
            events: vec![
                event(-60, "info", "worker.ready", "acc_ann"),
                event(-50, "debug", "garmin.answered", "acc_ann"),
                event(-40, "warn", "sign_in.refused", "acc_ben"),
            ],
        },
    ]
}

pub(in crate::console) fn race() -> RaceView {
    RaceView {
        id: "race_1".into(),
        account: "acc_ann".into(),
        name: "Lausanne half".into(),
        state: "no signal".into(),
        started_at: Some(at(-4_000)),
        last_point_at: Some(at(-400)),
        distance_m: Some(14_200.0),
        points: 360,
        last_alert: None,
        athlete: Some("Ann".into()),
        ended_at: None,
        finished_at: None,
        whole_m: Some(21_100.0),
        finish: Some([at(1_500), at(1_900), at(2_400)]),
        ahead_of_plan_s: Some(-75.0),
        next_cutoff: Some(CutoffView {
            place: "Ouchy".into(),
            margin_s: 840.0,
        }),
    }
}

/// The typical race with this track.
pub(in crate::console) fn race_with(track: Vec<TrackPointView>) -> RaceDetail {
    RaceDetail {
        track,
        course: Vec::new(),
        ..race_detail()
    }
}

pub(in crate::console) fn race_detail() -> RaceDetail {
    let track = (0..360).map(|n| {
        let turn = f64::from(n) / 60.0;
        TrackPointView {
            at: at(-4_000 + i64::from(n) * 10),
            position: Some((46.51 + turn.sin() / 100.0, 6.6 + turn / 100.0)),
            distance_m: Some(f64::from(n) * 14_200.0 / 359.0),
            heart_bpm: Some(150.0 + turn.sin() * 20.0),
            power_w: (n > 100).then_some(250.0),
            speed_mps: Some(3.4),
            after_gap: n == 200,
        }
    });
    RaceDetail {
        race: race(),
        track: track.collect(),
        course: vec![(46.5, 6.6), (46.52, 6.66)],
        profile: (0..=240)
            .map(|part| {
                let part = f64::from(part);
                (part * 21_100.0 / 240.0, 450.0 + 120.0 * (part / 40.0).sin())
            })
            .collect(),
        progress_m: Some(14_200.0),
        places: vec![
            RacePlaceView {
                name: "Lutry".into(),
                at_m: 7_500.0,
                passed_at: Some(at(-1_900)),
                arrival: None,
                cutoff_at: Some(at(-1_000)),
            },
            RacePlaceView {
                name: "Ouchy".into(),
                at_m: 17_000.0,
                passed_at: None,
                arrival: Some([at(300), at(460), at(700)]),
                cutoff_at: Some(at(1_300)),
            },
            RacePlaceView {
                name: "finish".into(),
                at_m: 21_100.0,
                passed_at: None,
                arrival: Some([at(1_500), at(1_900), at(2_400)]),
                cutoff_at: None,
            },
        ],
        limits: Map::from_iter([("hr_max".to_owned(), json!(165))]),
        splits: vec![("5 km".into(), 1_500.0), ("10 km".into(), 3_010.0)],
        alerts: vec![(at(-900), "heart rate 171 above 165".into())],
        last_words: Some("Ease off until the lake.".into()),
        recipients: vec!["family Oma, de, metric: telegram".into()],
        shares: Vec::new(),
    }
}
