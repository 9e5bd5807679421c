"""The gateway serves https itself, without a proxy: with a certificate from files, and with one from Pebble, the ACME
server that Let's Encrypt makes for tests. Claude Code connects to it."""

import json
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from caller import Caller
from stage import Stage, free_port, wait_for
from ways_in import claude_code_through, documents_name


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """A private root certificate, and certificates for `localhost` that it issues."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="authority-"))
        self.root, self.root_key = self.directory / "root.pem", self.directory / "root.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test root", "-keyout", self.root_key, "-out", self.root)

    def issue(self, certificate: Path, key: Path):
        request, names = self.directory / "request", self.directory / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.root_key, "-CAcreateserial", "-days", "2",
                "-extfile", names, "-out", certificate)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Pebble:
    """An ACME server that makes its checks of the gateway at `port`."""

    def __init__(self, authority: Authority, port: int):
        at = authority.directory
        certificate, key = at / "pebble.pem", at / "pebble.key"
        authority.issue(certificate, key)
        api, management, dns = free_port(), free_port(), free_port()
        self.url = f"https://localhost:{api}/dir"
        (at / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{api}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(certificate), "privateKey": str(key),
            "httpPort": free_port(), "tlsPort": port, "certificateValidityPeriod": 3600,
        }}))
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1"}
        self.log = open(at / "pebble.log", "ab")
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
            for command in (
                ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{free_port()}",
                 "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""],
                ["pebble", "-config", str(at / "pebble.json"), "-dnsserver", f"127.0.0.1:{dns}"],
            )
        ]
        trusted = ssl.create_default_context(cafile=str(authority.root))
        self.root = at / "issued-root.pem"

        def root():
            try:
                with urllib.request.urlopen(f"https://localhost:{management}/roots/0", timeout=5, context=trusted) as reply:
                    self.root.write_bytes(reply.read())
                return True
            except OSError:
                return False

        wait_for("Pebble answers", root)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.log.close()


class Secured(Stage):
    """A gateway that serves https itself. `certificate` is the root certificate that its clients trust."""

    def __init__(self, binary: Path, settings: dict[str, str], certificate: Path, port: int):
        super().__init__(binary, {**settings, "BIND_ADDRESS": "127.0.0.1"}, port=port)
        self.url = f"https://localhost:{port}"
        self.mcp = f"{self.url}/mcp"
        self.certificate = certificate
        # Python clients read this variable when they create a TLS context. Claude Code has its own variable.
        os.environ["SSL_CERT_FILE"] = str(certificate)

    def serial(self) -> str:
        """The serial number of the certificate in use."""
        shown = ssl.get_server_certificate(("localhost", self.port))
        done = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def a_person_connects(stage: Secured) -> int:
    person = stage.people[0]
    caller = Caller(stage.url)
    checks = documents_name(caller, stage.url)
    caller.connect(person)
    assert person.full_name in caller.call("get_full_name"), "somebody else's name"
    caller.refresh()
    return checks + 2 + claude_code_through(stage, stage, person)


def with_own_files(binary: Path, settings: dict[str, str]) -> int:
    authority = Authority()
    certificate, key = authority.directory / "chain.pem", authority.directory / "key.pem"
    authority.issue(certificate, key)
    files = {"TLS_CERT": str(certificate), "TLS_KEY": str(key)}
    try:
        with Secured(binary, {**settings, **files}, authority.root, free_port()) as stage:
            checks = a_person_connects(stage)
            before = stage.serial()
            authority.issue(certificate, key)
            wait_for("the renewed certificate is served", lambda: stage.serial() != before, 40)
            return checks + 1
    finally:
        authority.close()


def with_acme(binary: Path, settings: dict[str, str]) -> int:
    authority, port = Authority(), free_port()
    pebble = Pebble(authority, port)
    acme = {"TLS": "acme", "ACME_DIRECTORY": pebble.url, "ACME_ROOT": str(authority.root)}
    try:
        with Secured(binary, {**settings, **acme}, pebble.root, port) as stage:
            checks = a_person_connects(stage)
            before = stage.serial()
            # The certificate and the account are in the store, so a restart must not request new ones.
            stage.restart_gateway()
            assert stage.serial() == before, "a restart got another certificate"
            issued = [line for line in stage.log().splitlines() if "tls.certificate_issued" in line]
            assert len(issued) == 1, issued
            data = b"".join(file.read_bytes() for file in (stage.directory / "data").rglob("*") if file.is_file())
            assert b"PRIVATE KEY" not in data, "a private key is on the disk unsealed"
            return checks + 3
    finally:
        pebble.close()
        authority.close()
