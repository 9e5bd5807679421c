//! What changes without a restart.

use super::invited::{Invited, is_domain};
use super::notify::NotifyConfig;
use super::reader::SettingsReader;
use super::settings;
use crate::base::log::LogLevel;

/// Settings that take effect when the env file is saved.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Live {
    pub invited: Vec<Invited>,
    pub open_sign_up: bool,
    /// Where clients may return to, in addition to the built-in addresses: hosts in lower case, and whole addresses of apps.
    pub redirect_hosts: Vec<String>,
    /// Who runs this.
    pub operator: Operator,
    /// Tool calls of one account per minute.
    pub calls_per_minute: u32,
    pub registrations_per_hour: u32,
    pub log_level: LogLevel,
    pub notify: NotifyConfig,
}

/// The operator, as the pages name them.
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
                    Err("an entry is not a host name".into())
                }
            }),
            operator: Operator {
                name: reader.string(&settings::OPERATOR_NAME),
                email: reader.string(&settings::OPERATOR_EMAIL),
            },
            calls_per_minute: reader.number(&settings::CALLS_PER_MINUTE),
            registrations_per_hour: reader.number(&settings::REGISTRATIONS_PER_HOUR),
            log_level: reader.get(&settings::GATEWAY_LOG_LEVEL, LogLevel::parse),
            notify: NotifyConfig::read(reader),
        }
    }
}

/// Whether a text has the form `myapp://host/callback`. Web addresses are allowed by their host.
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
