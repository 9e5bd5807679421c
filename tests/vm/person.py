"""Inside the machine: a person signs in through the proxy and calls tools; the tokens are kept in a file.

Usage:  person.py connect|call|again|keep URL FILE

With `keep`, the person makes two calls a second at most, which is what the gateway allows each account, until
/run/enough exists. Then the longest wait is printed. /run/keeps exists as soon as the calls have begun. With `again`,
the pretend Garmin of this boot knows nobody: the person signs in with another client, and the first one must go on
working.
"""

import json
import os
import sys
import time

sys.path.insert(0, "/mnt")
from caller import Caller
from sign_in import Person

KNOWN = json.loads(open("/run/simulator.json").readline())["people"][0]

what, url, file = sys.argv[1:]
person = Person(KNOWN["email"], KNOWN["password"], KNOWN["full_name"], KNOWN.get("mfa_code"))
caller = Caller(url)
if what == "connect":
    caller.connect(person)
else:
    caller.client_id, caller.access_token, caller.refresh_token = json.load(open(file))
    caller.refresh()
if what == "again":
    Caller(url).connect(person)
json.dump([caller.client_id, caller.access_token, caller.refresh_token], open(file, "w"))
waits = []
while what == "keep" and not os.path.exists("/run/enough"):
    begin = time.monotonic()
    caller.call("get_full_name")
    waits.append(time.monotonic() - begin)
    open("/run/keeps", "w")
    time.sleep(0.5)
if waits:
    print(f"{len(waits)} calls, {sorted(waits)[len(waits) // 2]:.1f} s each, one waited {max(waits):.1f} s")
assert KNOWN["full_name"] in caller.call("get_full_name"), "another person answered"
assert "total_steps" in caller.call("get_stats", {"date": "2026-11-02"}), "no steps"
