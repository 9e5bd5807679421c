//! The samples: every page in every state.

use super::super::*;
use super::refused::refused_pages;
use crate::history::TroubleClass;
use crate::notify::message::MessageRoute;
use crate::oauth::{ClientOnPage, HiddenFields, SignInPage};
use crate::web::language::LanguageChoice;
use crate::web::me::{
    ChosenTools, GivenRow, HeldRow, OnLinkRow, OwnApp, OwnGrants, OwnHistory, OwnPage, PageNotice,
    RaceLinkRow, RaceWithLinks,
};
use crate::web::words::SiteWords;

/// The texts of a sample: in one language, with ordinary words or an attack in every field from outside.
#[derive(Clone, Copy)]
pub(super) struct Sampler {
    pub(super) words: &'static SiteWords,
    pub(super) attacks: bool,
}

impl Sampler {
    pub(super) fn text(self, text: &'static str) -> String {
        if self.attacks {
            format!("</style></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)> {text}")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn frame(self) -> Frame {
        let (host, name) = (self.text("garmin.example.org"), self.text("Ada Lovelace"));
        let frame = Frame::new(&host, Some(&name), Some(&self.text("ada@example.org")), false);
        Frame {
            words: self.words,
            ..frame
        }
    }

    fn anonymous(self) -> Frame {
        let frame = Frame::new(&self.text("localhost:8080"), None, None, true);
        Frame {
            words: self.words,
            ..frame
        }
    }
}

impl Landing {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let page = |frame: Frame, arrival| {
            let page = Self {
                frame: Frame {
                    choice: LanguageChoice::Links(of.text("a=b&")),
                    ..frame.nameless()
                },
                connector_url: of.text("https://garmin.example.org/mcp"),
                arrival,
            };
            page.render().unwrap()
        };
        vec![
            ("landing", page(of.frame(), Arrival::Home)),
            ("landing-missing", page(of.frame(), Arrival::Missing)),
            ("landing-connector", page(of.frame(), Arrival::Connector)),
            ("landing-simulated", page(of.anonymous(), Arrival::Home)),
        ]
    }
}

fn hidden(of: Sampler) -> HiddenFields {
    HiddenFields {
        transaction: of.text("tx_1"),
        csrf: of.text("csrf_1"),
    }
}

impl SignInTemplate {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let client = |name, redirect_host, on_this_device| {
            Some(ClientOnPage {
                name: of.text(name),
                redirect_host: of.text(redirect_host),
                on_this_device,
                is_verified: false,
                form_action: String::new(),
            })
        };
        let hosted = || client("Claude", "claude.ai", false);
        let local = || client("Claude Code (garmin)", "localhost:53682", true);
        let page = |frame: Frame, action, client| Self {
            frame: frame.around_form(Self::FORM),
            action,
            page: SignInPage {
                hidden: hidden(of),
                set_browser: None,
                client,
                email: String::new(),
                access: Access::ReadOnly,
                notice: None,
                tries_left: 5,
            },
            changes: vec!["workouts", "weight", "gear", "activities"],
        };
        let after = |notice| {
            let mut page = page(of.frame(), "/authorize", hosted());
            page.page.email = of.text("ada@example.org");
            page.page.access = Access::ReadAndChange;
            page.page.tries_left = 2;
            page.page.notice = Some(notice);
            page
        };
        let refused = |refusal| after(SignInNotice::Refused(refusal));
        let mut verified = page(of.frame(), "/authorize", hosted());
        if let Some(client) = &mut verified.page.client {
            client.is_verified = true;
        }
        let changed = SignInRefusal::Changed {
            path: of.text("mobile login"),
        };
        let pages = [
            ("sign-in", page(of.frame(), "/authorize", hosted())),
            ("sign-in-local", page(of.anonymous(), "/authorize", local())),
            ("sign-in-refused", refused(SignInRefusal::WrongCredentials)),
            ("sign-in-again", page(of.frame(), "/link", None)),
            ("sign-in-own-page", page(of.frame(), "/me", None)),
            ("sign-in-verified", verified),
            ("sign-in-changed", refused(changed)),
            ("sign-in-no-password", after(SignInNotice::NoPassword)),
            ("sign-in-no-email", after(SignInNotice::NoEmail)),
        ];
        let rendered = pages
            .into_iter()
            .map(|(name, page)| (name, page.render().unwrap()));
        rendered.collect()
    }
}

impl MfaTemplate {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let page = |frame, method, tries_left, notice| {
            let page = Self {
                frame: Frame::around_form(frame, Self::FORM),
                action: "/authorize",
                page: MfaCodePage {
                    hidden: hidden(of),
                    client: None,
                    sent_to: (method == MfaMethod::Email).then(|| of.text("a…@example.org")),
                    method,
                    tries_left,
                    notice,
                },
            };
            page.render().unwrap()
        };
        let wrong = SignInNotice::Refused(SignInRefusal::WrongCode { tries_left: 1 });
        vec![
            ("code", page(of.frame(), MfaMethod::Email, 3, None)),
            ("code-wrong", page(of.frame(), MfaMethod::Phone, 1, Some(wrong))),
            (
                "code-app",
                page(of.anonymous(), MfaMethod::Authenticator, 3, None),
            ),
            ("code-unknown", page(of.frame(), MfaMethod::Unknown, 2, None)),
        ]
    }
}

impl Linked {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let page = |has_app| {
            let page = Self {
                frame: of.frame(),
                full_name: of.text("Grace Hopper"),
                has_app,
                connector_url: of.text("https://garmin.example.org/mcp"),
            };
            page.render().unwrap()
        };
        vec![("linked", page(true)), ("linked-first", page(false))]
    }
}

impl MessagePage {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let page = |frame, steps| {
            let page = Self {
                frame,
                title: of.text("This app is not known here"),
                explanation: of.text(
                    "It has an old registration, or this gateway has forgotten it. Nothing was sent to Garmin.",
                ),
                steps,
                technical: Some(of.text("the parameter client_id is missing")),
                reference: of.text("req_5f3a9c21"),
            };
            page.render().unwrap()
        };
        vec![
            (
                "message",
                page(
                    of.frame(),
                    vec![
                        of.text("In Claude, remove the connector."),
                        of.text("Add it again with the same address."),
                    ],
                ),
            ),
            ("message-bare", page(of.anonymous(), Vec::new())),
        ]
    }
}

impl OpenOwnPage {
    pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
        let page = Self {
            frame: of.frame(),
            code: of.text("gpc_code"),
        };
        vec![("own-page-link", page.render().unwrap())]
    }
}

/// A person's page with everything on it.
pub(super) fn own_page(of: Sampler) -> OwnPage {
    OwnPage {
        frame: Frame {
            choice: LanguageChoice::Links(String::new()),
            ..of.frame()
        },
        csrf: of.text("csrf"),
        notice: None,
        refused: None,
        name: of.text("Ada Lovelace"),
        email: of.text("ada@example.org"),
        needs_sign_in: true,
        open_until: of.text("14:30"),
        shown_zone: Some(of.text("Europe/Vienna")),
        apps: vec![OwnApp {
            id: of.text("fam_a"),
            name: of.text("Claude"),
            may_change: true,
            since: of.text("12 Nov 2026, 14:05"),
            last_used: of.text("20 Nov 2026, 07:00"),
            opened_page: true,
        }],
        history: Some(OwnHistory {
            days: of.words.number(1_095),
            kilobytes: of.words.number(540),
            since: of.text("12 Nov 2026, 14:05"),
            trouble: Some(TroubleClass::Unreachable),
        }),
        route: MessageRoute::Personal,
        time_zone: of.text("Europe/Vienna"),
        mail_addresses: Some(of.text("ada@example.net")),
        races: vec![RaceWithLinks {
            id: of.text("race_a"),
            title: of.text("Ada, City Marathon"),
            links: vec![RaceLinkRow {
                id: of.text("share_a"),
                is_crew: true,
                name: Some(of.text("Ada")),
                ends: Some(of.text("21 Nov 2026, 14:05")),
                hours_after: 24,
                others: vec![
                    OnLinkRow {
                        name: Some(of.text("Ben")),
                        share: Some(of.text("share_b")),
                    },
                    OnLinkRow {
                        name: None,
                        share: Some(of.text("share_c")),
                    },
                ],
            }],
        }],
        is_at_broker: true,
        are_charts_off: false,
        tools: ChosenTools {
            choice: "own",
            names: of.text("get_stats"),
        },
        grants: OwnGrants {
            given: vec![GivenRow {
                id: of.text("acc_b"),
                email: of.text("ben@example.org"),
                groups: "training, races".to_owned(),
                until: of.text("30 Jun 2027"),
                name: of.text("Ada"),
            }],
            held: vec![HeldRow {
                name: of.text("Cleo"),
                groups: "activities".to_owned(),
                until: of.text("1 Jan 2027, 00:00"),
                is_link_broken: true,
            }],
            first_day: of.text("2026-11-20"),
            last_day: of.text("2027-11-21"),
        },
    }
}

pub(super) fn own_pages(of: Sampler) -> Vec<(&'static str, String)> {
    let notice = |is_problem| {
        Some(PageNotice {
            text: of.text("That is set."),
            is_problem,
            link: None,
        })
    };
    let done = OwnPage {
        notice: notice(false),
        ..own_page(of)
    };
    let problem = OwnPage {
        notice: notice(true),
        history: None,
        ..own_page(of)
    };
    let mut pages = vec![
        ("own-page", done.render().unwrap()),
        ("own-page-problem", problem.render().unwrap()),
    ];
    pages.extend(refused_pages(of));
    pages
}

pub(super) fn samples(of: Sampler) -> Vec<(&'static str, String)> {
    let mut all = Landing::samples(of);
    all.extend(SignInTemplate::samples(of));
    all.extend(MfaTemplate::samples(of));
    all.extend(Linked::samples(of));
    all.extend(MessagePage::samples(of));
    all.extend(OpenOwnPage::samples(of));
    all.extend(own_pages(of));
    all
}

pub(super) fn in_language(words: &'static SiteWords) -> Sampler {
    Sampler {
        words,
        attacks: false,
    }
}

pub(super) fn plain() -> Sampler {
    in_language(SiteWords::english())
}
