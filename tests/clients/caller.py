"""A minimal MCP client for plays that need no SDK: signs in, keeps its tokens, speaks both protocol eras."""

import base64
import hashlib
import http.client
import json
import secrets
import time
from urllib.parse import parse_qs, urlencode, urlsplit

from sign_in import Person, sign_in

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


class Refused(RuntimeError):
    """An unexpected HTTP status; see `status` and `body`."""

    def __init__(self, what: str, status: int, body: str):
        super().__init__(f"{what}: {status} {body[:300]}")
        self.status, self.body = status, body


class Caller:
    """One client of one gateway. Not thread-safe."""

    def __init__(self, url: str, client_name: str = "caller", redirect_uri: str = "http://127.0.0.1:3939/callback"):
        self.url, self.client_name, self.redirect_uri = url, client_name, redirect_uri
        at = urlsplit(url)
        self.host, self.port, self.is_https = at.hostname, at.port, at.scheme == "https"
        self.client_id = self.access_token = self.refresh_token = None
        # The capabilities that the client names in each modern request.
        self.capabilities: dict = {}
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
        """One request over the kept connection. OSError and HTTPException mean that no complete response arrived."""
        if self._connection is None:
            kind = http.client.HTTPSConnection if self.is_https else http.client.HTTPConnection
            self._connection = kind(self.host, self.port, timeout=60)
        try:
            self._connection.request(method, path, body, headers)
            reply = self._connection.getresponse()
            return reply.status, reply.read().decode()
        except (OSError, http.client.HTTPException):
            self.disconnect()
            raise

    def disconnect(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _form(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        return self.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    # OAuth.

    def register(self) -> str:
        metadata = {"client_name": self.client_name, "redirect_uris": [self.redirect_uri]}
        status, body = self.request("POST", "/register", json.dumps(metadata), {"Content-Type": "application/json"})
        if status != 201:
            raise Refused("register", status, body)
        self.client_id = json.loads(body)["client_id"]
        return self.client_id

    def authorize_url(self, verifier: str, state: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "state": state,
            "code_challenge": challenge, "code_challenge_method": "S256", "resource": f"{self.url}/mcp",
        }
        return f"{self.url}/authorize?{urlencode(query)}"

    def connect(self, person: Person, access: str = "read_and_change") -> "Caller":
        """Registers if necessary, signs the person in and redeems the code."""
        if self.client_id is None:
            self.register()
        # A server may close a kept connection while the person reads its pages.
        self.disconnect()
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
        target = sign_in(self.authorize_url(verifier, state), person, access, self.client_name)
        answer = {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
        if answer.get("state") != state or answer.get("iss") != self.url or "code" not in answer:
            raise Refused("authorize", 302, target)
        self._redeem({
            "grant_type": "authorization_code", "code": answer["code"], "redirect_uri": self.redirect_uri,
            "client_id": self.client_id, "code_verifier": verifier, "resource": f"{self.url}/mcp",
        })
        return self

    def refresh(self):
        self._redeem({"grant_type": "refresh_token", "refresh_token": self.refresh_token, "client_id": self.client_id})

    def _redeem(self, form: dict[str, str]):
        status, body = self._form("/token", form)
        if status != 200:
            raise Refused(form["grant_type"], status, body)
        granted = json.loads(body)
        self.access_token, self.refresh_token = granted["access_token"], granted["refresh_token"]

    def revoke(self):
        status, body = self._form("/revoke", {"token": self.refresh_token, "client_id": self.client_id})
        if status != 200:
            raise Refused("revoke", status, body)

    # MCP.

    def rpc(self, method: str, params: dict | None = None, era: str = MODERN) -> dict:
        """The result of one request; Refused for an HTTP or JSON-RPC error."""
        status, body = self.request("POST", "/mcp", *self._message(method, params, era))
        if status != 200:
            raise Refused(method, status, body)
        answer = json.loads(body) if body.startswith("{") else last_message(body)
        if "error" in answer:
            raise Refused(method, status, json.dumps(answer["error"]))
        return answer["result"]

    def rpc_and_hang_up(self, method: str, params: dict, after_s: float, era: str = MODERN):
        """Sends a request over a separate connection, and closes that before the answer is read."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        body, headers = self._message(method, params, era)
        connection.request("POST", "/mcp", body, headers)
        time.sleep(after_s)
        connection.close()

    def _message(self, method: str, params: dict | None, era: str) -> tuple[str, dict[str, str]]:
        """The body and the headers of one request."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self.access_token}",
            "MCP-Protocol-Version": era,
        }
        params = dict(params or {})
        if era == MODERN:
            headers["Mcp-Method"] = method
            if "name" in params or "uri" in params:
                headers["Mcp-Name"] = params.get("name") or params["uri"]
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": era,
                "io.modelcontextprotocol/clientInfo": {"name": self.client_name, "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            }
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.dumps(request), headers

    def call(self, tool: str, arguments: dict | None = None, era: str = MODERN) -> str:
        """The text of a tool's answer."""
        result = self.rpc("tools/call", {"name": tool, "arguments": arguments or {}}, era)
        text = result["content"][0]["text"]
        if result.get("isError"):
            raise Refused(tool, 200, text)
        return text


def last_message(stream: str) -> dict:
    """The last message of an event stream: the answer, after all notifications."""
    data = [line[5:].strip() for line in stream.splitlines() if line.startswith("data:")]
    return json.loads([d for d in data if d][-1])
