//! The fastest possible MCP server behind the gateway: it parses the envelope and sends prepared bytes.
//!
//! Runs as a child process: `gateway --upstream` listens on `GARMIN_MCP_HOST:GARMIN_MCP_PORT`, as a worker does.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

/// The name of the server's only tool.
pub(crate) const TOOL: &str = "get_full_name";

/// About a thousand bytes, like a daily summary.
const TEXT: &str = include_str!("answer.txt");

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
}

/// Serves until the process is killed.
pub(crate) async fn run(host: &str, port: u16) -> Result<()> {
    let listener = TcpListener::bind((host, port)).await?;
    let result =
        serde_json::json!({"content": [{"type": "text", "text": TEXT}], "isError": false}).to_string();
    let result: &'static str = result.leak();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(request, result));
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if served.await.is_err() {
                // The peer closed the connection: the bench is over.
            }
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    called: &'static str,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        let known = parts.uri.path() == "/healthz" || parts.method == Method::DELETE;
        return Ok(empty(if known {
            StatusCode::OK
        } else {
            StatusCode::METHOD_NOT_ALLOWED
        }));
    }
    let Ok(body) = body.collect().await else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    let body = body.to_bytes();
    let Ok(call) = serde_json::from_slice::<Call<'_>>(&body) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    let Some(id) = call.id else {
        return Ok(empty(StatusCode::ACCEPTED));
    };
    let result = match call.method {
        "tools/call" => called,
        "initialize" => INITIALIZED,
        "tools/list" => TOOLS,
        "resources/list" => r#"{"resources":[]}"#,
        "resources/templates/list" => r#"{"resourceTemplates":[]}"#,
        "prompts/list" => r#"{"prompts":[]}"#,
        _ => "{}",
    };
    let json = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.get());
    let mut response = Response::new(Full::new(Bytes::from(json)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if call.method == "initialize" {
        headers.insert("mcp-session-id", header::HeaderValue::from_static("bench"));
    }
    Ok(response)
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

const INITIALIZED: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#;

const TOOLS: &str = r#"{"tools":[{"name":"get_full_name","description":"A thousand bytes.","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}"#;
