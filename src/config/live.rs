//! What changes without a restart.

use std::fmt;

use super::races::NotifyConfig;
use super::reader::Reader;
use crate::base::log::LogLevel;

/// Settings that take effect when the env file is saved.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Live {
    /// Who may sign in.
    pub invited: Vec<Invited>,
    /// Whether everybody may.
    pub open_sign_up: bool,
    /// Hosts that clients may return to, besides Claude's and loopback; lower case.
    pub redirect_hosts: Vec<String>,
    /// Who runs this.
    pub operator: Operator,
    /// Tool calls that one account may make in a minute.
    pub calls_per_minute: u32,
    /// Clients that may register in an hour.
    pub registrations_per_hour: u32,
    /// What is logged.
    pub log_level: LogLevel,
    /// Whom races tell.
    pub notify: NotifyConfig,
}

/// An invitation in the settings, lower case.
#[derive(Clone, PartialEq, Eq)]
pub enum Invited {
    /// One person.
    Email(String),
    /// Everybody of a domain; without the `@`.
    Domain(String),
}

impl Invited {
    /// Reads `ann@example.org` or `@example.org`. Errors: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.to_lowercase();
        match text.split_once('@') {
            Some(("", domain)) if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            Some((name, domain)) if !name.is_empty() && is_domain(domain) => Ok(Self::Email(text)),
            _ => Err("an entry is neither an e-mail nor a @domain".into()),
        }
    }

    /// Whether this invites `email`.
    pub fn covers(&self, email: &str) -> bool {
        let email = email.trim().to_lowercase();
        match self {
            Self::Email(invited) => *invited == email,
            Self::Domain(domain) => email.rsplit_once('@').is_some_and(|(_, of)| of == domain),
        }
    }
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invited(…)")
    }
}

fn is_domain(text: &str) -> bool {
    !text.is_empty() && !text.contains('@') && text.split('.').all(|label| !label.is_empty())
}

/// Who runs this gateway.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Operator {
    /// A name, for the pages.
    pub name: Option<String>,
    /// An address, for the pages.
    pub email: Option<String>,
}

impl Live {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let some = |text: Option<&str>| text.map(str::to_owned);
        let live = Self {
            invited: reader.items(
                "INVITED",
                "write e-mails or @domains, comma-separated",
                Invited::parse,
            ),
            open_sign_up: reader.flag("OPEN_SIGN_UP", false),
            redirect_hosts: reader.items("REDIRECT_HOSTS", "write host names, comma-separated", |text| {
                let host = text.to_ascii_lowercase();
                let plain = host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
                if plain && is_domain(&host) {
                    Ok(host)
                } else {
                    Err("an entry is not a host name".into())
                }
            }),
            operator: Operator {
                name: some(reader.text("OPERATOR_NAME")),
                email: some(reader.text("OPERATOR_EMAIL")),
            },
            calls_per_minute: reader.number("CALLS_PER_MINUTE", 120, 1, 1_000_000),
            registrations_per_hour: reader.number("REGISTRATIONS_PER_HOUR", 120, 1, 1_000_000),
            log_level: reader.parse(
                "GATEWAY_LOG_LEVEL",
                LogLevel::Info,
                "write debug, info, warning, error or critical",
                LogLevel::parse,
            ),
            notify: NotifyConfig::read(reader),
        };
        reader.show("INVITED", format_args!("{} entries", live.invited.len()));
        reader.show("OPEN_SIGN_UP", live.open_sign_up);
        reader.show("REDIRECT_HOSTS", live.redirect_hosts.join(","));
        reader.show("OPERATOR_NAME", live.operator.name.as_deref().unwrap_or_default());
        reader.show(
            "OPERATOR_EMAIL",
            live.operator.email.as_deref().unwrap_or_default(),
        );
        reader.show("CALLS_PER_MINUTE", live.calls_per_minute);
        reader.show("REGISTRATIONS_PER_HOUR", live.registrations_per_hour);
        reader.show("GATEWAY_LOG_LEVEL", live.log_level);
        live
    }
}
