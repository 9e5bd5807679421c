"""Inside the machine: Garmin's own names lead to the simulator. FILE receives the CA certificate to trust.

Usage:  names.py FILE
"""

import shutil
import sys
import threading

sys.path.insert(0, "/mnt")
from real_names import RealNames

with RealNames() as names:
    names.settings("http://127.0.0.1:9999")
    shutil.copy(names.authority, sys.argv[1] + ".new")
    shutil.move(sys.argv[1] + ".new", sys.argv[1])
    threading.Event().wait()
