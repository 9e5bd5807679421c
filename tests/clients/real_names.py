"""Garmin's own host names for a pretend Garmin: in a network of one's own, where nothing real can be reached.

A program that has Garmin's addresses built in is tried as it is. `enter` begins this same program again in namespaces of
its own (it takes no root where people may have user namespaces): there the names lead to a loopback address, and
`RealNames` speaks TLS for them with certificates that only those trust who are told to.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

NAMES = [f"{host}.garmin.com" for host in ("sso", "diauth", "connectapi", "connect", "mobile.integration")]
ADDRESS = "127.0.0.77"
INSIDE = "GARMIN_GATEWAY_REAL_NAMES"
NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
PROGRAMS = ["unshare", "ip", "mount", "openssl"]


def missing() -> str | None:
    """What keeps this machine from it, if anything does."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"no {', '.join(absent)} here"
    if subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode != 0:
        return "namespaces are not for this user"
    return None


def enter():
    """Returns inside; outside, this program is begun again inside and nothing comes back."""
    if INSIDE not in os.environ:
        os.execvpe(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class RealNames:
    """The names, and TLS before the Garmin of `forward_to`. Only after `enter`; use it in a `with` block."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="garmin-gateway-names-"))
        self.authority = self.directory / "authority.pem"
        self.connections: dict[str, int] = dict.fromkeys(NAMES, 0)
        self.garmin: tuple[str, int] | None = None
        self._certify()
        hosts = self.directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {' '.join(NAMES)}\n")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._forward, sock=socket.create_server((ADDRESS, 443)), ssl=self.tls)
        )
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def __enter__(self) -> "RealNames":
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        shutil.rmtree(self.directory, ignore_errors=True)

    def settings(self, garmin_url: str) -> dict[str, str | None]:
        """What a gateway and its workers are told: whom to trust, and of Garmin's addresses nothing."""
        at = urlsplit(garmin_url)
        self.garmin = (at.hostname, at.port)
        built_in = {f"GARMIN_{name}_URL": None for name in ("SSO", "DIAUTH", "CONNECTAPI")}
        return {**built_in, "SSL_CERT_FILE": str(self.authority), "REQUESTS_CA_BUNDLE": str(self.authority)}

    def _certify(self):
        """An authority of this run, and a certificate of its for all the names."""
        def openssl(*arguments: str | Path):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.directory)

        new_key = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl(*new_key, "-x509", "-days", "2", "-subj", "/CN=Pretend authority", "-keyout", "authority.key",
                "-out", self.authority, "-addext", "keyUsage=critical,keyCertSign")
        openssl(*new_key, "-subj", "/CN=Pretend Garmin", "-keyout", "key", "-out", "request")
        names = ",".join(f"DNS:{name}" for name in NAMES)
        (self.directory / "extensions").write_text(f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n")
        openssl("x509", "-req", "-in", "request", "-CA", self.authority, "-CAkey", "authority.key", "-CAcreateserial",
                "-days", "2", "-extfile", "extensions", "-out", "certificate")
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.directory / "certificate", self.directory / "key")
        self.tls.sni_callback = self._count

    def _count(self, _connection, name: str | None, _context):
        if name in self.connections:
            self.connections[name] += 1
            return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    async def _forward(self, asking: asyncio.StreamReader, answering: asyncio.StreamWriter):
        # Whoever hangs up in the middle is none of this matter.
        with contextlib.suppress(OSError):
            from_garmin, to_garmin = await asyncio.open_connection(*self.garmin)
            await asyncio.gather(pour(asking, to_garmin), pour(from_garmin, answering))


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter):
    """Until one of them ends."""
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
