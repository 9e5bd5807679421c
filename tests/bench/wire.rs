//! HTTP/1.1 over a raw socket, to keep the load generator's own cost minimal.

use anyhow::{Context, Result, bail, ensure};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const MODERN: &str = "2026-07-28";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A keep-alive connection that sends one request at a time.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// A complete answer, borrowed from the connection's buffer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// The session that `initialize` opened, if the server has sessions.
    pub(crate) session: Option<String>,
    /// The body, still in its transfer coding, if any.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Connects to a port on this machine.
    pub(crate) async fn open(port: u16) -> Result<Self> {
        Ok(Self::over(connect(port).await?))
    }

    /// Connects to a port on this machine, with TLS as `localhost`.
    pub(crate) async fn open_tls(port: u16, tls: &TlsConnector) -> Result<Self> {
        let name = ServerName::try_from("localhost")?;
        Ok(Self::over(tls.connect(name, connect(port).await?).await?))
    }

    fn over(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: Vec::with_capacity(256 * 1024),
        }
    }

    /// Sends a request and reads the complete answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let Head {
            status,
            length,
            session,
        } = read_head(self.buffer.get(..head).unwrap_or_default())?;
        let end = match length {
            Length::Known(body) => {
                while self.buffer.len() < head + body {
                    self.more().await?;
                }
                head + body
            }
            Length::Chunked => loop {
                if let Some(end) = end_of_chunks(&self.buffer, head) {
                    break end;
                }
                self.more().await?;
            },
        };
        let body = self
            .buffer
            .get(head..end)
            .context("a body shorter than it said")?;
        Ok(Answer {
            status,
            session,
            body,
        })
    }

    async fn more(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the connection was closed in the middle of an answer");
        Ok(())
    }
}

async fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An MCP request of the older protocol for a built-in worker.
pub(crate) fn legacy_request(bearer: &str, method: &str, params: &Value, session: Option<&str>) -> Vec<u8> {
    let session = session.map_or_else(String::new, |id| format!("Mcp-Session-Id: {id}\r\n"));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let bearer = format!("Authorization: Bearer {bearer}\r\n");
    post(
        &format!("MCP-Protocol-Version: 2025-11-25\r\n{bearer}{session}"),
        &body,
    )
}

/// An MCP request of the current protocol, as sent over the wire.
pub(crate) fn mcp_request(token: &str, method: &str, params: &Value) -> Vec<u8> {
    let mut params = params.clone();
    let name = params["name"]
        .as_str()
        .map_or_else(String::new, |name| format!("Mcp-Name: {name}\r\n"));
    // `initialize` belongs to the older protocol: it has no metadata and no headers of its own.
    let headers = if method == "initialize" {
        String::new()
    } else {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        format!("MCP-Protocol-Version: {MODERN}\r\nMcp-Method: {method}\r\n{name}")
    };
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    post(&format!("Authorization: Bearer {token}\r\n{headers}"), &body)
}

/// The request as a client sends it to a public URL with this port.
pub(crate) fn with_port(request: Vec<u8>, port: u16) -> Result<Vec<u8>> {
    let text = String::from_utf8(request)?;
    let host = format!("Host: localhost:{port}\r\n");
    Ok(text.replacen("Host: localhost\r\n", &host, 1).into_bytes())
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

struct Head {
    status: u16,
    length: Length,
    session: Option<String>,
}

enum Length {
    Known(usize),
    Chunked,
}

fn read_head(head: &[u8]) -> Result<Head> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status line")?
        .parse()?;
    let (mut length, mut session) = (Length::Known(0), None);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = Length::Known(value.trim().parse()?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.trim().eq_ignore_ascii_case("chunked") {
                bail!("transfer coding {value}");
            }
            length = Length::Chunked;
        } else if name.eq_ignore_ascii_case("mcp-session-id") {
            session = Some(value.trim().to_owned());
        }
    }
    Ok(Head {
        status,
        length,
        session,
    })
}

/// The end of the chunked body that starts at `at`, or `None` if it is not complete yet.
fn end_of_chunks(buffer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = buffer.get(at..)?;
        let line = find(rest, b"\r\n")?;
        let digits = std::str::from_utf8(rest.get(..line)?).ok()?;
        let size = usize::from_str_radix(digits.split(';').next()?.trim(), 16).ok()?;
        at += line + 2 + size + 2;
        if size == 0 {
            return (at <= buffer.len()).then_some(at);
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
