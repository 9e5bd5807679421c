"""The figures of the built-in worker: its memory, a long FIT file, and the first call of a cold account.

Run it with the release program, because a debug build is several times slower and larger. Each figure is printed with
its limit. A worker's own memory does not depend on the machine or the profile, so it must always keep its limit. With
`--strict` in `run.py figures`, every figure over its limit fails.

The FIT files are made here and come from a small server in place of Garmin, because no person of the simulator has a
file of this size.
"""

import io
import json
import os
import shutil
import statistics
import struct
import subprocess
import tempfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from caller import Caller
from stage import Stage, wait_for

MB = 1_000_000
SIX_HOURS_S = 6 * 3_600
LARGE_FILE_BYTES = 5 * MB
# The limits, in MB of memory and in milliseconds.
AT_REST_MB, READING_MB = 13, 40
# The same without the pages of the program's file, which all workers share.
OWN_AT_REST_MB, OWN_AFTER_READING_MB = 4, 16
ANALYSIS_MS, COLD_CALL_MS = 60, 80
LARGE, SIX_HOURS = 1, 2

# The allocator gives memory back when it is idle.
IDLE_S = 2


class Figure(NamedTuple):
    name: str
    value: float
    most: float
    # Whether the limit holds on every machine and for every profile.
    always: bool = False

    def is_over(self) -> bool:
        return self.value > self.most


CRC = [0x0, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401, 0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400]


def crc(data: bytes) -> int:
    value = 0
    for byte in data:
        for nibble in (byte & 0xF, byte >> 4):
            value = (value >> 4) ^ CRC[value & 0xF] ^ CRC[nibble]
    return value


def fit_file(seconds: int) -> bytes:
    """A run with one record per second, each as large as a watch with running dynamics writes it.

    Time, position, altitude, heart rate, cadence, distance, speed, power, temperature, oscillation, stance, step length,
    and fields that only Garmin knows.
    """
    start = 1_100_000_000
    # Each field is a number, a size and a base type.
    fields = [(253, 4, 0x86), (0, 4, 0x85), (1, 4, 0x85), (78, 4, 0x86), (3, 1, 0x02), (4, 1, 0x02), (5, 4, 0x86), (73, 4, 0x86), (7, 2, 0x84)]
    fields += [(13, 1, 0x01), (39, 2, 0x84), (41, 2, 0x84), (83, 2, 0x84), (85, 2, 0x84), (134, 4, 0x86), (135, 4, 0x86), (136, 4, 0x86), (137, 4, 0x86), (138, 4, 0x86), (139, 4, 0x86)]
    body = bytearray()
    # The message file_id, which says that this is an activity.
    body += struct.pack("<BBBHB3B", 0x41, 0, 0, 0, 1, 0, 1, 0x00) + struct.pack("<BB", 0x01, 4)
    body += struct.pack("<BBBHB", 0x40, 0, 0, 20, len(fields)) + b"".join(bytes(field) for field in fields)
    for n in range(seconds):
        body += struct.pack(
            "<BIiiIBBIIHbHHHH6I", 0, start + n, 550_000_000 + n * 20, 170_000_000 + n * 30, (600 + n // 40 % 400) * 5,
            120 + n % 40, 85 + n % 5, n * 300, 2_800 + n % 500, 180 + n % 120,
            18, 800 + n % 50, 2_400 + n % 90, 780 + n % 40, 11_000 + n % 400, *([n] * 6),
        )
    header = struct.pack("<BBHI4s", 14, 0x20, 2_194, len(body), b".FIT")
    whole = header + struct.pack("<H", crc(header)) + bytes(body)
    return whole + struct.pack("<H", crc(whole))


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("activity.fit", data)
    return out.getvalue()


class Files:
    """A server in place of Garmin that has only two FIT files and a profile."""

    def __enter__(self) -> "Files":
        record_bytes = 29 + 9 + 24
        files = {LARGE: fit_file(LARGE_FILE_BYTES // record_bytes), SIX_HOURS: fit_file(SIX_HOURS_S)}
        self.sizes = {activity: len(file) for activity, file in files.items()}
        archives = {f"/download-service/files/activity/{activity}": zipped(file) for activity, file in files.items()}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Otherwise, the body waits for the acknowledgement of the headers, which takes 40 ms.
            disable_nagle_algorithm = True

            def do_GET(self):
                path = self.path.partition("?")[0]
                if path in archives:
                    status, body = 200, archives[path]
                elif path == "/userprofile-service/socialProfile":
                    status, body = 200, b'{"displayName": "runner1", "profileId": 1}'
                else:
                    status, body = 404, b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class LoneWorker:
    """A worker on standard input and output, with a token that never expires."""

    def __init__(self, binary: Path, garmin: str):
        self.directory = Path(tempfile.mkdtemp(prefix="figures-"))
        tokens = {"di_token": "opaque", "di_refresh_token": "refresh", "di_client_id": "ID"}
        (self.directory / "garmin_tokens.json").write_text(json.dumps(tokens))
        environment = {
            "TZ": "UTC", "GARMINTOKENS": str(self.directory), "GARMIN_CONNECTAPI_URL": garmin, "GARMIN_DIAUTH_URL": garmin,
            # The gateway starts its workers with this value.
            "MALLOC_MMAP_THRESHOLD_": "1048576",
        }
        self.process = subprocess.Popen(
            [binary.resolve(), "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )
        self.last_id = 0

    def __enter__(self) -> "LoneWorker":
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)

    def call(self, tool: str, arguments: dict) -> dict:
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())["result"]
        assert told["isError"] is False, told["content"][0]["text"][:300]
        return told["structuredContent"]


def memory_mb(pid: int, line: str) -> float:
    """VmRSS is the memory a process has now, RssAnon the part that it doesn't share, and VmHWM the most it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{line}:")[1].split()[0]) * 1_024 / MB


def reading_files(binary: Path) -> list[Figure]:
    with Files() as files:
        assert files.sizes[LARGE] > 4.9 * MB, files.sizes
        with LoneWorker(binary, files.url) as worker:
            worker.call("get_activity_timeseries", {"activity_id": LARGE})
            worker.call("get_activity_fit_data", {"activity_id": LARGE})
            peak = memory_mb(worker.process.pid, "VmHWM")
            time.sleep(IDLE_S)
            own = memory_mb(worker.process.pid, "RssAnon")
        with LoneWorker(binary, files.url) as worker:
            times = []
            for _ in range(9):
                began = time.perf_counter()
                told = worker.call("get_activity_fit_data", {"activity_id": SIX_HOURS})
                times.append((time.perf_counter() - began) * 1_000)
            assert told, "nothing was told of six hours"
    return [
        Figure("MB of a worker while it reads a FIT file of 5 MB", peak, READING_MB),
        Figure("MB of its own that it still has afterwards", own, OWN_AFTER_READING_MB, always=True),
        Figure("ms for get_activity_fit_data of 6 hours, with the download", statistics.median(times), ANALYSIS_MS),
    ]


def cold_accounts(binary: Path, settings: dict) -> list[Figure]:
    """Each person's first call starts their worker. The simulator answers at once, so all the time is ours."""
    with Stage(binary, settings) as stage:
        people = [person for person in stage.people if person.code is None][:8]
        callers = [Caller(stage.url, "figures").connect(person) for person in people]
        times = []
        for caller in callers:
            began = time.perf_counter()
            caller.call("get_stats", {"date": "yesterday"})
            times.append((time.perf_counter() - began) * 1_000)
        wait_for("every person has a worker", lambda: len(stage.workers()) >= len(people))
        time.sleep(IDLE_S)
        built_in = [pid for pid in stage.workers() if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        at_rest, own = (max(memory_mb(pid, line) for pid in built_in) for line in ("VmRSS", "RssAnon"))
    return [
        Figure("MB of a worker at rest, the largest of 8", at_rest, AT_REST_MB),
        Figure("MB of that are its own", own, OWN_AT_REST_MB, always=True),
        Figure("ms for the first call of a cold account, median of 8", statistics.median(times), COLD_CALL_MS),
    ]


def figures(binary: Path, settings: dict, is_strict: bool) -> int:
    """Prints all figures, and returns their number."""
    found = cold_accounts(binary, settings) + reading_files(binary)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {binary}")
    for figure in found:
        print(f"{figure.value:8.1f}  at most {figure.most:3}  {figure.name}{'  OVER' if figure.is_over() else ''}")
    over = [figure.name for figure in found if figure.is_over() and (figure.always or is_strict)]
    assert not over, f"over the limit: {', '.join(over)}"
    return len(found)
