//! What is too long for a line: made piece by piece on a thread of its own, only as fast as it is taken.

use tokio::sync::mpsc;

use super::api::{AdminRefusal, AdminStream, StreamSummary};
use super::desk::Desk;

/// Pieces that wait to be taken.
const WAITING: usize = 4;

/// What a stream gives.
pub(super) enum Piece {
    /// The next bytes.
    Part(Vec<u8>),
    /// It is over, well or not.
    End(Result<StreamSummary, AdminRefusal>),
}

/// Where pieces go. An error: nobody takes them any more.
pub(super) struct Taker(mpsc::Sender<Piece>);

/// Nobody takes the pieces any more.
pub(super) struct Gone;

impl From<Gone> for AdminRefusal {
    fn from(_: Gone) -> Self {
        Self::Unavailable("nobody listens".into())
    }
}

impl Taker {
    pub(super) fn give(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        self.0.blocking_send(Piece::Part(bytes)).map_err(|_| Gone)
    }
}

impl Desk {
    /// Begins a stream. It ends by itself when the pieces are not taken any more.
    pub(super) fn stream(&self, stream: &AdminStream, uid: Option<u32>) -> mpsc::Receiver<Piece> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (desk, taker, stream) = (self.clone(), Taker(sender), stream.clone());
        tokio::task::spawn_blocking(move || {
            let what = name_of(&stream);
            let end = match stream {
                AdminStream::Backup => desk.backup(&taker),
                AdminStream::Export { account, race, form } => {
                    desk.export(&account, race.as_deref(), form, &taker)
                }
            };
            match &end {
                Ok(streamed) => {
                    tracing::info!(what, peer.uid = uid, records = streamed.records, "admin.streamed");
                }
                Err(e) => tracing::warn!(what, peer.uid = uid, reason = %e, "admin.stream_failed"),
            }
            // Whoever asked may be gone.
            drop(taker.0.blocking_send(Piece::End(end)));
        });
        receiver
    }

    fn backup(&self, taker: &Taker) -> Result<StreamSummary, AdminRefusal> {
        let at = self.clock.now();
        let mut backup = self.rooms.store.backup(at)?;
        for piece in backup.by_ref() {
            taker.give(piece?)?;
        }
        Ok(StreamSummary {
            at,
            records: backup.records(),
        })
    }
}

/// A stream's name in the log.
fn name_of(stream: &AdminStream) -> &'static str {
    match stream {
        AdminStream::Backup => "backup",
        AdminStream::Export { .. } => "export",
    }
}
