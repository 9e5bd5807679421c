"""Inside the machine: refreshes tokens and prints each acknowledged one on the serial line."""

import json
import sys
import threading
import time

sys.path.insert(0, "/mnt")
from caller import Caller
from sign_in import Person

URL = "http://localhost:8080"
line = threading.Lock()


def say(*words):
    with line:
        print(*words, flush=True)


def ready() -> bool:
    try:
        return Caller(URL).request("GET", "/readyz", None, {})[0] == 200
    except OSError:
        return False


def load(number, caller):
    while True:
        caller.refresh()
        say("ACK", number, caller.client_id, caller.refresh_token)


people = json.loads(open("/run/simulator.json").readline())["people"][:6]
known = json.load(open("/mnt/tokens.json"))
while not ready():
    time.sleep(0.3)
callers = []
for number, told in enumerate(people):
    caller = Caller(URL)
    if str(number) in known:
        caller.client_id, caller.refresh_token = known[str(number)]
        try:
            caller.refresh()
        except Exception as e:
            say("LOST", number, repr(e)[:200])
            continue
        say("HELD", number)
    else:
        caller.connect(Person(told["email"], told["password"], told["full_name"], told.get("mfa_code")))
    say("ACK", number, caller.client_id, caller.refresh_token)
    callers.append((number, caller))
say("READY")
for one in callers:
    threading.Thread(target=load, args=one).start()
