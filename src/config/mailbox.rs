//! The mailbox whose LiveTrack mails start races. Its settings may change while the gateway runs.

use std::fmt;

use url::Url;

use super::notify::secret_text;
use super::reader::SettingsReader;
use super::settings;
use crate::base::loopback::is_loopback;
use crate::base::secrets::Secret;

/// The mailbox to read if the URL names none. Every IMAP server has it.
const USUAL_MAILBOX: &str = "INBOX";

/// An IMAP server, with the user and the mailbox to read.
#[derive(Clone, PartialEq, Eq)]
pub struct MailboxConfig {
    /// The name or the address of the server, without brackets.
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    pub user: String,
    pub password: Secret,
    /// The name of the mailbox on the server.
    pub mailbox: String,
}

/// How the password is protected in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Implicit TLS, from the first byte, as in `imaps://`.
    Tls,
    /// TLS after STARTTLS; a server without it is refused.
    StartTls,
    /// Unencrypted, because the server is on this machine.
    Loopback,
}

impl MailboxConfig {
    /// The server and the mailbox, without the user.
    pub fn place(&self) -> String {
        format!("{} on {}:{}", self.mailbox, self.host, self.port)
    }

    pub(super) fn read(reader: &mut SettingsReader<'_>) -> Option<Self> {
        let (name, file) = (&settings::IMAP_PASSWORD, &settings::IMAP_PASSWORD_FILE);
        let password = secret_text(reader, name, file);
        let has_url = reader.text(&settings::IMAP_URL).is_some();
        let has_password = [name, file]
            .into_iter()
            .any(|setting| reader.text(setting).is_some());
        if has_url != has_password {
            reader.problem_with(
                name,
                "a mailbox needs an address and a password",
                "set IMAP_URL and IMAP_PASSWORD (or IMAP_PASSWORD_FILE), or neither",
            );
        }
        let config = reader.optional(&settings::IMAP_URL, parse)?;
        reader.show(&settings::IMAP_URL, &config.place());
        let (from, text) = password?;
        if text.is_empty() || text.contains(['\r', '\n', '\0']) {
            reader.problem(from, "it is not one line of text");
        }
        reader.show(name, &"(hidden)");
        Some(Self {
            password: Secret::new(text),
            ..config
        })
    }
}

impl fmt::Debug for MailboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailboxConfig({}, {:?})", self.place(), self.security)
    }
}

/// Parses `imaps://user@host/Mailbox`. The password is not part of it. Errors: what is wrong, for a setting.
fn parse(text: &str) -> Result<MailboxConfig, String> {
    let url = Url::parse(text).map_err(|e| format!("it is not a URL ({e})"))?;
    if url.password().is_some() {
        return Err(
            "the password is in the address, where programs show it; set IMAP_PASSWORD instead".into(),
        );
    }
    let security = match url.scheme() {
        "imaps" => MailSecurity::Tls,
        "imap" => MailSecurity::StartTls,
        other => return Err(format!("{other} is not a scheme for this")),
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err("it has no host".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has more than a user, a host and a mailbox".into());
    }
    let user = decoded(url.username()).ok_or("the user is not UTF-8")?;
    if user.is_empty() {
        return Err("it has no user before the host; write an @ in the user as %40".into());
    }
    let mailbox = decoded(url.path().trim_matches('/')).ok_or("the mailbox is not UTF-8")?;
    if [&user, &mailbox]
        .iter()
        .any(|text| text.chars().any(char::is_control))
    {
        return Err("the user or the mailbox has a control character".into());
    }
    if !mailbox.is_ascii() {
        return Err("the mailbox name has non-ASCII letters, which IMAP encodes in its own way".into());
    }
    // Only for http does `Url` parse a host as an IP address; for `imap` and `imaps` it leaves it as plain text.
    let is_local = Url::parse(&format!("http://{}", url.host_str().unwrap_or_default()))
        .is_ok_and(|url| is_loopback(&url));
    let security = match security {
        MailSecurity::StartTls if is_local => MailSecurity::Loopback,
        other => other,
    };
    let usual_port = if security == MailSecurity::Tls { 993 } else { 143 };
    Ok(MailboxConfig {
        host,
        port: url.port().unwrap_or(usual_port),
        security,
        user,
        password: Secret::default(),
        mailbox: if mailbox.is_empty() {
            USUAL_MAILBOX.to_owned()
        } else {
            mailbox
        },
    })
}

/// The percent-decoded text; `None` if it is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let (_, value) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    (!value.contains('\u{fffd}')).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, host, port, security, user, mailbox) in [
            (
                "imaps://ann@mail.example.org",
                "mail.example.org",
                993,
                MailSecurity::Tls,
                "ann",
                "INBOX",
            ),
            (
                "imaps://ann%40example.org@imap.example.org:1993/Races/2026",
                "imap.example.org",
                1993,
                MailSecurity::Tls,
                "ann@example.org",
                "Races/2026",
            ),
            (
                "imap://a%2Bb@mail.example.org/My%20Races/",
                "mail.example.org",
                143,
                MailSecurity::StartTls,
                "a+b",
                "My Races",
            ),
            (
                "imap://ann@127.0.0.1:1143",
                "127.0.0.1",
                1143,
                MailSecurity::Loopback,
                "ann",
                "INBOX",
            ),
            (
                "imap://ann@localhost",
                "localhost",
                143,
                MailSecurity::Loopback,
                "ann",
                "INBOX",
            ),
            (
                "imap://ann@[::1]:143",
                "::1",
                143,
                MailSecurity::Loopback,
                "ann",
                "INBOX",
            ),
            (
                "imaps://ann@127.0.0.1",
                "127.0.0.1",
                993,
                MailSecurity::Tls,
                "ann",
                "INBOX",
            ),
        ] {
            let config = parse(text).unwrap();
            let read = (
                &*config.host,
                config.port,
                config.security,
                &*config.user,
                &*config.mailbox,
            );
            assert_eq!(read, (host, port, security, user, mailbox), "{text}");
        }
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        for (text, what) in [
            ("mail.example.org", "not a URL"),
            ("pop3://ann@mail.example.org", "pop3 is not a scheme"),
            ("imaps://mail.example.org", "no user"),
            ("imaps://ann:secret@mail.example.org", "IMAP_PASSWORD"),
            ("imaps://ann@", "not a URL"),
            ("imaps://ann@mail.example.org/INBOX?x=1", "more than"),
            ("imaps://ann%0d@mail.example.org", "control character"),
            ("imaps://ann%ff@mail.example.org", "UTF-8"),
            ("imaps://ann@mail.example.org/L%C3%A4ufe", "non-ASCII"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(what), "{text}: {problem}");
        }
    }

    #[test]
    fn nothing_of_the_person_is_in_its_debug_form() {
        let config = parse("imaps://ann%40example.org@mail.example.org").unwrap();
        assert_eq!(
            format!("{config:?}"),
            "MailboxConfig(INBOX on mail.example.org:993, Tls)"
        );
    }
}
