//! A signed-in connection to the mailbox: find new mails, fetch one, mark it, wait for more.
//!
//! The server's texts are not passed on, because they may contain addresses or parts of a mail.

use std::io;
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::types::UnsolicitedResponse;
use async_imap::{Client, Session};
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::health::MailboxTrouble;
use super::wire::MailWire;
use crate::config::{MailSecurity, MailboxConfig};

/// Upper bound for one command, and for signing in.
const COMMAND: Duration = Duration::from_secs(30);

/// How long one IDLE lasts. Servers end it after 30 minutes (RFC 2177), and home routers forget a silent connection
/// earlier.
const IDLE: Duration = Duration::from_secs(9 * 60);

/// Only this much of a mail is fetched. That is enough, because the text comes before the attachments.
const MAIL_BYTES: usize = 256 * 1024;

/// How far the search reaches back. The server compares days of its own time zone.
const SEARCH_BACK: SignedDuration = SignedDuration::from_hours(2 * 24);

/// A mail as it was fetched.
#[derive(Debug)]
pub(super) struct FetchedMail {
    /// When the server received it. The mail itself could claim anything.
    pub(super) received_at: Option<Timestamp>,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct MailboxConnection {
    session: Session<MailWire>,
    /// Changes when the server gives its mails new numbers.
    pub(super) uid_validity: u32,
    /// Whether the server supports IDLE, which announces new mails at once.
    pub(super) tells: bool,
}

impl MailboxConnection {
    /// Connects, signs in, and opens the mailbox.
    pub(super) async fn open(config: &MailboxConfig) -> Result<Self, MailboxTrouble> {
        within(COMMAND, async {
            let client = greeted(config).await?;
            let (user, password) = (&config.user, config.password.expose());
            let session = client.login(user, password).await;
            let mut session = session.map_err(|(e, _)| match e {
                ImapError::No(_) | ImapError::Bad(_) | ImapError::Validate(_) => MailboxTrouble::LoginRefused,
                other => trouble(&other),
            })?;
            session.get_mut().allow(0);
            let tells = session
                .capabilities()
                .await
                .map_err(|e| trouble(&e))?
                .has_str("IDLE");
            let mailbox = session.select(&config.mailbox).await.map_err(|e| match e {
                ImapError::No(_) | ImapError::Validate(_) => MailboxTrouble::NoMailbox,
                other => trouble(&other),
            })?;
            Ok(Self {
                session,
                uid_validity: mailbox.uid_validity.ok_or(MailboxTrouble::Unreadable)?,
                tells,
            })
        })
        .await
    }

    pub(super) async fn close(mut self) {
        let closed = tokio::time::timeout(Duration::from_secs(2), self.session.logout());
        closed.await.ok();
    }

    /// The numbers (UIDs) of the mails from `next` on that are not too old, in order.
    pub(super) async fn new_mails(&mut self, next: u32, now: Timestamp) -> Result<Vec<u32>, MailboxTrouble> {
        let since = now.checked_sub(SEARCH_BACK).unwrap_or(now).strftime("%-d-%b-%Y");
        let query = format!("UID {next}:* SINCE {since}");
        self.session.get_mut().allow(0);
        let found = within(COMMAND, async {
            self.session.uid_search(query).await.map_err(|e| trouble(&e))
        });
        // `n:*` always includes the newest mail, even if its number is smaller.
        let mut found: Vec<u32> = found.await?.into_iter().filter(|uid| *uid >= next).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The beginning of a mail, whose flags stay as they are. `None` if it is gone.
    pub(super) async fn fetch(&mut self, uid: u32) -> Result<Option<FetchedMail>, MailboxTrouble> {
        let items = format!("(UID INTERNALDATE BODY.PEEK[]<0.{MAIL_BYTES}>)");
        self.session.get_mut().allow(MAIL_BYTES);
        let answers = within(COMMAND, async {
            let answers = self.session.uid_fetch(uid.to_string(), items).await;
            let answers: Result<Vec<_>, _> = answers.map_err(|e| trouble(&e))?.try_collect().await;
            answers.map_err(|e| trouble(&e))
        });
        let answers = answers.await?;
        let found = answers
            .iter()
            .find_map(|one| Some((one, one.body().filter(|_| one.uid == Some(uid))?)));
        if found.is_none() {
            // A refusal, and a connection that ends, look like a mail that is gone.
            self.session.get_mut().allow(0);
            let is_there = within(COMMAND, async {
                let found = self.session.uid_search(format!("UID {uid}")).await;
                self.session.noop().await.map_err(|e| trouble(&e))?;
                Ok(found.map_err(|e| trouble(&e))?.contains(&uid))
            });
            if is_there.await? {
                return Err(MailboxTrouble::Refused);
            }
        }
        Ok(found.map(|(one, body)| FetchedMail {
            received_at: one
                .internal_date()
                .and_then(|at| Timestamp::from_second(at.timestamp()).ok()),
            bytes: body.to_vec(),
        }))
    }

    /// Marks a mail as read. A read-only mailbox refuses this, which does not matter.
    pub(super) async fn mark_read(&mut self, uid: u32) -> Result<(), MailboxTrouble> {
        self.session.get_mut().allow(0);
        let marked = within(COMMAND, async {
            let answers = self
                .session
                .uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)")
                .await;
            let answers: Result<Vec<_>, _> = answers.map_err(|e| trouble(&e))?.try_collect().await;
            answers.map(|_| ()).map_err(|e| trouble(&e))
        });
        match marked.await {
            Err(MailboxTrouble::Refused) => Ok(()),
            other => other,
        }
    }

    /// Whether the server has announced a new mail along with its answers. It announces each mail only once.
    pub(super) fn was_told_of_more(&mut self) -> bool {
        let mut is_told = false;
        while let Ok(response) = self.session.unsolicited_responses.try_recv() {
            is_told |= matches!(response, UnsolicitedResponse::Exists(_));
        }
        is_told
    }

    /// Waits until the server announces something, but at most for `most`.
    pub(super) async fn idle(mut self, most: Duration) -> Result<Self, MailboxTrouble> {
        self.session.get_mut().allow(0);
        let Self {
            session,
            uid_validity,
            tells,
        } = self;
        let told = session.unsolicited_responses.clone();
        let mut idle = session.idle();
        within(COMMAND, async { idle.init().await.map_err(|e| trouble(&e)) }).await?;
        // An announcement that came before the server accepted IDLE would not end the wait.
        if told.is_empty() {
            let (news, _interrupt) = idle.wait_with_timeout(IDLE.min(most));
            news.await.map_err(|e| trouble(&e))?;
        }
        let session = within(COMMAND, async { idle.done().await.map_err(|e| trouble(&e)) }).await?;
        Ok(Self {
            session,
            uid_validity,
            tells,
        })
    }
}

/// Connects, with TLS as the settings say, and reads the server's greeting.
async fn greeted(config: &MailboxConfig) -> Result<Client<MailWire>, MailboxTrouble> {
    let wire = MailWire::connect(&config.host, config.port).await?;
    let wire = match config.security {
        MailSecurity::Tls => wire.with_tls(&config.host).await?,
        MailSecurity::StartTls | MailSecurity::Loopback => wire,
    };
    let mut client = Client::new(wire);
    match client.read_response().await {
        Ok(Some(_)) => {}
        Ok(None) => return Err(MailboxTrouble::Lost),
        Err(e) => return Err(of_io(&e)),
    }
    if config.security != MailSecurity::StartTls {
        return Ok(client);
    }
    client.get_mut().allow(0);
    let started = client.run_command_and_check_ok("STARTTLS", None).await;
    started.map_err(|e| match e {
        ImapError::No(_) | ImapError::Bad(_) => MailboxTrouble::NoStartTls,
        other => trouble(&other),
    })?;
    // Whatever was read before the handshake is dropped here, because an attacker may have injected it.
    Ok(Client::new(client.into_inner().with_tls(&config.host).await?))
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, MailboxTrouble>>,
) -> Result<T, MailboxTrouble> {
    tokio::time::timeout(time, work)
        .await
        .unwrap_or(Err(MailboxTrouble::Slow))
}

fn trouble(e: &ImapError) -> MailboxTrouble {
    match e {
        ImapError::No(_) | ImapError::Bad(_) => MailboxTrouble::Refused,
        ImapError::Io(e) => of_io(e),
        ImapError::ConnectionLost => MailboxTrouble::Lost,
        _ => MailboxTrouble::Unreadable,
    }
}

fn of_io(e: &io::Error) -> MailboxTrouble {
    match e.kind() {
        // The parser reports unreadable input with these kinds.
        io::ErrorKind::Other | io::ErrorKind::FileTooLarge => MailboxTrouble::Unreadable,
        _ => MailboxTrouble::Lost,
    }
}
