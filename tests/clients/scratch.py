"""One directory for all temporary files of a run, removed at its end whatever the result. Only `kill -9` leaves it behind.

Names are short: a socket's whole path has 107 letters at most.
"""

import atexit
import shutil
import signal
import sys
import tempfile


def begin():
    """Makes `tempfile` create everything in this run's directory."""
    place = tempfile.mkdtemp(prefix="gateway-")
    tempfile.tempdir = place
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    # A termination signal runs the normal clean-up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
