"""In the machine: a person who signs in through the proxy and calls tools; the tokens are kept in a file.

Usage:  person.py connect|call|again URL FILE

again: the pretend Garmin of this boot knows nobody; the person signs in with another client, and the first one goes on.
"""

import json
import sys

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
assert KNOWN["full_name"] in caller.call("get_full_name"), "another person answered"
assert "total_steps" in caller.call("get_stats", {"date": "2026-11-02"}), "no steps"
