//! The client's end of the socket, for the console and the CLI.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use super::api::{
    AdminAnswer, AdminCall, AdminLine, AdminRefusal, AdminRequest, AdminStream, Hello, LineError, PROTOCOL,
    StreamSummary, read_line, write_line,
};

/// A healthy daemon answers immediately, so this is generous.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why communication with the daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("no garmin-gateway answers at {path}; start it, or point RUNTIME_DIR to where it runs", path = .0.display())]
    NotRunning(PathBuf),
    #[error("this user may not open {path}; join its group, or use sudo", path = .0.display())]
    NotAllowed(PathBuf),
    #[error(
        "the running gateway has version {theirs}; use the same version of this program, or restart the gateway"
    )]
    OtherVersion {
        /// The version of the daemon's program.
        theirs: String,
    },
    #[error("the gateway does not answer")]
    Broken(#[from] LineError),
    #[error("the gateway does not answer")]
    Silent,
    #[error(transparent)]
    Refused(#[from] AdminRefusal),
}

/// A connection to the daemon.
pub struct AdminClient {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    buffer: Vec<u8>,
    hello: Hello,
    last_id: u64,
}

impl AdminClient {
    /// Connects to the socket at `path` and reads its [`Hello`].
    pub async fn connect(path: &Path) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(path).await.map_err(|e| match e.kind() {
            std::io::ErrorKind::PermissionDenied => ClientError::NotAllowed(path.to_owned()),
            _ => ClientError::NotRunning(path.to_owned()),
        })?;
        let (read, write) = stream.into_split();
        let (mut read, mut buffer) = (BufReader::new(read), Vec::new());
        let hello: Hello = timeout(ANSWER_TIMEOUT, read_line(&mut read, &mut buffer))
            .await
            .map_err(|_| ClientError::Silent)??;
        if hello.protocol != PROTOCOL {
            return Err(ClientError::OtherVersion {
                theirs: hello.program,
            });
        }
        Ok(Self {
            read,
            write,
            buffer,
            hello,
            last_id: 0,
        })
    }

    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Sends a request. Its answer will carry the returned id.
    pub async fn send(&mut self, request: AdminRequest) -> Result<u64, ClientError> {
        self.last_id += 1;
        write_line(
            &mut self.write,
            &AdminCall {
                id: self.last_id,
                request,
            },
        )
        .await?;
        Ok(self.last_id)
    }

    /// The next line from the daemon. Cancel-safe.
    pub async fn next(&mut self) -> Result<AdminLine, ClientError> {
        Ok(read_line(&mut self.read, &mut self.buffer).await?)
    }

    /// Sends a request and waits for its answer. Discards updates in between.
    pub async fn ask(&mut self, request: AdminRequest) -> Result<AdminAnswer, ClientError> {
        self.ask_within(request, ANSWER_TIMEOUT).await
    }

    /// Like [`AdminClient::ask`], with a longer time limit for slow requests.
    pub async fn ask_within(
        &mut self,
        request: AdminRequest,
        limit: Duration,
    ) -> Result<AdminAnswer, ClientError> {
        let sent = self.send(request).await?;
        loop {
            match timeout(limit, self.next())
                .await
                .map_err(|_| ClientError::Silent)??
            {
                AdminLine::Answer { id, answer } if id == sent => return Ok(answer),
                AdminLine::Refused { id, refusal } if id == sent => return Err(refusal.into()),
                AdminLine::Answer { .. }
                | AdminLine::Refused { .. }
                | AdminLine::Part { .. }
                | AdminLine::Update { .. } => {}
            }
        }
    }

    /// Requests a stream and passes each part to `take`.
    pub async fn stream<E: From<ClientError>>(
        &mut self,
        stream: AdminStream,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<StreamSummary, E> {
        let sent = self.send(AdminRequest::Stream(stream)).await?;
        loop {
            let line = timeout(ANSWER_TIMEOUT, self.next()).await;
            match line.map_err(|_| ClientError::Silent)?? {
                AdminLine::Part { id, part } if id == sent => {
                    let bytes = STANDARD.decode(part);
                    take(&bytes.map_err(|e| ClientError::Broken(LineError::Shape(e.to_string())))?)?;
                }
                AdminLine::Answer {
                    id,
                    answer: AdminAnswer::Streamed(streamed),
                } if id == sent => return Ok(streamed),
                AdminLine::Refused { id, refusal } if id == sent => {
                    return Err(ClientError::Refused(refusal).into());
                }
                AdminLine::Answer { .. }
                | AdminLine::Refused { .. }
                | AdminLine::Part { .. }
                | AdminLine::Update { .. } => {}
            }
        }
    }
}
