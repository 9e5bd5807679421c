"""Garmin's own host names for the simulator, inside a network namespace from which no real host can be reached.

A program with built-in addresses of Garmin can be tested unchanged in this way. `enter` starts this same program again
in separate namespaces, which needs no root where users may create user namespaces. There, the names lead to a loopback
address, and `RealNames` serves TLS for them with certificates that only programs with the right settings trust.
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
PROXY_PORT = 3128
INSIDE = "GARMIN_GATEWAY_REAL_NAMES"
NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
PROGRAMS = ["unshare", "ip", "mount", "openssl"]


def missing() -> str | None:
    """Why this machine cannot do it, or None."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"no {', '.join(absent)} here"
    if subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode != 0:
        return "namespaces are not for this user"
    return None


def is_inside() -> bool:
    return INSIDE in os.environ


def enter():
    """Re-executes this program inside the namespace; does not return."""
    os.execvpe(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


class RealNames:
    """The names, and TLS in front of the simulator. Works only inside the namespace; use it in a `with` block.

    With a proxy, only the proxy can resolve the names, as in a network that allows no direct connections.
    """

    def __init__(self, behind_proxy: bool = False):
        self.directory = Path(tempfile.mkdtemp(prefix="names-"))
        self.authority = self.directory / "authority.pem"
        self.connections: dict[str, int] = dict.fromkeys(NAMES, 0)
        self.garmin: tuple[str, int] | None = None
        self.servers: list[asyncio.Server] = []
        self._certify()
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        hosts = self.directory / "hosts"
        known = "" if behind_proxy else f"{ADDRESS} {' '.join(NAMES)}\n"
        hosts.write_text(f"127.0.0.1 localhost\n{known}")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        self.loop = asyncio.new_event_loop()
        self._listen(self._forward, 443, self.tls)
        self.proxy: dict[str, str] = {}
        if behind_proxy:
            self._listen(self._connect, PROXY_PORT)
            self.proxy = {"HTTPS_PROXY": f"http://{ADDRESS}:{PROXY_PORT}"}
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def __enter__(self) -> "RealNames":
        return self

    def __exit__(self, *_):
        for server in self.servers:
            self.loop.call_soon_threadsafe(server.close)
        subprocess.run(["umount", "/etc/hosts"], check=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def settings(self, garmin_url: str) -> dict[str, str | None]:
        """Settings for a gateway and its workers, with the CA to trust and without addresses of Garmin."""
        at = urlsplit(garmin_url)
        self.garmin = (at.hostname, at.port)
        built_in = {f"GARMIN_{name}_URL": None for name in ("SSO", "DIAUTH", "CONNECTAPI")}
        return {**built_in, **self.proxy, "SSL_CERT_FILE": str(self.authority), "REQUESTS_CA_BUNDLE": str(self.authority)}

    def _certify(self):
        """Makes a certificate authority for this run, and one certificate for all names."""
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

    def _listen(self, serve, port: int, tls: ssl.SSLContext | None = None):
        server = asyncio.start_server(serve, sock=socket.create_server((ADDRESS, port)), ssl=tls)
        self.servers.append(self.loop.run_until_complete(server))

    async def _forward(self, asking: asyncio.StreamReader, answering: asyncio.StreamWriter):
        await join(asking, answering, *self.garmin)

    async def _connect(self, asking: asyncio.StreamReader, answering: asyncio.StreamWriter):
        """A proxy that serves `CONNECT name:443` and nothing else."""
        method, target, _ = (await asking.readline()).decode().split()
        while (await asking.readline()).strip():
            pass
        if method != "CONNECT" or target not in [f"{name}:443" for name in NAMES]:
            answering.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return answering.close()
        answering.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await join(asking, answering, ADDRESS, 443)


async def join(asking: asyncio.StreamReader, answering: asyncio.StreamWriter, host: str, port: int):
    # A connection dropped midway is not an error here.
    with contextlib.suppress(OSError):
        source, sink = await asyncio.open_connection(host, port)
        await asyncio.gather(pour(asking, sink), pour(source, answering))


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter):
    """Copies until either side closes."""
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
