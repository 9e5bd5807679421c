//! The bytes between the gateway and the mail server: TCP, TLS, and an upper bound for the size of an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::health::MailboxTrouble;

/// Upper bound for one answer in bytes, without the mail that was asked for. The answer to a search over two days is
/// far smaller.
const ANSWER_BYTES: usize = 512 * 1024;

/// A connection, with or without TLS.
trait Duplex: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Unpin> Duplex for T {}

/// A connection from which only a certain number of bytes can be read, until more are allowed. Without it, the parser
/// would buffer everything that a server sends.
#[derive(Debug)]
pub(super) struct MailWire {
    inner: Box<dyn Duplex>,
    left: usize,
}

impl MailWire {
    pub(super) async fn connect(host: &str, port: u16) -> Result<Self, MailboxTrouble> {
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|_| MailboxTrouble::Unreachable)?;
        Ok(Self::over(stream))
    }

    fn over(inner: impl Duplex + 'static) -> Self {
        Self {
            inner: Box::new(inner),
            left: ANSWER_BYTES,
        }
    }

    /// Starts TLS on the connection. The certificate is checked against the system's authorities.
    pub(super) async fn with_tls(self, host: &str) -> Result<Self, MailboxTrouble> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|_| MailboxTrouble::BadCertificate)?
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| MailboxTrouble::BadCertificate)?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, self.inner)
            .await
            .map_err(|e| of_handshake(&e))?;
        Ok(Self::over(stream))
    }

    /// Allows the answer to the next command, with up to this many bytes of a mail.
    pub(super) fn allow(&mut self, mail_bytes: usize) {
        self.left = ANSWER_BYTES + mail_bytes;
    }
}

fn of_handshake(e: &io::Error) -> MailboxTrouble {
    let inner = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => MailboxTrouble::BadCertificate,
        Some(_) => MailboxTrouble::Unreadable,
        None => MailboxTrouble::Lost,
    }
}

impl AsyncRead for MailWire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MailWire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn an_endless_answer_ends() {
        let mut wire = MailWire::over(tokio::io::join(tokio::io::repeat(b'x'), tokio::io::sink()));
        let mut read = Vec::new();
        let ended = wire.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::FileTooLarge);
        assert!(read.len() < 2 * ANSWER_BYTES);
        wire.allow(0);
        assert_eq!(wire.read_u8().await.unwrap(), b'x');
    }
}
