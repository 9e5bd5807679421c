"""One directory for all temporary files of a run. It is removed at the end, however the run ends, except by `kill -9`.

Its name is short, because the whole path of a socket may have only 107 characters.
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
    # A termination signal must run the normal clean-up.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
