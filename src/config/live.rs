//! Settings that can change without a restart.

use super::invited::{Invited, is_domain};
use super::mailbox::MailboxConfig;
use super::notify::NotifyConfig;
use super::reader::SettingsReader;
use super::settings;
use super::tool_profile::ToolProfile;
use crate::base::log::LogLevel;

/// Settings that take effect when the env file is saved.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Live {
    pub invited: Vec<Invited>,
    pub open_sign_up: bool,
    /// Allowed redirect targets in addition to the built-in ones: hosts in lower case, and full redirect URIs of
    /// apps.
    pub redirect_hosts: Vec<String>,
    /// The operator of this gateway.
    pub operator: Operator,
    /// Client ids for Garmin's token service, which are tried before the built-in ones.
    pub client_ids: Vec<String>,
    /// The tools in the list of a person who has not chosen their own.
    pub tool_profile: ToolProfile,
    /// The maximum number of tool calls per account and minute.
    pub calls_per_minute: u32,
    pub log_level: LogLevel,
    /// Boxed because it is large, and this struct is passed by value at the start.
    pub notify: Box<NotifyConfig>,
    /// The mailbox whose LiveTrack mails start races.
    pub mailbox: Option<MailboxConfig>,
}

/// The operator's name and address as shown on the pages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Operator {
    pub name: Option<String>,
    pub email: Option<String>,
}

impl Live {
    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Self {
        Self {
            invited: reader.items(&settings::INVITED, Invited::parse),
            open_sign_up: reader.flag(&settings::OPEN_SIGN_UP),
            redirect_hosts: reader.items(&settings::REDIRECT_HOSTS, |text| {
                if is_app_address(text) {
                    return Ok(text.to_owned());
                }
                let host = text.to_ascii_lowercase();
                if is_domain(&host) {
                    Ok(host)
                } else {
                    Err("it is not a host name".into())
                }
            }),
            operator: Operator {
                name: reader.string(&settings::OPERATOR_NAME),
                email: reader.optional(&settings::OPERATOR_EMAIL, |text| match Invited::parse(text) {
                    Ok(Invited::Email(_)) => Ok(text.to_owned()),
                    _ => Err("it is not an e-mail address".into()),
                }),
            },
            client_ids: reader.items(&settings::GARMIN_CLIENT_IDS, client_id),
            tool_profile: reader.get(&settings::TOOL_PROFILE, ToolProfile::parse),
            calls_per_minute: reader.number(&settings::CALLS_PER_MINUTE),
            log_level: reader.get(&settings::GATEWAY_LOG_LEVEL, LogLevel::parse),
            notify: Box::new(NotifyConfig::read(reader)),
            mailbox: MailboxConfig::read(reader),
        }
    }
}

fn client_id(text: &str) -> Result<String, String> {
    let is_letter = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if text.len() <= 80 && text.bytes().all(is_letter) {
        Ok(text.to_owned())
    } else {
        Err("it is not a client id: capitals, digits and underscores".into())
    }
}

/// Whether a text has the form `myapp://host/callback`. Web addresses are instead allowed by their host.
fn is_app_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        let is_scheme_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        !scheme.is_empty()
            && scheme.bytes().all(is_scheme_byte)
            && !matches!(scheme, "http" | "https" | "file" | "javascript" | "data")
            && !rest.is_empty()
            && !rest.starts_with('/')
            && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}
