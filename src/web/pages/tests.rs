//! Every page with its samples: ordinary text, and an attack in every field.

use std::path::Path;

use super::*;
use crate::oauth::{ClientOnPage, HiddenFields, SignInField};
use crate::web::me::{ChosenTools, GivenRow, HeldRow, OwnApp, OwnGrants, OwnHistory, OwnPage, PageNotice};

/// The source of a sample's text: ordinary words, or an attack in every field.
type Text = fn(&'static str) -> String;

fn plain(text: &'static str) -> String {
    text.to_owned()
}

fn hostile(text: &'static str) -> String {
    format!("</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)> {text}")
}

fn frame(text: Text) -> Frame {
    Frame::new(
        &text("garmin.example.org"),
        Some(&text("Ada Lovelace")),
        Some(&text("ada@example.org")),
        false,
    )
}

fn anonymous(text: Text) -> Frame {
    Frame::new(&text("localhost:8080"), None, None, true)
}

impl Landing {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let page = |frame, arrival| Self {
            frame,
            connector_url: text("https://garmin.example.org/mcp"),
            arrival,
        };
        vec![
            ("landing", page(frame(text), Arrival::Home).render().unwrap()),
            (
                "landing-missing",
                page(frame(text), Arrival::Missing).render().unwrap(),
            ),
            (
                "landing-connector",
                page(frame(text), Arrival::Connector).render().unwrap(),
            ),
            (
                "landing-simulated",
                page(anonymous(text), Arrival::Home).render().unwrap(),
            ),
        ]
    }
}

fn hidden(text: Text) -> HiddenFields {
    HiddenFields {
        transaction: text("tx_1"),
        csrf: text("csrf_1"),
    }
}

impl SignInTemplate {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let client = |name, redirect_host, on_this_device| {
            Some(ClientOnPage {
                name: text(name),
                redirect_host: text(redirect_host),
                on_this_device,
                is_verified: false,
                form_action: String::new(),
            })
        };
        let hosted = || client("Claude", "claude.ai", false);
        let local = || client("Claude Code (garmin)", "localhost:53682", true);
        let page = |frame, action, client| Self {
            frame,
            action,
            page: SignInPage {
                hidden: hidden(text),
                set_browser: None,
                client,
                email: String::new(),
                access: Access::ReadOnly,
                notice: None,
                notice_about: SignInField::Both,
                tries_left: 5,
            },
            changes: vec!["workouts", "weight", "gear", "activities"],
        };
        let mut refused = page(frame(text), "/authorize", hosted());
        refused.page.email = text("ada@example.org");
        refused.page.access = Access::ReadAndChange;
        refused.page.tries_left = 2;
        refused.page.notice = Some(text(
            "Garmin did not accept this e-mail and password. Check both, or try them at connect.garmin.com.",
        ));
        let mut verified = page(frame(text), "/authorize", hosted());
        if let Some(client) = &mut verified.page.client {
            client.is_verified = true;
        }
        let mut no_email = page(frame(text), "/authorize", hosted());
        no_email.page.notice = Some(text("Type the e-mail address of your Garmin account."));
        no_email.page.notice_about = SignInField::Email;
        vec![
            (
                "sign-in",
                page(frame(text), "/authorize", hosted()).render().unwrap(),
            ),
            (
                "sign-in-local",
                page(anonymous(text), "/authorize", local()).render().unwrap(),
            ),
            ("sign-in-refused", refused.render().unwrap()),
            (
                "sign-in-again",
                page(frame(text), "/link", None).render().unwrap(),
            ),
            (
                "sign-in-own-page",
                page(frame(text), "/me", None).render().unwrap(),
            ),
            ("sign-in-verified", verified.render().unwrap()),
            ("sign-in-no-email", no_email.render().unwrap()),
        ]
    }
}

impl MfaTemplate {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let page = |frame, method, tries_left, notice: Option<&'static str>| {
            let page = Self {
                frame,
                action: "/authorize",
                page: MfaCodePage {
                    hidden: hidden(text),
                    client: None,
                    sent_to: (method == MfaMethod::Email).then(|| text("a…@example.org")),
                    method,
                    tries_left,
                    notice: notice.map(text),
                },
            };
            page.render().unwrap()
        };
        let wrong = "Garmin did not accept this code. Use the newest one you received.";
        vec![
            ("code", page(frame(text), MfaMethod::Email, 3, None)),
            ("code-wrong", page(frame(text), MfaMethod::Phone, 1, Some(wrong))),
            (
                "code-app",
                page(anonymous(text), MfaMethod::Authenticator, 3, None),
            ),
            ("code-unknown", page(frame(text), MfaMethod::Unknown, 2, None)),
        ]
    }
}

impl Linked {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let page = |frame| Self {
            frame,
            full_name: text("Grace Hopper"),
        };
        vec![("linked", page(frame(text)).render().unwrap())]
    }
}

impl MessagePage {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let page = |frame, steps| {
            let page = Self {
                frame,
                title: text("This app is not known here"),
                explanation: text(
                    "It has an old registration, or this gateway has forgotten it. Nothing was sent to Garmin.",
                ),
                steps,
                reference: text("req_5f3a9c21"),
            };
            page.render().unwrap()
        };
        vec![
            (
                "message",
                page(
                    frame(text),
                    vec![
                        text("In Claude, remove the connector."),
                        text("Add it again with the same address."),
                    ],
                ),
            ),
            ("message-bare", page(anonymous(text), Vec::new())),
        ]
    }
}

impl OpenOwnPage {
    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let page = Self {
            frame: frame(text),
            code: text("gpc_code"),
        };
        vec![("own-page-link", page.render().unwrap())]
    }
}

fn own_pages(text: Text) -> Vec<(&'static str, String)> {
    let page = |notice, history| OwnPage {
        frame: frame(text),
        csrf: text("csrf"),
        notice,
        name: text("Ada Lovelace"),
        email: text("ada@example.org"),
        needs_sign_in: true,
        open_until: text("14:30"),
        shown_zone: text("Europe/Vienna"),
        apps: vec![OwnApp {
            id: text("fam_a"),
            name: text("Claude"),
            may_change: true,
            since: text("12 Nov 2026, 14:05"),
            last_used: text("20 Nov 2026, 07:00"),
            opened_page: true,
        }],
        history,
        messages: "No phone is set up for you.",
        has_own_phone: true,
        time_zone: text("Europe/Vienna"),
        are_charts_off: false,
        tools: ChosenTools {
            choice: "own",
            names: text("get_stats"),
        },
        grants: OwnGrants {
            given: vec![GivenRow {
                id: text("acc_b"),
                email: text("ben@example.org"),
                groups: "training, races".to_owned(),
                until: text("30 Jun 2027"),
                name: text("Ada"),
            }],
            held: vec![HeldRow {
                name: text("Cleo"),
                groups: "activities".to_owned(),
                until: text("1 Jan 2027, 00:00"),
                is_link_broken: true,
            }],
            first_day: text("2026-11-20"),
            last_day: text("2027-11-21"),
        },
    };
    let notice = |is_problem| {
        Some(PageNotice {
            text: text("That is set."),
            is_problem,
        })
    };
    let history = OwnHistory {
        days: 1_095,
        kilobytes: 540,
        since: text("12 Nov 2026, 14:05"),
        trouble: Some("Garmin can't be reached"),
    };
    vec![
        ("own-page", page(notice(false), Some(history)).render().unwrap()),
        ("own-page-problem", page(notice(true), None).render().unwrap()),
    ]
}

fn samples(text: Text) -> Vec<(&'static str, String)> {
    let mut all = Landing::samples(text);
    all.extend(SignInTemplate::samples(text));
    all.extend(MfaTemplate::samples(text));
    all.extend(Linked::samples(text));
    all.extend(MessagePage::samples(text));
    all.extend(OpenOwnPage::samples(text));
    all.extend(own_pages(text));
    all
}

#[test]
fn hostile_text_stays_text() {
    let payloads = ["<script", "<img", "</title><", "onerror=alert(1)>", "\"'>"];
    for ((name, clean), (_, attacked)) in samples(plain).into_iter().zip(samples(hostile)) {
        assert!(
            attacked.contains("&#60;script&#62;"),
            "{name}: the attack is shown, escaped"
        );
        for payload in payloads {
            assert!(!attacked.contains(payload), "{name}: {payload} got through");
        }
        // Escaped text opens no element and no attribute, so the markup is the same.
        assert_eq!(
            attacked.matches('<').count(),
            clean.matches('<').count(),
            "{name}"
        );
        assert_eq!(
            attacked.matches('"').count(),
            clean.matches('"').count(),
            "{name}"
        );
    }
}

#[test]
fn a_page_asks_for_nothing_from_outside() {
    for (name, page) in samples(plain) {
        let style = format!("<style>{STYLE}</style>");
        assert!(
            page.contains(&style),
            "{name}: the style is inlined byte for byte, as its hash promises"
        );
        let markup = page.replace(&style, "");
        for forbidden in [
            "<script",
            "style=",
            "onclick",
            "<img",
            "<iframe",
            "src=",
            "@import",
            "javascript:",
        ] {
            assert!(!markup.contains(forbidden), "{name}: {forbidden}");
        }
        for link in markup.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(
                target.starts_with('/') || target.starts_with('#') || target.starts_with("mailto:"),
                "{name}: {target}"
            );
        }
    }
    assert!(!STYLE.contains("url("), "the style sheet loads nothing");
}

#[test]
fn fields_are_what_password_managers_and_phones_look_for() {
    let (_, page) = SignInTemplate::samples(plain).swap_remove(0);
    for part in [
        r#"<input type="email" id="email" name="email" value="" autocomplete="username""#,
        r#"<input type="password" id="password" name="password" autocomplete="current-password""#,
        r#"name="access" value="read_only" checked"#,
        r#"<input type="hidden" name="step" value="credentials">"#,
        r#"<input type="hidden" name="step" value="deny">"#,
        r#"<form method="post" action="/authorize" id="sign-in""#,
    ] {
        assert!(page.contains(part), "{part}");
    }
    let (_, code) = MfaTemplate::samples(plain).swap_remove(0);
    assert!(code.contains(r#"inputmode="numeric" autocomplete="one-time-code""#));
}

#[test]
fn a_failed_try_is_tied_to_its_fields() {
    let (_, page) = SignInTemplate::samples(plain).swap_remove(2);
    assert!(page.contains("<title>Problem: Connect Garmin to Claude"));
    assert!(page.contains(r#"id="problem" role="alert" tabindex="-1" autofocus"#));
    assert_eq!(
        page.matches(r#"problem""#).count() - 2,
        2,
        "both fields point at the problem"
    );
    assert!(
        page.contains(r#"value="read_and_change" checked"#),
        "the choice is kept"
    );
    assert!(page.contains(r#"value="ada@example.org""#), "the e-mail is kept");
    let (_, page) = SignInTemplate::samples(plain).pop().unwrap();
    assert!(page.contains(r#"aria-invalid="true" aria-describedby="email-problem" autofocus"#));
    assert!(page.contains(r#"id="email-problem" role="alert">Type the e-mail address"#));
}

/// `cargo test --lib pages -- --ignored` writes every sample to `target/pages`, for inspection.
#[test]
#[ignore = "for eyes: writes the samples to target/pages"]
fn write_samples() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, page) in samples(plain) {
        std::fs::write(directory.join(name).with_extension("html"), page).unwrap();
    }
}
