//! The pages people see, each a struct with samples.
//!
//! Every page is one self-contained answer: its style is inlined and allowed by its hash, no script exists, and
//! the icon is the only other thing a browser asks for. All text from outside is escaped by the templates; the
//! only unescaped value is our own style sheet. Texts live in the templates under `assets/pages`, except for what
//! depends on a decision, which lives here.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::foundation::secrets::sha256;

/// The icon, served at `/favicon.svg`.
pub(super) const FAVICON: &str = include_str!("../../assets/pages/favicon.svg");

const STYLE: &str = include_str!("../../assets/pages/page.css");

/// The source expression of the inlined style sheet for `style-src` (CSP level 3, section 2.3.1).
pub(super) static STYLE_SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(sha256(STYLE.as_bytes()))));

/// What stands around the content of every page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Host of the public URL, with its port if it names one.
    pub(super) host: String,
    /// Who runs the gateway, if set.
    pub(super) operator_name: Option<String>,
    /// Where to reach that person, if set.
    pub(super) operator_email: Option<String>,
    /// Garmin is the simulator: every page says so.
    pub(super) simulated: bool,
    css: &'static str,
}

impl Frame {
    /// The frame of one answer.
    pub(super) fn new(
        host: &str,
        operator_name: Option<&str>,
        operator_email: Option<&str>,
        simulated: bool,
    ) -> Self {
        Self {
            host: host.to_owned(),
            operator_name: operator_name.map(str::to_owned),
            operator_email: operator_email.map(str::to_owned),
            simulated,
            css: STYLE,
        }
    }
}

/// What the gateway is, how to connect, who sees what.
#[derive(Debug, Template)]
#[template(path = "landing.html", config = ".askama.toml")]
pub(super) struct Landing {
    pub(super) frame: Frame,
    /// What a person pastes into Claude.
    pub(super) connector_url: String,
    /// What brought the person here.
    pub(super) arrival: Arrival,
}

/// How a person came to the landing page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// By its address.
    Home,
    /// By an address that doesn't exist.
    Missing,
    /// By the connector's address, which is Claude's.
    Connector,
}

/// The app that asks, as the sign-in page shows it before any password.
#[derive(Debug, Clone)]
pub(super) struct AskingClient {
    /// The name the client gave itself.
    pub(super) name: String,
    /// Host the browser returns to.
    pub(super) redirect_host: String,
    /// It returns to this device only, so nobody vouches for the name.
    pub(super) loopback_only: bool,
}

/// E-mail, password and the choice of access.
#[derive(Debug, Template)]
#[template(path = "sign_in.html", config = ".askama.toml")]
pub(super) struct SignIn {
    pub(super) frame: Frame,
    /// Where the forms post to: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) transaction: String,
    pub(super) csrf: String,
    /// `None` = no app asks: the person renews the login at Garmin.
    pub(super) client: Option<AskingClient>,
    /// What to put into the e-mail field.
    pub(super) email: String,
    /// Preselects *read and change*.
    pub(super) may_change: bool,
    /// Why the last try failed, in the person's words.
    pub(super) notice: Option<String>,
    /// How many more tries this page takes; told once one has failed.
    pub(super) tries_left: u8,
}

impl SignIn {
    fn heading(&self) -> String {
        self.client.as_ref().map_or_else(
            || "Sign in at Garmin again".to_owned(),
            |client| format!("Connect Garmin to {}", client.name),
        )
    }
}

/// How the code reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Email,
    Phone,
    Authenticator,
    Unknown,
}

impl Channel {
    /// From the sign-in's word for it.
    pub(super) fn of(method: &str) -> Self {
        match method {
            "email" => Self::Email,
            "phone" => Self::Phone,
            "authenticator" => Self::Authenticator,
            _ => Self::Unknown,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Email => "It can take a minute. Look in the spam folder too, and use the newest code.",
            Self::Phone => "It can take a minute. If several arrive, use the newest.",
            Self::Authenticator => "It changes every 30 seconds; a fresh one is best.",
            Self::Unknown => "By e-mail, by text message or in your authenticator app.",
        }
    }
}

/// The code of the two-step verification.
#[derive(Debug, Template)]
#[template(path = "code.html", config = ".askama.toml")]
pub(super) struct Code {
    pub(super) frame: Frame,
    /// Where the forms post to: the path that showed the page.
    pub(super) action: &'static str,
    pub(super) transaction: String,
    pub(super) csrf: String,
    pub(super) channel: Channel,
    /// Where Garmin sent it, masked by Garmin.
    pub(super) sent_to: Option<String>,
    /// How often a code may still be sent in this sign-in.
    pub(super) tries_left: u8,
    /// Why the last code failed, in the person's words.
    pub(super) notice: Option<String>,
}

impl Code {
    fn lead(&self) -> String {
        match (self.channel, &self.sent_to) {
            (Channel::Email | Channel::Phone, Some(to)) => format!("Garmin has sent a code to {to}."),
            (Channel::Email, None) => {
                "Garmin has sent a code to the e-mail address of your account.".to_owned()
            }
            (Channel::Phone, None) => "Garmin has sent a code to your phone.".to_owned(),
            (Channel::Authenticator, _) => {
                "Open your authenticator app and type the code it shows for Garmin.".to_owned()
            }
            (Channel::Unknown, _) => "Garmin asks for the code of your two-step verification.".to_owned(),
        }
    }

    fn tries(&self) -> String {
        match self.tries_left {
            0 | 1 => "This is the last try; after that you start again.".to_owned(),
            more => format!("You have {more} tries."),
        }
    }
}

/// The login at Garmin works again.
#[derive(Debug, Template)]
#[template(path = "linked.html", config = ".askama.toml")]
pub(super) struct Linked {
    pub(super) frame: Frame,
    /// The name that Garmin knows the person by.
    pub(super) full_name: String,
}

/// Why something did not work, what to do, and a reference for whoever runs the gateway.
#[derive(Debug, Template)]
#[template(path = "message.html", config = ".askama.toml")]
pub(super) struct Message {
    pub(super) frame: Frame,
    pub(super) title: String,
    pub(super) explanation: String,
    /// What the person can do, in order.
    pub(super) steps: Vec<String>,
    /// The request id, which the log has too.
    pub(super) reference: String,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What the text of a sample is made of: ordinary words, or an attack in every field.
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

    impl SignIn {
        fn samples(text: Text) -> Vec<(&'static str, String)> {
            let hosted = || {
                Some(AskingClient {
                    name: text("Claude"),
                    redirect_host: text("claude.ai"),
                    loopback_only: false,
                })
            };
            let local = || {
                Some(AskingClient {
                    name: text("Claude Code (garmin)"),
                    redirect_host: text("localhost:53682"),
                    loopback_only: true,
                })
            };
            let page = |frame, action, client| Self {
                frame,
                action,
                transaction: text("tx_1"),
                csrf: text("csrf_1"),
                client,
                email: String::new(),
                may_change: false,
                notice: None,
                tries_left: 5,
            };
            let mut refused = page(frame(text), "/authorize", hosted());
            refused.email = text("ada@example.org");
            refused.may_change = true;
            refused.tries_left = 2;
            refused.notice = Some(text(
                "Garmin did not accept this e-mail and password. Check both, or try them at connect.garmin.com.",
            ));
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
            ]
        }
    }

    impl Code {
        fn samples(text: Text) -> Vec<(&'static str, String)> {
            let page = |frame, channel, tries_left, notice: Option<&'static str>| {
                let page = Self {
                    sent_to: (channel == Channel::Email).then(|| text("a…@example.org")),
                    frame,
                    action: "/authorize",
                    transaction: text("tx_1"),
                    csrf: text("csrf_1"),
                    channel,
                    tries_left,
                    notice: notice.map(text),
                };
                page.render().unwrap()
            };
            let wrong = "Garmin did not accept this code. Use the newest one you received.";
            vec![
                ("code", page(frame(text), Channel::Email, 3, None)),
                ("code-wrong", page(frame(text), Channel::Phone, 1, Some(wrong))),
                ("code-app", page(anonymous(text), Channel::Authenticator, 3, None)),
                ("code-unknown", page(frame(text), Channel::Unknown, 2, None)),
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

    impl Message {
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

    fn samples(text: Text) -> Vec<(&'static str, String)> {
        let mut all = Landing::samples(text);
        all.extend(SignIn::samples(text));
        all.extend(Code::samples(text));
        all.extend(Linked::samples(text));
        all.extend(Message::samples(text));
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
            // Escaped text opens no element and no attribute: the markup is the same.
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
        let (_, page) = SignIn::samples(plain).swap_remove(0);
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
        let (_, code) = Code::samples(plain).swap_remove(0);
        assert!(code.contains(r#"inputmode="numeric" autocomplete="one-time-code""#));
    }

    #[test]
    fn a_failed_try_is_tied_to_its_fields() {
        let (_, page) = SignIn::samples(plain).swap_remove(2);
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
    }

    #[test]
    fn channels_are_named() {
        let check = |method: &str, channel| assert_eq!(Channel::of(method), channel, "{method}");
        check("email", Channel::Email);
        check("phone", Channel::Phone);
        check("authenticator", Channel::Authenticator);
        check("", Channel::Unknown);
        check("carrier pigeon", Channel::Unknown);
    }

    /// `cargo test --lib pages -- --ignored`: writes every sample to `target/pages`, to be looked at.
    #[test]
    #[ignore = "for eyes: writes the samples to target/pages"]
    fn write_samples() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
        std::fs::create_dir_all(&directory).unwrap();
        for (name, page) in samples(plain) {
            std::fs::write(directory.join(name).with_extension("html"), page).unwrap();
        }
    }
}
