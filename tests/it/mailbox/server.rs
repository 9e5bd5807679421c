//! A stand-in for an IMAP server: one mailbox, in the few commands that the gateway uses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use garmin_gateway::base::lifecycle::Lifecycle;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) const PASSWORD: &str = "an app \"password\"";

/// The text of a mail that makes the server close the connection when it is fetched.
pub(crate) const BROKEN: &str = "broken";

/// The server. Clones share everything.
#[derive(Clone)]
pub(crate) struct ImapServer {
    port: u16,
    state: Arc<Mutex<MailboxContent>>,
    /// Changes with every delivery, and when connections are to end.
    changed: watch::Sender<u64>,
}

struct MailboxContent {
    uid_validity: u32,
    next: u32,
    mails: BTreeMap<u32, StoredMail>,
    idles: bool,
    /// Connections that began before this number are cut.
    cut_before: u64,
    connections: u64,
    /// The commands without their tags and without the password.
    commands: Vec<String>,
}

struct StoredMail {
    text: String,
    received_at: Timestamp,
    is_read: bool,
}

impl ImapServer {
    pub(crate) async fn start(lifecycle: &Lifecycle, idles: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new(Mutex::new(MailboxContent {
                uid_validity: 7,
                next: 1,
                mails: BTreeMap::new(),
                idles,
                cut_before: 0,
                connections: 0,
                commands: Vec::new(),
            })),
            changed: watch::Sender::new(0),
        };
        let (accepting, stopping, tasks) = (server.clone(), lifecycle.stopping(), lifecycle.clone());
        lifecycle.spawn("imap", async move {
            loop {
                let stream = tokio::select! {
                    () = stopping.cancelled() => return,
                    accepted = listener.accept() => accepted.unwrap().0,
                };
                let (server, stopping) = (accepting.clone(), stopping.clone());
                tasks.spawn("imap connection", async move {
                    tokio::select! {
                        () = stopping.cancelled() => {}
                        _ = server.serve(stream) => {}
                    }
                });
            }
        });
        server
    }

    /// The settings of a gateway that watches this mailbox.
    pub(crate) fn settings(&self) -> [(&'static str, &'static str); 2] {
        let url = format!("imap://races%40example.net@127.0.0.1:{}/Races%202026", self.port);
        [("IMAP_URL", url.leak()), ("IMAP_PASSWORD", PASSWORD)]
    }

    /// Delivers a mail. Returns its number.
    pub(crate) fn deliver(&self, text: &str, received_at: Timestamp) -> u32 {
        let mut state = self.state.lock().unwrap();
        let uid = state.next;
        state.next += 1;
        let mail = StoredMail {
            text: text.replace('\n', "\r\n"),
            received_at,
            is_read: false,
        };
        state.mails.insert(uid, mail);
        drop(state);
        self.changed.send_modify(|n| *n += 1);
        uid
    }

    pub(crate) fn is_read(&self, uid: u32) -> bool {
        self.state.lock().unwrap().mails[&uid].is_read
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut_before = state.connections + 1;
        drop(state);
        self.changed.send_modify(|n| *n += 1);
    }

    /// Gives all mails new numbers, as a server does after it was restored from a backup.
    pub(crate) fn renumber(&self) {
        let mut state = self.state.lock().unwrap();
        state.uid_validity += 1;
        let mails = std::mem::take(&mut state.mails);
        state.next = 1;
        for mail in mails.into_values() {
            let uid = state.next;
            state.next += 1;
            state.mails.insert(uid, mail);
        }
        drop(state);
        self.cut();
    }

    pub(crate) fn connections(&self) -> u64 {
        self.state.lock().unwrap().connections
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    /// How often this command was given.
    pub(crate) fn count(&self, command: &str) -> usize {
        let commands = self.commands();
        commands.iter().filter(|one| one.starts_with(command)).count()
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut changes = self.changed.subscribe();
        let number = {
            let mut state = self.state.lock().unwrap();
            state.connections += 1;
            state.connections
        };
        let is_cut = || number < self.state.lock().unwrap().cut_before;
        let mut seen = 0;
        writer.write_all(b"* OK ready\r\n").await?;
        loop {
            let line = tokio::select! {
                line = lines.next_line() => line?,
                _ = changes.changed() => {
                    if is_cut() {
                        return Ok(());
                    }
                    continue;
                }
            };
            let Some(line) = line else { return Ok(()) };
            let (tag, command) = line.split_once(' ').unwrap();
            self.note(command);
            if command == "IDLE" {
                writer.write_all(b"+ idling\r\n").await?;
                loop {
                    let newest = self.state.lock().unwrap().next;
                    if newest != seen {
                        seen = newest;
                        let exists = self.state.lock().unwrap().mails.len();
                        writer
                            .write_all(format!("* {exists} EXISTS\r\n").as_bytes())
                            .await?;
                    }
                    tokio::select! {
                        line = lines.next_line() => {
                            let Some(line) = line? else { return Ok(()) };
                            assert_eq!(line, "DONE");
                            break;
                        }
                        _ = changes.changed() => {
                            if is_cut() {
                                return Ok(());
                            }
                        }
                    }
                }
                writer.write_all(format!("{tag} OK\r\n").as_bytes()).await?;
                continue;
            }
            if command.starts_with("UID SEARCH") {
                seen = self.state.lock().unwrap().next;
            }
            if self.is_broken(command) {
                return Ok(());
            }
            let (data, end) = self.answer(command);
            writer.write_all(&data).await?;
            writer.write_all(format!("{tag} {end}\r\n").as_bytes()).await?;
        }
    }

    /// Whether the command fetches a mail with the text [`BROKEN`].
    fn is_broken(&self, command: &str) -> bool {
        let state = self.state.lock().unwrap();
        let uid = command
            .strip_prefix("UID FETCH ")
            .and_then(|rest| rest.split(' ').next());
        let uid: Option<u32> = uid.and_then(|uid| uid.parse().ok());
        uid.and_then(|uid| state.mails.get(&uid))
            .is_some_and(|mail| mail.text == BROKEN)
    }

    fn note(&self, command: &str) {
        let shown = command.split(PASSWORD).next().unwrap().to_owned();
        let shown = if command.starts_with("LOGIN") {
            "LOGIN".to_owned()
        } else {
            shown
        };
        self.state.lock().unwrap().commands.push(shown);
    }

    /// The data and the end of the answer to a command.
    fn answer(&self, command: &str) -> (Vec<u8>, &'static str) {
        let mut state = self.state.lock().unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        let number = |text: &str| text.split(':').next().unwrap().parse::<u32>().unwrap();
        let data = match words.as_slice() {
            ["LOGIN", ..] => {
                let quoted = PASSWORD.replace('"', "\\\"");
                let wanted = format!("LOGIN \"races@example.net\" \"{quoted}\"");
                let is_right = command == wanted;
                return (
                    Vec::new(),
                    if is_right {
                        "OK"
                    } else {
                        "NO [AUTHENTICATIONFAILED]"
                    },
                );
            }
            ["CAPABILITY"] => {
                let idle = if state.idles { " IDLE" } else { "" };
                format!("* CAPABILITY IMAP4rev1{idle}\r\n")
            }
            ["SELECT", ..] => {
                if command != "SELECT \"Races 2026\"" {
                    return (Vec::new(), "NO no such mailbox");
                }
                format!(
                    "* {} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n* OK [UIDVALIDITY {}] x\r\n* OK [UIDNEXT {}] x\r\n",
                    state.mails.len(),
                    state.uid_validity,
                    state.next
                )
            }
            ["UID", "SEARCH", "UID", from, "SINCE", _] => {
                let from = number(from);
                let last = state.mails.keys().last().copied();
                let found = state
                    .mails
                    .keys()
                    .filter(|uid| **uid >= from || Some(**uid) == last);
                let found: Vec<String> = std::iter::once("* SEARCH".to_owned())
                    .chain(found.map(u32::to_string))
                    .collect();
                format!("{}\r\n", found.join(" "))
            }
            ["UID", "FETCH", uid, ..] => {
                assert!(command.contains("BODY.PEEK[]<0."), "{command}");
                let uid = number(uid);
                match state.mails.get(&uid) {
                    Some(mail) => format!(
                        "* 1 FETCH (UID {uid} INTERNALDATE \"{}\" BODY[]<0> {{{}}}\r\n{})\r\n",
                        mail.received_at.strftime("%d-%b-%Y %H:%M:%S +0000"),
                        mail.text.len(),
                        mail.text
                    ),
                    None => String::new(),
                }
            }
            ["UID", "STORE", uid, "+FLAGS.SILENT", "(\\Seen)"] => {
                if let Some(mail) = state.mails.get_mut(&number(uid)) {
                    mail.is_read = true;
                }
                String::new()
            }
            ["UID", "SEARCH", "UID", uid] => {
                let is_there = state.mails.contains_key(&number(uid));
                format!(
                    "* SEARCH{}\r\n",
                    if is_there {
                        format!(" {uid}")
                    } else {
                        String::new()
                    }
                )
            }
            ["NOOP"] => String::new(),
            ["LOGOUT"] => "* BYE\r\n".to_owned(),
            _ => return (Vec::new(), "BAD unknown"),
        };
        (data.into_bytes(), "OK")
    }
}
