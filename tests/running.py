"""A real server for tests: its own process, data folder, port and clock, on the built frontend."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from pyotp.totp import TOTP
from sqlmodel import Session, select

from emk_app.clock import MOSCOW
from emk_app.db.engine import connect
from emk_app.db.tables.people import User, UserSession
from emk_app.domain.actors import Position, Role
from emk_app.domain.notices import is_quiet
from emk_app.services.accounts import ref_of
from tests.nursery import Child, nursery

ROOT: Final = Path(__file__).resolve().parents[1]
PASSWORD: Final = "лесная тропа 42"
PATIENCE: Final = 60.0
"""Seconds after which a server that does not answer never will; a healthy one needs five."""

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Person:
    """Somebody with an account made by ``create-user``."""

    role: Role
    login: str
    secret: str
    name: str
    position: Position | None = None
    clinic: int | None = None
    """Which of the two clinics: 1 or 2."""
    specialties: tuple[str, ...] = ()


def _person(role: Role, login: str, name: str, **more: Any) -> Person:
    digits = "".join(str(ord(sign) % 8) for sign in login * 2)[:24]
    secret = "".join("ABCDEFGH"[int(digit)] for digit in digits).ljust(32, "Q")
    return Person(role, login, secret, name, **more)


SUPPORT = _person(Role.SUPPORT, "sinitsyna@example.ru", "Синицына Дарья Олеговна")
HOLDER = _person(Role.HOLDER, "+79161234501", "Берёзкина Алёна Игоревна")
OTHER_HOLDER = _person(Role.HOLDER, "kedrov@example.ru", "Кедров Лев Львович")
OPERATOR = _person(Role.OPERATOR, "orlova@example.ru", "Орлова Ольга Олеговна")
OTHER_OPERATOR = _person(Role.OPERATOR, "sokolov@example.ru", "Соколов Семён Сергеевич")
REGISTRAR = _person(
    Role.CLINIC,
    "registrar@example.ru",
    "Рябинина Раиса Романовна",
    position=Position.REGISTRAR,
    clinic=1,
)
PHYSICIAN = _person(
    Role.CLINIC,
    "physician@example.ru",
    "Вязов Виктор Витальевич",
    position=Position.PHYSICIAN,
    clinic=1,
    specialties=("therapist", "ophthalmologist"),
)
CHAIR = _person(
    Role.CLINIC,
    "chair@example.ru",
    "Пихтова Полина Павловна",
    position=Position.CHAIR,
    clinic=1,
)
OTHER_CHAIR = _person(
    Role.CLINIC,
    "other-chair@example.ru",
    "Тополев Тимур Тарасович",
    position=Position.CHAIR,
    clinic=2,
)
ADMIN = _person(Role.ADMIN, "admin@example.ru", "Дубов Данила Денисович")
OTHER_ADMIN = _person(Role.ADMIN, "osinin@example.ru", "Осинин Олег Орестович")
PEOPLE: Final = (
    HOLDER,
    OTHER_HOLDER,
    OPERATOR,
    OTHER_OPERATOR,
    REGISTRAR,
    PHYSICIAN,
    CHAIR,
    OTHER_CHAIR,
    ADMIN,
    OTHER_ADMIN,
    SUPPORT,
)
REGIONS: Final = ("77", "78")
"""Where the two clinics with staff are; each is the first of its region."""


SERVE: Final = ("emk_app.cli", "serve")
Process = subprocess.Popen[bytes] | Child


class ServerFailed(AssertionError):
    """The server did not start, or went down; the message is its log."""


class Helper:
    """A process beside the server that runs pieces of Python, one after the other."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        given, ours = os.pipe()
        theirs, printed = os.pipe()
        self._process = nursery().code(HELPER, environment=environment, given=given, output=printed)
        os.close(given)
        os.close(printed)
        self._to = open(ours, "w", encoding="utf-8")  # noqa: SIM115
        self._from = open(theirs, encoding="utf-8")  # noqa: SIM115

    def run(self, code: str) -> str:
        """Run a piece; return what it prints."""
        self._to.write(json.dumps(code) + "\n")
        self._to.flush()
        printed, failed = json.loads(self._from.readline())
        assert not failed, failed
        return printed

    def close(self) -> None:
        """Let it go."""
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()


class Server:
    """One server, which may be killed and started again on the same data and port."""

    def __init__(self, folder: Path, prepared: Path | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log_file = folder / "server.log"
        self.clock_file = folder / "clock"
        if prepared is not None:
            shutil.copytree(prepared, self.data)
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.starts = 0
        self.ocr = "off"
        """Whether scans are read; a page takes a second."""
        self.more: dict[str, str] = {}
        """Settings beside the usual ones."""
        self.is_anew = False
        """Whether it is no fork but the very command: where the process is what is looked at."""
        self._process: Process | None = None
        self._helper: Helper | None = None
        self._private: set[str] = {PASSWORD}
        for person in PEOPLE:
            self.keep_private(person.login, person.secret, *person.name.split())

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of every process of this server."""
        inherited = {name: value for name, value in os.environ.items() if name[:4] != "EMK_"}
        return inherited | {
            "EMK_ENV": "test",
            "EMK_PORT": str(self.port),
            "EMK_ORIGIN": self.origin,
            "EMK_DATA": str(self.data),
            "EMK_TEST_CLOCK": str(self.clock_file),
            "EMK_OCR": self.ocr,
            "PYTHONUNBUFFERED": "1",
            **self.more,
        }

    def start(self) -> None:
        """Start, and return when it is ready to work."""
        assert self._process is None
        self.starts += 1
        with self.log_file.open("ab") as log:
            if self.is_anew:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", *SERVE],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            else:
                self._process = nursery().module(*SERVE, environment=self.environment, output=log)
        patience = time.monotonic() + PATIENCE
        while not self._is_ready():
            self.check_alive()
            if time.monotonic() > patience:
                raise ServerFailed(f"not ready in {PATIENCE} s:\n{self.log()}")
            time.sleep(0.05)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it stand still meanwhile, its connections open: a cable that says nothing."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Stop, and let the helper go too."""
        self.stop()
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()

    def tell_to_stop(self) -> Process:
        """Ask it to stop, and do not wait; return its process."""
        process, self._process = self._process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGTERM)
        return process

    def kill(self) -> None:
        """End it between two instructions, its children too: nothing is tidied up."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def check_alive(self) -> None:
        """Fail with the log if the process is gone."""
        if self._process is not None and self._process.poll() is not None:
            raise ServerFailed(f"exit status {self._process.returncode}:\n{self.log()}")

    def command(self, *arguments: str) -> str:
        """Run the command line beside the server; return what it prints."""
        read, write = os.pipe()
        with open(read, encoding="utf-8") as said:
            process = nursery().module(
                "emk_app.cli", *arguments, environment=self.environment, output=write
            )
            os.close(write)
            printed = said.read()
        assert process.wait() == 0, printed
        return printed

    def python(self, code: str) -> str:
        """Run a piece of Python on the server's data, beside the server; return what it prints."""
        if self._helper is None:
            self._helper = Helper(self.environment)
        return self._helper.run(code)

    def settle_world(self) -> None:
        """Make the schema, the keys, the register and ``PEOPLE``."""
        people = [
            (
                person.role.value,
                person.login,
                person.secret,
                person.name,
                person.position.value if person.position else None,
                person.clinic,
                person.specialties,
            )
            for person in PEOPLE
        ]
        self.python(PREPARE.format(regions=REGIONS, people=people, password=PASSWORD))

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call "module:function" on the server's data; return what it returns."""
        module, name = function.split(":")
        said = self.python(
            f"import json\nfrom {module} import {name}\nprint(json.dumps({name}(*{arguments!r})))"
        )
        return json.loads(said.splitlines()[-1])

    def now(self) -> datetime:
        """Return the moment at which the server's clock stands."""
        return datetime.now(UTC) + self._offset()

    def move_clock(self, by: timedelta) -> None:
        """Put the server's clock forward."""
        seconds = (self._offset() + by).total_seconds()
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(self.clock_file)

    def clock_step(self) -> None:
        """Put the clock forward by the life of one code of an authenticator."""
        self.move_clock(timedelta(seconds=30))

    def log(self) -> str:
        """Return all that the server has written."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def keep_private(self, *values: str) -> None:
        """Note personal values that must never be found in the log."""
        self._private.update(value for value in values if len(value) > 3)

    @property
    def private(self) -> frozenset[str]:
        """Return the personal values noted so far."""
        return frozenset(self._private)

    def check_log(self) -> None:
        """Fail if the log tells of a fault, or holds a personal value in clear or escaped."""
        log = self.log()
        assert "Traceback" not in log, log[-20_000:]
        assert "incident " not in log, log[-20_000:]
        for value in sorted(self._private):
            for form in (
                value,
                json.dumps(value)[1:-1],
                urllib.parse.quote(value),
                value.casefold(),
                value.encode().hex(),
            ):
                assert form not in log, f"the log holds {value!r}"

    def letters(self) -> list[dict[str, str]]:
        """Return what left for phones and mailboxes, oldest first."""
        file = self.data / "outbox.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def settle(self) -> None:
        """Wait until the server has done its jobs and sent its letters."""
        waiting = (
            "SELECT (SELECT count(*) FROM jobs WHERE done_at IS NULL AND failed_at IS NULL)"
            " + (SELECT count(*) FROM outbox WHERE sent_at IS NULL AND dead_at IS NULL"
            " AND dropped_at IS NULL AND due_at <= ? AND (is_urgent OR channel <> 'sms' OR ?))"
        )
        patience = time.monotonic() + PATIENCE
        # What is not due, or would wake somebody up, waits for its hour: it needs no waiting for.
        while self.rows(
            waiting,
            f"{self.now():%Y-%m-%d %H:%M:%S.%f}",
            not is_quiet(self.now().astimezone(MOSCOW)),
        ) != [(0,)]:
            assert time.monotonic() < patience, "jobs or letters are stuck"
            time.sleep(0.05)

    def letter_to(self, contact: str, pattern: str = "") -> str:
        """Wait for the newest letter to a contact whose text has ``pattern``; return its text."""
        patience = time.monotonic() + PATIENCE
        while True:
            texts = [each["text"] for each in self.letters() if each["to"] == contact]
            found = [text for text in texts if re.search(pattern, text)]
            if found:
                return found[-1]
            if time.monotonic() > patience:
                raise AssertionError(f"no letter like {pattern!r}; there are {len(texts)}")
            time.sleep(0.02)

    def cookie_of(self, person: Person) -> str:
        """Sign one of ``PEOPLE`` in without a browser; return the cookie of the session."""
        return self.cookie_for(self.id_of(person))

    def cookie_for(self, user_id: int) -> str:
        """Sign somebody in without a browser; return the cookie of the session."""
        cookie = secrets.token_urlsafe(32)
        now = self.now()
        with self.database() as db:
            db.add(
                UserSession(
                    ref=ref_of(cookie),
                    user_id=user_id,
                    factor_at=now,
                    device="Chrome, Windows",
                    created_at=now,
                    last_seen_at=now,
                    expires_at=now + timedelta(hours=12),
                )
            )
            db.commit()
        self.keep_private(cookie)
        return cookie

    def id_of(self, person: Person) -> int:
        """Return the identity of one of ``PEOPLE``, who were made in their order."""
        with self.database() as db:
            users = db.exec(select(User.id).order_by(User.id)).all()  # type: ignore[arg-type]
        return users[PEOPLE.index(person)]

    def clinic_of(self, person: Person) -> int:
        """Return the identity of the clinic whose staff the person is."""
        return self.rows("SELECT clinic_id FROM users WHERE id = ?", self.id_of(person))[0][0]

    def ref_of(self, cookie: str) -> str:
        """Return the name under which the cookie's session is stored."""
        return ref_of(cookie)

    @contextmanager
    def database(self) -> Iterator[Session]:
        """Open the server's database beside it."""
        engine = connect(self.more.get("EMK_DATABASE_URL") or f"sqlite:///{self.data / 'emk.db'}")
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        finally:
            engine.dispose()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a plain SQL query finds."""
        with closing(sqlite3.connect(self.data / "emk.db", timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def until(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds, once it finds anything."""
        patience = time.monotonic() + PATIENCE
        while not (found := self.rows(query, *values)):
            assert time.monotonic() < patience, f"nothing is found by {query}"
            time.sleep(0.02)
        return found

    def rows_changed(self, statement: str, *values: Any) -> int:
        """Change rows behind the server's back; return how many."""
        with closing(sqlite3.connect(self.data / "emk.db", timeout=10)) as connection:
            changed = connection.execute(statement, values).rowcount
            connection.commit()
            return changed

    def dump(self, *without: str) -> Rows:
        """Return every row of every table but those named."""
        # One connection: a new one reads the whole schema before it reads a table.
        with closing(sqlite3.connect(self.data / "emk.db", timeout=10)) as connection:
            connection.execute("BEGIN")
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            ).fetchall()
            return {
                name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()
                for (name,) in tables
                if name not in without and not name.startswith("sqlite_")
            }

    def forget_tries(self) -> None:
        """Open doors that too many tries have shut; every test comes from the same address."""
        self.rows_changed("DELETE FROM throttles")

    def code_for(self, secret: str) -> str:
        """Return the code that an authenticator shows by the server's clock."""
        return TOTP(secret).at(self.now())

    def _offset(self) -> timedelta:
        if not self.clock_file.exists():
            return timedelta(0)
        return timedelta(seconds=float(self.clock_file.read_text(encoding="ascii")))

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, word: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, word)
        process.wait(30)
        if word is not signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        # The worker holds the port until the system has buried it.
        while is_taken(self.port):
            time.sleep(0.01)


def is_taken(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


HELPER: Final = """
import contextlib, io, json, sys, traceback
for line in sys.stdin:
    printed, failed = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), {"__name__": "helper"})
    except BaseException:
        failed = traceback.format_exc()
    print(json.dumps([printed.getvalue(), failed]), flush=True)
"""
"""Reads pieces of Python, a line each, and says of each what it printed and how it failed."""
PREPARE: Final = """
import sys
from emk_app import cli
from emk_app.demo import register
def run(*arguments):
    status = cli.main(arguments)
    assert status == 0, arguments
run("db", "upgrade")
run("keys")
register.load()
from sqlmodel import select
from emk_app.db.engine import reading
from emk_app.db.tables.clinics import Clinic
with reading() as db:
    clinics = [
        db.exec(select(Clinic.id).where(Clinic.region_code == code)).first() for code in {regions}
    ]
for role, login, secret, name, position, clinic, specialties in {people}:
    staff = ["--position", position, "--clinic", str(clinics[clinic - 1])] if clinic else []
    for specialty in specialties:
        staff += ["--specialty", specialty]
    run("create-user", "--role", role, "--login", login, "--password", {password!r},
        "--totp-secret", secret, "--name", name, *staff)
"""


def prepare(folder: Path) -> Path:
    """Make a data folder with keys, the register and ``PEOPLE``; return it."""
    server = Server(folder)
    server.settle_world()
    server.close()
    return server.data
