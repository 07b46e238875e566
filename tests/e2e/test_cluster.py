"""PostgreSQL, Redis, two backends and nginx: people on different processes share one truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlmodel import Session

from deploy.cluster import Cluster, database
from emk_app import frontend
from emk_app.db.engine import connect
from tests.e2e import desks
from tests.e2e.conftest import Visit
from tests.e2e.screens import shown
from tests.e2e.wire import LOAD, ROOT, Wire, event, is_loaded
from tests.running import (
    CHAIR,
    HOLDER,
    OPERATOR,
    OTHER_HOLDER,
    OTHER_OPERATOR,
    PATIENCE,
    Server,
)

RECEIVED = """
from emk_app import clock
from emk_app.domain.actors import Actor, Role
from tests import factories
made = factories.make_received(Actor({holder}, Role.HOLDER), clock.now(), clinic_id={clinic})
print(made.number.slug, made.number.shown)
"""
REVIEW = f"{ROOT}.emk_app___states___review____review_state"
BOTH = (0, 1)


class Many(Server):
    """The service as several processes; to its people it looks like one."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.cluster = Cluster(folder, url, self.environment, port=self.port)
        self.more = {
            name: value
            for name, value in self.cluster.environment.items()
            if name.startswith("EMK_") and name not in self.environment
        } | {"EMK_DATABASE_URL": url}

    def start(self) -> None:
        """Start them, and return when all are ready."""
        self.starts += 1
        self.cluster.start()

    def check_alive(self) -> None:
        """Fail with the log if a process is gone."""
        self.cluster.check_alive()

    def stop(self) -> None:
        """Stop them all."""
        self.cluster.close()

    def log(self) -> str:
        """Return all that backends and nginx have written, requests included."""
        names = ("backend-0", "backend-1", "nginx", "emk", "nginx-error", "emk-error")
        return "".join(self.cluster.log(name) for name in names)

    @contextmanager
    def database(self) -> Iterator[Session]:
        """Open the database beside them."""
        engine = connect(self.more["EMK_DATABASE_URL"])
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        finally:
            engine.dispose()

    def received(self, holder: int) -> tuple[str, str]:
        """Let a process beside the backends hand an application in; return its number.

        As it stands in addresses, and on screens.
        """
        clinic = self.ask("tests.e2e.test_cluster:clinic_of", self.id_of(CHAIR))
        said = self.python(RECEIVED.format(holder=holder, clinic=clinic))
        slug, shown = said.splitlines()[-1].split()
        return slug, shown


def clinic_of(user_id: int) -> int | None:
    """Return the clinic of one of its staff."""
    from emk_app.db.engine import reading
    from emk_app.db.tables.people import User

    with reading() as db:
        user = db.get(User, user_id)
        assert user is not None
        return user.clinic_id


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    """Start a cluster; at the end its log must be clean."""
    frontend.build()
    with database() as url:
        started = Many(tmp_path_factory.mktemp("cluster"), url)
        started.keep_private("Иванова", "Ильинка", "112-233-445 95", "11223344595")
        try:
            started.settle_world()
            started.start()
            yield started
            started.check_alive()
        finally:
            started.close()
        started.check_log()


def until(holds: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < patience
        time.sleep(0.05)


def sockets(server: Many) -> list[int]:
    return [server.cluster.sockets(number) for number in BOTH]


def on_different_backends(server: Many, page: Page) -> None:
    """Let the page connect until somebody is on each of the two."""
    for _ in range(12):
        if all(sockets(server)):
            return
        page.reload()
        page.get_by_role("heading", level=1).wait_for()
    raise AssertionError(f"all are on one backend: {sockets(server)}")


@pytest.mark.slow
def test_two_backends_tell_one_story(server: Many, visit: Visit):
    slug, number = server.received(server.id_of(HOLDER))
    holder = visit(f"/cabinet/applications/{slug}", person=HOLDER, width=390)
    holder.get_by_text("Получено").first.wait_for()
    operator = visit("/review", person=OPERATOR)
    on_different_backends(server, operator)
    desks.open_in_queue(operator, number)
    assert sockets(server) == [1, 1]

    # What one does at one backend is seen at the other.
    holder.evaluate("window.emkSamePage = true")
    shown(
        "an operator takes an application at another backend",
        lambda: desks.take(operator),
        holder.get_by_text("На проверке").first,
    )
    assert holder.evaluate("window.emkSamePage")

    # A session that ends at one backend ends at the other.
    elsewhere = holder.context.new_page()
    elsewhere.goto("/cabinet")
    elsewhere.get_by_role("button", name="Меню").click()
    elsewhere.get_by_role("button", name="Выйти").last.click()
    holder.wait_for_url(lambda url: "/cabinet" not in url)
    holder.goto("about:blank")
    elsewhere.close()

    # A backend that is told to stop sends its screens to the other; nobody notices.
    operator.goto("/review")
    operator.get_by_role("heading", level=1).wait_for()
    until(lambda: sum(sockets(server)) == 1)
    first = 0 if server.cluster.sockets(0) else 1
    operator.evaluate("window.emkSamePage = true")
    process = server.cluster.tell_to_stop(first)
    assert process.wait(30) == 0
    _, other = server.received(server.id_of(OTHER_HOLDER))
    operator.get_by_role("link", name=other).wait_for()
    server.cluster.start_backend(first)

    # Nor when one dies.
    server.cluster.kill(1 - first)
    desks.open_in_queue(operator, other)
    desks.take(operator)
    assert operator.evaluate("window.emkSamePage")
    server.cluster.start_backend(1 - first, waits=False)


def test_tab_keeps_its_state_when_its_process_dies(server: Many):
    for number in BOTH:
        server.cluster.wait_ready(number)
    cookie = server.cookie_of(OTHER_OPERATOR)
    place = "/review/x"
    with Wire(server, cookie, boot=event(LOAD, {"hashes": []}, place)) as wire:
        wire.wait(lambda: is_loaded(wire))
        wire.call(f"{REVIEW}.choose_ground", {"code": "other"}, place)
        before = wire.state()[REVIEW]
        assert before["ground_rx_state_"] == "other"
        # A second is what a process keeps to itself.
        until(lambda: not leased(server))
        at = next(number for number in BOTH if server.cluster.sockets(number))
        server.cluster.kill(at)
        wire.wait_closed()
    # The page connects anew at the other one, and is loaded there without losing the choice.
    with Wire(server, cookie, tab=wire.tab, boot=event(LOAD, path=place)) as again:
        again.wait(lambda: is_loaded(again))
        assert again.state()[REVIEW]["ground_rx_state_"] == "other"
        assert not any("new_token" in frame for frame in again.frames)
    server.cluster.start_backend(at, waits=False)


def test_duplicated_tab_has_a_state_of_its_own(server: Many):
    cookie = server.cookie_of(OTHER_OPERATOR)
    with Wire(server, cookie) as wire, Wire(server, cookie, tab=wire.tab) as copy:
        copy.wait(lambda: any("new_token" in frame for frame in copy.frames))


def leased(server: Many) -> bool:
    """Whether a process holds the lock of any tab."""
    import redis

    with redis.Redis.from_url(server.more["EMK_REDIS_URL"]) as client:
        return bool(client.keys("*_lock"))
