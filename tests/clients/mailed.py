"""Races that start from e-mails. The gateway watches a mailbox of a real Dovecot over TLS. Mails are delivered into it
as by a mail server: while the gateway waits in IDLE, while Dovecot is down, and while the gateway is killed."""

import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

from caller import Caller
from own_https import Authority
from serving import Handler, Server
from stage import Stage, StageError, free_port, wait_for

USER, PASSWORD = "races@example.net", "an app password"

# If root starts Dovecot, it reads mails as another user.
IS_ROOT = os.geteuid() == 0

CONFIG = """
base_dir = {at}/run
state_dir = {at}/state
log_path = {at}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = yes
auth_mechanisms = plain
mail_location = maildir:{at}/Maildir
first_valid_uid = 1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={at}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """A server with one mailbox, behind TLS with a certificate of the authority."""

    def __init__(self, authority: Authority):
        # The user that reads the mails can't enter the directory of the other plays.
        self.at = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp" if IS_ROOT else None))
        self.at.chmod(0o755)
        self.port = free_port()
        certificate, key = self.at / "chain.pem", self.at / "key.pem"
        authority.issue(certificate, key)
        owner = pwd.getpwnam("mail") if IS_ROOT else pwd.getpwuid(os.getuid())
        self.owner = (owner.pw_uid, owner.pw_gid)
        own = pwd.getpwuid(os.getuid()).pw_name
        group = grp.getgrgid(os.getgid()).gr_name
        for folder in ("run", "state", "home", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
            (self.at / folder).mkdir(parents=True, exist_ok=True)
        for folder in ("home", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
            os.chown(self.at / folder, *self.owner)
        self.config = self.at / "dovecot.conf"
        self.config.write_text(CONFIG.format(
            at=self.at, certificate=certificate, key=key, port=self.port, password=PASSWORD.replace(" ", "_"),
            uid=owner.pw_uid, gid=owner.pw_gid, internal="dovecot" if IS_ROOT else own,
            internal_group="dovecot" if IS_ROOT else group, login="dovenull" if IS_ROOT else own,
        ))
        self.process: subprocess.Popen | None = None
        self.delivered = 0

    def start(self):
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        self.process = subprocess.Popen([program, "-F", "-c", str(self.config)], stdin=subprocess.DEVNULL, start_new_session=True)

        def listens():
            if self.process.poll() is not None:
                raise StageError(f"Dovecot ended\n{self.log()}")
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for("Dovecot listens", listens)

    def kill(self):
        """Kills the master and all its processes, with their connections."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def deliver(self, text: str) -> str:
        """Puts a mail into the Maildir as a mail server does: writes it elsewhere, and moves it there."""
        self.delivered += 1
        name = f"{int(time.time())}.M{self.delivered}P{os.getpid()}.localhost"
        new = self.at / "Maildir/tmp" / name
        new.write_text(text)
        os.chown(new, *self.owner)
        new.rename(self.at / "Maildir/new" / name)
        return name

    def is_read(self, name: str) -> bool:
        found = list((self.at / "Maildir/cur").glob(f"{name}:2,*"))
        return bool(found) and "S" in found[0].name.rsplit(",", 1)[1]

    def log(self) -> str:
        log = self.at / "dovecot.log"
        return log.read_text()[-3000:] if log.exists() else ""

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.at, ignore_errors=True)


class Bot(Server):
    """The part of Telegram's Bot API that sends messages."""

    def __init__(self):
        self.said: list[str] = []
        super().__init__(Hears)


class Hears(Handler):
    def do_POST(self):
        body = json.loads(self.body() or b"{}")
        if self.path.endswith("/sendMessage"):
            self.server.said.append(body["text"])
        if self.path.endswith("/getUpdates"):
            time.sleep(min(body.get("timeout", 0), 1))
            try:
                self.reply(json.dumps({"ok": True, "result": []}).encode())
            except BrokenPipeError:
                # The gateway was stopped while it waited.
                pass
        else:
            self.reply(json.dumps({"ok": True, "result": {"message_id": 1}}).encode())


def session(stage: Stage) -> str:
    """The link of a LiveTrack session that began twenty minutes ago."""
    asked = urllib.request.Request(f"{stage.garmin_url}/simulator/livetrack", json.dumps({"elapsed_s": 1200}).encode())
    with urllib.request.urlopen(asked, timeout=10) as reply:
        return json.load(reply)["links"][0]["url"]


def mail(to: str, link: str) -> str:
    return "\n".join([
        "Return-Path: <noreply@garmin.com>", f"Delivered-To: {USER}", "From: Garmin <noreply@garmin.com>", f"To: {to}",
        "Subject: Watch the live activity now!", "Date: Sun, 4 Oct 2026 08:00:00 +0000", f"Message-ID: <{uuid.uuid4()}@x>",
        "MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
        f'<p>Follow along!</p><a href="{link}">View activity</a>', "",
    ])


class Mailed(Stage):
    """A gateway that trusts the authority."""

    def __init__(self, binary: Path, settings: dict[str, str], root: Path):
        self.root = root
        super().__init__(binary, settings)

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        return {"SSL_CERT_FILE": str(self.root), **super().environment(more)}

    def command(self, *words: str, **more: str) -> subprocess.CompletedProcess:
        environment = {**self.gateway_environment(), **more}
        return subprocess.run([self.binary, *words], env=environment, capture_output=True, text=True, timeout=60)

    def mailbox(self, **more: str) -> dict:
        """What the doctor says about the mailbox."""
        told = self.command("doctor", "--json", **more).stdout
        found = [one for one in json.loads(told)["findings"] if one["check"] == "mailbox"]
        if not found:
            raise StageError(f"the doctor says nothing of the mailbox: {told}")
        return found[0]

    def status(self) -> str:
        return json.loads(self.command("status", "--json").stdout).get("mailbox") or ""

    def races(self) -> list[dict]:
        return json.loads(self.command("races", "--json").stdout)


def mailed(binary: Path, settings: dict[str, str]) -> int:
    authority, bot = Authority(), Bot()
    dovecot = Dovecot(authority)
    user = USER.replace("@", "%40")
    more = {
        "IMAP_URL": f"imaps://{user}@localhost:{dovecot.port}/INBOX", "IMAP_PASSWORD": PASSWORD.replace(" ", "_"),
        "TELEGRAM_API_URL": bot.url, "TELEGRAM_BOT_TOKEN": "123456:abcdefghijklmnopqrst", "TELEGRAM_CHAT_ID": "42",
    }
    try:
        dovecot.start()
        with Mailed(binary, {**settings, **more}, authority.root) as stage:
            return watched(stage, dovecot, bot)
    except BaseException:
        print(dovecot.log(), flush=True)
        raise
    finally:
        dovecot.close()
        authority.close()


def watched(stage: Mailed, dovecot: Dovecot, bot: Bot) -> int:
    person, checks = stage.people[0], 0
    Caller(stage.url).connect(person)

    def started(n: int):
        wait_for(f"{n} races were told", lambda: len([text for text in bot.said if "e-mail came, so I'm watching" in text]) >= n)

    def check(what: str, is_so: bool):
        nonlocal checks
        if not is_so:
            raise StageError(f"not so: {what}\n{bot.said}")
        checks += 1

    # While the gateway waits in IDLE, mails are handled within seconds.
    wait_for("the mailbox is watched", lambda: "watched since" in stage.status())
    dinner = dovecot.deliver(f"From: ben@example.com\nTo: {person.email}\nSubject: Dinner\n\nAt eight?\n")
    began = time.monotonic()
    name = dovecot.deliver(mail(person.email, session(stage)))
    started(1)
    check("the race started within ten seconds", time.monotonic() - began < 10)
    wait_for("the mail is marked as read", lambda: dovecot.is_read(name))
    check("a private letter stays unread", not dovecot.is_read(dinner))
    check("one race is watched", len(stage.races()) == 1)

    # The doctor reports a wrong password, a wrong mailbox, and an authority that nobody trusts.
    for words, change in {
        "rejects the user or the password": {"IMAP_PASSWORD": "wrong"},
        "no such mailbox": {"IMAP_URL": f"imaps://{USER.replace('@', '%40')}@localhost:{dovecot.port}/Nowhere"},
        "certificate is not trusted": {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"},
    }.items():
        found = stage.mailbox(**change)
        check(f"the doctor says: {words} ({found})", found["verdict"] == "fail" and words in found["says"])
    check("the doctor is content", stage.mailbox()["verdict"] == "ok")

    # Mails arrive while Dovecot is down.
    dovecot.kill()
    dovecot.deliver(mail(person.email, session(stage)))
    dovecot.start()
    started(2)
    check("two races are watched", len(stage.races()) == 2)

    # The gateway is killed while it handles mails.
    for n in range(3, 6):
        dovecot.deliver(mail(person.email, session(stage)))
        time.sleep(0.03 * (n - 2))
        stage.kill_gateway()
        stage.start_gateway()
        started(n)
    told = [text for text in bot.said if "e-mail came, so I'm watching" in text]
    check("each race was told once, or twice where a sending was cut", 5 <= len(told) <= 8)
    check("five races are watched", len(stage.races()) == 5)
    log = (stage.directory / "gateway.log").read_text()
    check("no address is in the log", USER not in log and person.email not in log and "Follow along" not in log)
    return checks
