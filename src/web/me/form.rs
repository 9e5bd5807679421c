//! Parses the posted forms of the page. Pure.

use url::form_urlencoded;

use crate::accounts::GrantWish;
use crate::race::share::ShareRole;

/// A form of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PageForm {
    pub(super) step: PageStep,
    /// The form's token against forgery; empty for the forms in front of the page.
    pub(super) csrf: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageStep {
    /// A form of the sign-in, which is read elsewhere.
    SignIn,
    /// Opens the page with a one-time code.
    Open(String),
    Act(PageAct),
}

/// What a person does on their page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) enum PageAct {
    SignOut,
    /// Ends the client's sign-in with this id.
    EndApp(String),
    HistoryOn,
    HistoryOff {
        is_confirmed: bool,
    },
    Export,
    Forget {
        is_confirmed: bool,
    },
    /// Empty texts restore the operator's settings.
    SetPhone {
        telegram_chat: String,
        ntfy_topic: String,
    },
    RemovePhone,
    /// The name of a zone; empty for that of the Garmin profile.
    SetTimeZone(String),
    /// Addresses to which the person's LiveTrack mails go, with commas between them.
    SetMailAddresses(String),
    /// `default`, `core`, `all`, or names with commas between them.
    SetTools(String),
    /// Switches charts beside the answers on or off, for apps that can show them.
    SetCharts {
        are_off: bool,
    },
    /// Lets another member see data.
    GrantAccess(GrantWish),
    /// Makes a link that shows a race, or adds the race to another athlete's.
    ShareRace {
        race: String,
        role: ShareRole,
        name: String,
        /// The address of another athlete's link; empty for a link of one's own.
        with: String,
    },
    EndShare {
        race: String,
        share: String,
    },
    /// Takes back the grant to the member with this account id.
    WithdrawGrant(String),
}

impl PageForm {
    /// `None`: a field is missing or repeated, or a value is unknown.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let field = |name: &str| {
            let mut values = form_urlencoded::parse(body)
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value);
            let first = values.next()?;
            values.next().is_none().then(|| first.trim().to_owned())
        };
        let all = |name: &str| {
            let values = form_urlencoded::parse(body).filter(|(key, _)| key == name);
            values.map(|(_, value)| value.trim().to_owned()).collect()
        };
        let is_confirmed = || field("confirm").is_some_and(|value| value == "yes");
        let act = match field("step")?.as_str() {
            "credentials" | "code" | "deny" => {
                return Some(Self {
                    step: PageStep::SignIn,
                    csrf: String::new(),
                });
            }
            "open" => {
                return Some(Self {
                    step: PageStep::Open(field("code")?),
                    csrf: String::new(),
                });
            }
            "sign_out" => PageAct::SignOut,
            "end_app" => PageAct::EndApp(field("app")?),
            "history_on" => PageAct::HistoryOn,
            "history_off" => PageAct::HistoryOff {
                is_confirmed: is_confirmed(),
            },
            "export" => PageAct::Export,
            "forget" => PageAct::Forget {
                is_confirmed: is_confirmed(),
            },
            "set_phone" => PageAct::SetPhone {
                telegram_chat: field("telegram_chat").unwrap_or_default(),
                ntfy_topic: field("ntfy_topic").unwrap_or_default(),
            },
            "remove_phone" => PageAct::RemovePhone,
            "set_time_zone" => PageAct::SetTimeZone(field("time_zone")?),
            "set_mail_addresses" => PageAct::SetMailAddresses(field("mail_addresses")?),
            "set_tools" => PageAct::SetTools(match field("tools")?.as_str() {
                "own" => field("names")?,
                known @ ("default" | "core" | "all") => known.to_owned(),
                _ => return None,
            }),
            "set_charts" => PageAct::SetCharts {
                are_off: match field("charts")?.as_str() {
                    "on" => false,
                    "off" => true,
                    _ => return None,
                },
            },
            "grant_access" => PageAct::GrantAccess(GrantWish {
                to: field("to")?,
                groups: all("group"),
                until: field("until")?,
                name: field("name")?,
            }),
            "share_race" => PageAct::ShareRace {
                race: field("race")?,
                role: ShareRole::named(&field("role")?)?,
                name: field("name")?,
                with: field("with")?,
            },
            "end_share" => PageAct::EndShare {
                race: field("race")?,
                share: field("share")?,
            },
            "withdraw_grant" => PageAct::WithdrawGrant(field("to")?),
            _ => return None,
        };
        Some(Self {
            step: PageStep::Act(act),
            csrf: field("csrf")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_form_or_none(body: Vec<u8>) {
            PageForm::read(&body);
        }
    }

    #[test]
    fn forms_are_read_exactly() {
        let act = |body: &str| match PageForm::read(body.as_bytes())?.step {
            PageStep::Act(act) => Some(act),
            _ => None,
        };
        assert_eq!(act("step=sign_out&csrf=c"), Some(PageAct::SignOut));
        let forget = |is_confirmed| Some(PageAct::Forget { is_confirmed });
        assert_eq!(act("step=forget&csrf=c"), forget(false));
        assert_eq!(act("step=forget&csrf=c&confirm=on"), forget(false));
        assert_eq!(act("step=forget&csrf=c&confirm=yes"), forget(true));
        assert_eq!(act("step=forget&csrf=c&confirm=yes&confirm=yes"), forget(false));
        assert_eq!(
            act("csrf=c&step=set_tools&tools=own&names=get_stats%2Cget_sleep_data"),
            Some(PageAct::SetTools("get_stats,get_sleep_data".into()))
        );
        assert_eq!(
            act("csrf=c&step=set_tools&tools=core&names=x"),
            Some(PageAct::SetTools("core".into()))
        );
        let charts = |are_off| Some(PageAct::SetCharts { are_off });
        assert_eq!(act("csrf=c&step=set_charts&charts=off"), charts(true));
        assert_eq!(act("csrf=c&step=set_charts&charts=on"), charts(false));
        assert_eq!(
            act(
                "csrf=c&step=grant_access&to=b%40example.org&group=training&group=races&until=2026-06-30&name=Ann"
            ),
            Some(PageAct::GrantAccess(GrantWish {
                to: "b@example.org".into(),
                groups: vec!["training".into(), "races".into()],
                until: "2026-06-30".into(),
                name: "Ann".into(),
            }))
        );
        for bad in [
            "csrf=c&step=set_charts&charts=maybe",
            "csrf=c&step=grant_access&to=a&to=b&until=2026-06-30&name=",
            "csrf=c&step=withdraw_grant",
            "step=sign_out",
            "csrf=c&csrf=c&step=sign_out",
            "csrf=c&step=sign_out&step=forget",
            "csrf=c&step=set_tools&tools=some",
            "csrf=c&step=end_app",
            "csrf=c&step=dance",
            "csrf=c",
        ] {
            assert_eq!(PageForm::read(bad.as_bytes()), None, "{bad}");
        }
        let open = PageForm::read(b"step=open&code=gpc_x").unwrap();
        assert_eq!(open.step, PageStep::Open("gpc_x".into()));
    }
}
