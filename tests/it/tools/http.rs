//! The worker over HTTP, how it ends with its gateway, and the end of a sign-in.

use super::*;

/// A worker that serves HTTP, started the way the gateway starts it.
struct Listening {
    child: Child,
    life_line: Option<ChildStdin>,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Listening {
    async fn start(house: &House) -> Self {
        let port = ports(1);
        let variables = [
            ("GARMIN_MCP_TRANSPORT", "streamable-http"),
            ("GARMIN_MCP_PORT", &port.to_string()),
        ];
        let mut child = house.command(&variables).spawn().unwrap();
        let life_line = child.stdin.take();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let worker = Self {
            child,
            life_line,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            http,
        };
        let ready = async {
            while worker.http.get(worker.url("/healthz")).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, ready).await.expect("the worker listens");
        worker
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(&self, message: &Value, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self
            .http
            .post(self.url("/mcp"))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(message.to_string()).send().await.unwrap()
    }

    async fn ends(&mut self) -> std::process::ExitStatus {
        timeout(LONG, self.child.wait())
            .await
            .expect("the worker ends")
            .unwrap()
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

#[tokio::test]
async fn http_is_spoken_as_fastmcp_speaks_it() {
    let house = House::build().await;
    let worker = Listening::start(&house).await;
    let health = worker.http.get(worker.url("/healthz")).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");

    let hello = request(
        "initialize",
        &json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
    );
    let opened = worker
        .post(&hello, &[("accept", "application/json, text/event-stream")])
        .await;
    assert_eq!(opened.headers()["content-type"], "application/json");
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        worker
            .post(&noted, &[("mcp-session-id", &session)])
            .await
            .status(),
        202
    );
    let call = request("tools/call", &json!({"name": "get_full_name", "arguments": {}}));
    for headers in [
        &[("mcp-session-id", session.as_str())][..],
        &[],
        &[("accept", "*/*"), ("mcp-session-id", "lost")],
    ] {
        let answer: Value =
            serde_json::from_str(&worker.post(&call, headers).await.text().await.unwrap()).unwrap();
        assert_eq!(
            told(&answer["result"]),
            ("{\"full_name\":\"Ann Example\"}".to_owned(), false)
        );
    }
    assert_eq!(
        worker.post(&call, &[("host", "evil.example")]).await.status(),
        421
    );
    assert_eq!(
        worker
            .post(&call, &[("origin", "https://evil.example")])
            .await
            .status(),
        403
    );
    assert_eq!(worker.post(&json!([]), &[]).await.status(), 400);
    assert_eq!(
        worker.http.get(worker.url("/mcp")).send().await.unwrap().status(),
        405
    );
    assert_eq!(
        worker
            .http
            .delete(worker.url("/mcp"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20));
    let refused = worker.http.post(worker.url("/mcp")).body(large).send().await;
    assert!(refused.is_err() || refused.unwrap().status() == 413);
}

#[tokio::test]
async fn a_worker_ends_with_its_gateway() {
    let house = House::build().await;
    let mut worker = Listening::start(&house).await;
    drop(worker.life_line.take());
    assert!(worker.ends().await.success());

    let mut worker = Listening::start(&house).await;
    let id = i32::try_from(worker.child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(worker.ends().await.success());

    let mut by_lines = house.worker(&[]);
    drop(by_lines.input);
    assert!(
        timeout(LONG, by_lines.child.wait())
            .await
            .unwrap()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn the_end_of_a_sign_in_is_told_to_the_person_and_to_the_gateway() {
    let house = House::build().await;
    let worker = Listening::start(&house).await;
    let call = request("tools/call", &json!({"name": "get_full_name"}));
    let told_now = async || -> (String, bool) {
        let text = worker.post(&call, &[]).await.text().await.unwrap();
        told(&serde_json::from_str::<Value>(&text).unwrap()["result"])
    };
    house.simulator.revoke(ANN.0);
    let (text, failed) = told_now().await;
    assert!(
        failed && text.contains("sign in again") && text.contains("/link"),
        "{text}"
    );
    assert!(house.mark().is_file());
}
