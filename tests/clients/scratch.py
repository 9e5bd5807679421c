"""Where a run makes its directories: all in one, which goes when the run ends, well or not. Only `kill -9` leaves it.

Names are short: a socket's whole path has 107 letters at most.
"""

import atexit
import shutil
import signal
import sys
import tempfile


def begin():
    """From here on `tempfile` makes everything in the directory of this run."""
    place = tempfile.mkdtemp(prefix="gateway-")
    tempfile.tempdir = place
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    # Ended by somebody else, it ends as if it had come to its own end.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
