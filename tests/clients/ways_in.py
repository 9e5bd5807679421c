"""Reverse proxies configured from the files in `packaging/`, with TLS and real clients.

Each file is used as a person would use it: only the host name, the certificate and the ports are changed.
"""

import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from caller import Caller
from claude_code import ClaudeCode
from stage import Stage, free_port, wait_for
from story import TheBrowser

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
HOST = "garmin.example.org"


def written_into(text: str, *changes: tuple[str, str]) -> str:
    """The file with its placeholder values replaced. Each placeholder must exist."""
    for old, new in changes:
        assert old in text, f"the file no longer holds {old!r}"
        text = text.replace(old, new)
    return text


class Front:
    """A reverse proxy with a certificate for `localhost`."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="front-"))
        self.port, self.behind = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate, self.key = self.directory / "certificate.pem", self.directory / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True,
        )
        self.process: subprocess.Popen | None = None

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.directory)},
            )

        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended:\n{(self.directory / 'log').read_text()}")
            try:
                caller = Caller(self.url)
                return caller.request("GET", "/healthz", None, {})[0] == 200
            except (OSError, ssl.SSLError):
                return False

        wait_for("the proxy answers", answers)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


class Nginx(Front):
    def command(self) -> list[str]:
        at = self.directory
        server = written_into(
            (PACKAGING / "nginx.conf").read_text(),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("    listen [::]:443 ssl;\n", ""),
            (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(self.certificate)),
            (f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(self.key)),
            (f"server_name {HOST}", "server_name localhost"),
            ("http://127.0.0.1:8080", f"http://127.0.0.1:{self.behind}"),
        )
        (at / "server.conf").write_text(server)
        temporary = "".join(f"{kind}_temp_path {at}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (at / "nginx.conf").write_text(
            f"daemon off; pid {at}/pid; error_log stderr; user root;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}include {at}/server.conf;\n}}\n"
        )
        return ["nginx", "-p", str(at), "-c", str(at / "nginx.conf")]


class Caddy(Front):
    def command(self) -> list[str]:
        own = written_into(
            (PACKAGING / "Caddyfile").read_text(),
            (f"{HOST} {{\n", f"{self.url} {{\n\ttls {self.certificate} {self.key}\n"),
            ("127.0.0.1:8080", f"127.0.0.1:{self.behind}"),
        )
        # The test must not open the admin port and port 80.
        file = self.directory / "Caddyfile"
        file.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + own)
        return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


def documents_name(caller: Caller, url: str) -> int:
    """Checks that the first documents that Claude reads name the address they were fetched from."""
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"):
        status, body = caller.request("GET", path, None, {})
        assert status == 200 and url in body and "http://" not in body, f"{path}: {status} {body[:300]}"
    status, _ = caller.request("POST", "/mcp", "{}", {"Content-Type": "application/json"})
    assert status == 401, f"without a token: {status}"
    return 3


def ways_in(binary: Path, make: type[Front], settings: dict[str, str]) -> int:
    front = make()
    # Python clients read this variable when they create a TLS context. Claude Code has its own variable.
    os.environ["SSL_CERT_FILE"] = str(front.certificate)
    own = {**settings, "PORT": str(front.behind), "PUBLIC_URL": front.url, "TRUSTED_PROXIES": "127.0.0.1"}
    with Stage(binary, own, port=front.behind) as stage:
        front.start()
        try:
            person = stage.people[0]
            caller = Caller(front.url)
            checks = documents_name(caller, front.url)
            caller.connect(person)
            assert person.full_name in caller.call("get_full_name"), "somebody else's name"
            caller.refresh()
            caller.rpc("tools/list")
            # The proxy must pass on a large request, and the gateway's refusal, unchanged.
            status, body = caller.request("POST", "/mcp", "x" * (1_100_000), {
                "Content-Type": "application/json", "Authorization": f"Bearer {caller.access_token}",
            })
            assert status == 413 and body.startswith("{"), f"too large: {status} {body[:200]}"
            checks += 4 + claude_code_through(stage, front, person)
        finally:
            front.stop()
    return checks


def claude_code_through(stage: Stage, front: Front, person) -> int:
    browser = TheBrowser(person)
    stage.mcp = f"{front.url}/mcp"
    client = ClaudeCode(stage, browser.url, era="modern")
    client.environment["NODE_EXTRA_CA_CERTS"] = str(front.certificate)
    try:
        client.connect()
        assert person.full_name in client.call("get_full_name", {}), "Claude Code was told somebody else's name"
        assert "get_stats" in client.tools(), "Claude Code does not see the tools"
    finally:
        client.close()
        browser.close()
    return 3
