//! Streams: content too long for one line, produced on a separate thread and only as fast as the client reads.

use tokio::sync::mpsc;

use super::api::{AdminRefusal, AdminStream, ExportForm, StreamSummary};
use super::service::AdminService;
use crate::accounts::AccountId;

/// Pieces in flight before the producer waits.
const QUEUE: usize = 4;

/// A part of a stream.
pub enum StreamPiece {
    Part(Vec<u8>),
    /// The last piece of a stream.
    End(Result<StreamSummary, AdminRefusal>),
}

/// The producer's end of a stream.
pub(super) struct StreamSink(mpsc::Sender<StreamPiece>);

impl StreamSink {
    /// Sends the next piece. Errors: the client is gone.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), AdminRefusal> {
        self.0
            .blocking_send(StreamPiece::Part(bytes))
            .map_err(|_| AdminRefusal::Unavailable("the client is gone".into()))
    }
}

impl AdminService {
    /// Starts a stream. It stops automatically when the receiver is dropped.
    pub(super) fn stream(&self, stream: &AdminStream, uid: Option<u32>) -> mpsc::Receiver<StreamPiece> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (service, sink, stream) = (self.clone(), StreamSink(sender), stream.clone());
        tokio::task::spawn_blocking(move || {
            let (what, end) = match &stream {
                AdminStream::Backup => ("backup", service.backup(&sink)),
                AdminStream::Export { account, race, form } => {
                    let race = race.as_deref();
                    ("export", service.export(account, race, *form, &sink))
                }
            };
            match &end {
                Ok(summary) => {
                    tracing::info!(what, peer.uid = uid, records = summary.records, "admin.streamed");
                }
                Err(e) => tracing::warn!(what, peer.uid = uid, reason = %e, "admin.stream_failed"),
            }
            // The client may be gone.
            drop(sink.0.blocking_send(StreamPiece::End(end)));
        });
        receiver
    }

    /// Starts the export of everything that is stored about a person, for that person.
    pub fn personal_export(&self, account: &AccountId) -> mpsc::Receiver<StreamPiece> {
        let wanted = AdminStream::Export {
            account: account.to_string(),
            race: None,
            form: ExportForm::Json,
        };
        self.stream(&wanted, None)
    }

    fn backup(&self, sink: &StreamSink) -> Result<StreamSummary, AdminRefusal> {
        let at = self.clock.now();
        let mut backup = self.rooms.store.backup(at)?;
        for piece in backup.by_ref() {
            sink.send(piece?)?;
        }
        Ok(StreamSummary {
            at,
            records: backup.records(),
        })
    }
}
