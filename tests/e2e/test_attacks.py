"""What somebody without manners gets out of the running server: nothing."""

from __future__ import annotations

import http.client
import inspect
import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from reflex_base.registry import RegistrationContext

from emk_app.domain.actors import Role
from emk_app.edge.gate import ENDED_PAGE, FORBIDDEN_PAGE, FRAMEWORK, SIGN_IN_PAGE
from emk_app.edge.guard import CLOSED, MACHINES, TOO_MUCH
from emk_app.edge.limits import FRAMES_A_SECOND, SOCKETS_PER_CALLER
from emk_app.edge.policy import Access, access_of
from emk_app.emk_app import ENDPOINTS
from emk_app.states.demo import OutboxState
from tests.e2e.screens import MEASURED
from tests.e2e.wire import HYDRATE, LOAD, ROOT, Refused, Wire, stranger
from tests.running import (
    ADMIN,
    CHAIR,
    HOLDER,
    OPERATOR,
    OTHER_HOLDER,
    PASSWORD,
    PEOPLE,
    Person,
    Server,
)

DOOR = ("throttles", "doorsteps", "challenges", "component_days", "component_standings")
"""Tables in which anybody leaves marks by knocking, where tries are counted, and those in which the
server writes down by itself how it is."""
NOTED = ("audit_entries", "alerts", "jobs")
"""Where it is written down that somebody was refused, and who is told of many refusals."""
HANDLERS = RegistrationContext.get().event_handlers
VALUES: list[Any] = [
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "' OR 1=1 --",
    "../../../etc/passwd",
    "\x00\ud83d",
    "я" * 1_000,
    [],
    [[[[]]]],
    {"login": {"$ne": ""}, "password": [PASSWORD], "code": 0, "__proto__": {"role": "admin"}},
    {"__class__": "emk_app.domain.actors.Actor", "role": "admin", "user_id": 1},
]
EXTRAS: list[dict[str, Any]] = [
    {"self": 1, "state": {}, "__proto__": {"is_admin": True}},
    {"": "", "constructor": {"prototype": {"role": "admin"}}},
]
EVENTS_A_SOCKET = 90
"""Fewer than the gate lets through at once, so that every one of them is really looked at."""


def role_of(person: Person | None) -> Role | None:
    return person.role if person else None


def access_to(name: str) -> Access | None:
    return access_of(HANDLERS[name].handler.fn)


def arguments_of(name: str) -> list[str]:
    parameters = list(inspect.signature(HANDLERS[name].handler.fn).parameters)
    return [each for each in parameters if each != "self"]


def hostile(name: str) -> Iterator[dict[str, Any]]:
    """Yield payloads that no page would send."""
    names = arguments_of(name)
    yield {}
    for value in VALUES:
        yield dict.fromkeys(names, value)
    for extra in EXTRAS:
        yield {**dict.fromkeys(names, "1"), **extra}


def cookies_for(
    server: Server, person: Person | None, events: list[tuple[str, Any]]
) -> Iterator[str]:
    """Yield a cookie for each socket that ``events`` need: no session alone may say so much."""
    for _ in range(0, len(events), EVENTS_A_SOCKET):
        yield server.cookie_of(person) if person else stranger(server)


def sent_through(
    server: Server, cookies: Iterable[str], events: list[tuple[str, Any]]
) -> Iterator[Wire]:
    """Send events, some sockets one after the other, as if from as many addresses; yield each once
    all of its are answered.
    """
    for number, cookie in enumerate(cookies):
        with Wire(server, cookie, address=str(ip_address("10.0.0.0") + number)) as wire:
            start = number * EVENTS_A_SOCKET
            for name, payload in events[start : start + EVENTS_A_SOCKET]:
                wire.call(name, payload)
            wire.state()
            yield wire


def personal(server: Server, wire: Wire) -> list[str]:
    """Return the personal values that are found in what the wire was sent."""
    sent = "\n".join(json.dumps(each, ensure_ascii=False) for each in wire.updates)
    return [value for value in server.private if value in sent]


def kept(state: dict[str, Any], *but: str) -> dict[str, Any]:
    """Return what a tab's state says of people, without what it says of the connection."""
    plain = {name: dict(vars_) for name, vars_ in state.items() if name not in but}
    for name in list(plain[ROOT]):
        if "router" in name:
            del plain[ROOT][name]
    return plain


def open_states() -> set[str]:
    """Return the states with a handler that is open to strangers: those may show them something."""
    return {
        name.rsplit(".", 1)[0]
        for name in HANDLERS
        if (access := access_to(name)) is not None and access.is_open
    }


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server behind a proxy, as it were, so that attacks come from many addresses."""
    started = Server(tmp_path_factory.mktemp("server"), prepared)
    started.more = {"EMK_TRUSTED_PROXY_HOPS": "1"}
    started.start()
    yield started
    started.check_alive()
    started.close()
    started.check_log()


@pytest.fixture(scope="module")
def secrets_of_others(server: Server) -> dict[str, str]:
    """Put a book, an application at the clinic and a draft into the database; name them."""
    told = server.python(
        "import json\n"
        "from emk_app import clock\n"
        "from emk_app.db.engine import reading\n"
        "from emk_app.db.tables.applications import Application, Scan\n"
        "from emk_app.domain.actors import Actor, Role\n"
        "from sqlmodel import select\n"
        "from tests import factories\n"
        f"holder = Actor({server.id_of(HOLDER)}, Role.HOLDER)\n"
        f"clinic = {server.clinic_of(CHAIR)}\n"
        "now = clock.now()\n"
        "book = factories.make_book(holder, now, clinic_id=clinic)\n"
        "factories.make_received(holder, now, clinic_id=clinic)\n"
        "draft = factories.make_draft(holder, now, clinic_id=clinic)\n"
        "with reading() as db:\n"
        "    scan = db.exec(select(Scan.ref)).first()\n"
        "print(json.dumps({'scan': scan, 'draft': draft.number.slug, 'draft_id': str(draft.id),"
        " 'book': str(book)}))\n"
    )
    server.settle()
    server.keep_private("Иванова", "112-233-445 95", "Ильинка")
    return json.loads(told.splitlines()[-1])


@pytest.fixture
def before(server: Server, secrets_of_others: dict[str, str]) -> dict[str, Any]:
    return server.dump(*DOOR)


def test_stranger_calls_every_handler_and_nothing_happens(server: Server, before: dict[str, Any]):
    cookie = stranger(server)
    with Wire(server, cookie) as clean:
        nothing = kept(clean.state(), *open_states())
    closed = [name for name in HANDLERS if not getattr(access_to(name), "is_open", False)]
    # The demo shows its letters to everybody; elsewhere the service refuses.
    shown = OutboxState.get_full_name()
    asked = [name for name in HANDLERS if not name.startswith(f"{shown}.")]
    events = [(name, payload) for name in asked for payload in hostile(name)]
    assert len(closed) > 20
    for wire in sent_through(server, cookies_for(server, None, events), events):
        assert kept(wire.state(), *open_states()) == nothing
        assert personal(server, wire) == []
        assert set(wire.pages) <= {SIGN_IN_PAGE, ENDED_PAGE}
    assert server.dump(*DOOR) == before


def test_stranger_loads_every_page_and_sees_nothing(server: Server, before: dict[str, Any]):
    from emk_app.pages.site_map import PAGES

    cookie = stranger(server)
    with Wire(server, cookie) as clean:
        nothing = kept(clean.state(), *open_states())
    for page in PAGES:
        path = re.sub(r"\[\w+\]", "1", page.route)
        with Wire(server, cookie) as wire:
            wire.call(LOAD, path=path, query={"number_arg": "1", "examination_arg": "1"})
            assert kept(wire.state(), *open_states()).keys() == nothing.keys()
            state = kept(wire.state(), *open_states())
            for name in nothing.keys() - {ROOT}:
                assert state[name] == nothing[name], path
            # The demo shows its letters to everybody.
            assert personal(server, wire) == [] or page.demo_only
    assert server.dump(*DOOR) == before


def noted_of(server: Server) -> list[str]:
    """Return what the audit says people have done."""
    return [
        action
        for (action,) in server.rows(
            "SELECT action FROM audit_entries WHERE role <> 'system' ORDER BY id"
        )
    ]


@pytest.mark.parametrize("person", [HOLDER, OPERATOR, CHAIR, ADMIN], ids=lambda who: who.role.value)
def test_nobody_calls_the_handlers_of_another_role(
    server: Server, before: dict[str, Any], person: Person
):
    cookie = server.cookie_of(person)
    foreign = [
        name
        for name in HANDLERS
        if name not in FRAMEWORK
        and ((access := access_to(name)) is None or not access.admits(person.role))
    ]
    assert foreign
    events = [
        (name, dict.fromkeys(arguments_of(name), value))
        for name in foreign
        for value in ("1", 1, {"form": {}}, {})
    ]
    cookies = list(cookies_for(server, person, events))
    changed, noted = server.dump(*DOOR, *NOTED), noted_of(server)
    with Wire(server, cookie) as clean:
        nothing = kept(clean.state())
    for wire in sent_through(server, cookies, events):
        assert kept(wire.state()) == nothing
        assert set(wire.pages) <= {FORBIDDEN_PAGE}
    assert server.dump(*DOOR, *NOTED) == changed
    # What was refused is written down, and nothing else.
    assert {*noted_of(server)[len(noted) :]} == {"denied"}


def test_holder_reaches_nothing_of_another_holder(
    server: Server, secrets_of_others: dict[str, str]
):
    """Calls every handler of a holder with names and numbers of somebody else's."""
    others = server.id_of(HOLDER)
    tables = ("applications", "books")

    def foreign() -> list[Any]:
        return [
            server.rows(f"SELECT * FROM {table} WHERE holder_id = ? ORDER BY id", others)
            for table in tables
        ] + [
            server.rows("SELECT * FROM scans WHERE removed_at IS NULL ORDER BY id"),
            server.rows("SELECT * FROM share_links ORDER BY id"),
        ]

    was = foreign()
    numbers = [each[0] for each in server.rows("SELECT tracking_number FROM applications")]
    ids: list[Any] = [1, 2, 3, "1", *numbers, *secrets_of_others.values()]
    mine = [
        name
        for name in HANDLERS
        if (access := access_to(name)) is not None
        and access.admits(Role.HOLDER)
        and not access.is_open
        and not HANDLERS[name].handler.is_background
    ]
    events = [
        (name, dict.fromkeys(arguments_of(name), value)) for name in mine for value in (*ids, {})
    ]
    for wire in sent_through(server, cookies_for(server, OTHER_HOLDER, events), events):
        assert personal_of(server, HOLDER, wire) == []
    pages = [f"/cabinet/applications/{number}" for number in numbers]
    cookie = server.cookie_of(OTHER_HOLDER)
    for path in pages:
        with Wire(server, cookie) as wire:
            number = path.rsplit("/", 1)[1]
            wire.call(LOAD, path=path, query={"number_arg": number})
            wire.state()
            assert personal_of(server, HOLDER, wire) == []
    assert foreign() == was


def personal_of(server: Server, person: Person, wire: Wire) -> list[str]:
    """Return what the wire was told of a person and of the made-up applicant."""
    sent = "\n".join(json.dumps(each, ensure_ascii=False) for each in wire.updates)
    return [
        value
        for value in ("Иванова", "Ильинка", "112-233-445", *person.name.split())
        if value in sent
    ]


def test_stolen_tab_token_opens_an_empty_state(server: Server):
    tab = str(uuid.uuid4())
    empty = nothing_known(server)
    with Wire(server, server.cookie_of(HOLDER), tab=tab) as victim:
        victim.call(LOAD, path="/cabinet")
        victim.wait(lambda: HOLDER.name in json.dumps(victim.updates, ensure_ascii=False))
        for thief in (stranger(server), server.cookie_of(OTHER_HOLDER)):
            with Wire(server, thief, tab=tab) as wire:
                assert kept(wire.state()) == empty
                assert personal_of(server, HOLDER, wire) == []
        assert HOLDER.name in json.dumps(victim.state(), ensure_ascii=False)
        inner = victim.state()[ROOT]["rx_router_session_rx_state_"]["client_token"]
    # The owner is gone: the state of the tab lives on, for its owner alone.
    for token in (tab, inner):
        for thief in (stranger(server), server.cookie_of(OTHER_HOLDER)):
            assert seen_in(server, thief, token) in (None, empty)


def seen_in(server: Server, cookie: str, tab: str) -> dict[str, Any] | None:
    """Return what the state of a tab shows somebody; None where they are not even heard."""
    try:
        with Wire(server, cookie, tab=tab) as wire:
            return kept(wire.state())
    except Refused:
        return None


def test_cookie_is_worth_nothing_after_leaving(server: Server):
    cookie = server.cookie_of(HOLDER)
    tab = str(uuid.uuid4())
    empty = nothing_known(server)
    with Wire(server, cookie, tab=tab) as wire:
        wire.call(LOAD, path="/cabinet")
        wire.wait(lambda: HOLDER.name in json.dumps(wire.updates, ensure_ascii=False))
        leave(server, cookie)
        since = time.monotonic()
        assert wire.wait_closed() == 4401
        MEASURED.append(f"socket of a left session: cut after {time.monotonic() - since:.2f} s")
    names = list(HANDLERS)
    for start in range(0, len(names), EVENTS_A_SOCKET):
        left = server.cookie_of(HOLDER)
        leave(server, left)
        for again in (tab, None):
            with Wire(server, left if start else cookie, tab=again) as wire:
                wire.call(HYDRATE)
                wire.wait(lambda wire=wire: bool(wire.updates))
                assert ENDED_PAGE in wire.pages
                assert personal(server, wire) == []
                for name in names[start : start + EVENTS_A_SOCKET]:
                    wire.call(name)
                wire.call(HYDRATE)
                wire.wait(lambda wire=wire: len(wire.pages) > 1)
                assert all(kept_value(each, empty) for each in wire.updates)
    for path in (f"/api/scans/{'a' * 32}/file", f"/api/scans/{'a' * 32}/preview"):
        answer = httpx.get(server.origin + path, cookies={"emk_sid": cookie})
        assert answer.status_code == 401


def kept_value(update: dict[str, Any], empty: dict[str, Any]) -> bool:
    """Whether an update says no more than an empty state does."""
    delta = update.get("delta", {})
    return all(
        name == ROOT or all(empty[name].get(var) == value for var, value in vars_.items())
        for name, vars_ in delta.items()
    )


def nothing_known(server: Server) -> dict[str, Any]:
    """Return the state of somebody who has just come."""
    with Wire(server, stranger(server)) as wire:
        return kept(wire.state())


def leave(server: Server, cookie: str) -> None:
    """Sign out."""
    answer = httpx.post(
        f"{server.origin}/session/leave",
        cookies={"emk_sid": cookie},
        headers={"origin": server.origin},
    )
    assert answer.status_code == 303


def test_leaving_cuts_every_socket_of_the_session_and_no_other(server: Server):
    cookie, other = server.cookie_of(HOLDER), server.cookie_of(HOLDER)
    wires = [Wire(server, cookie) for _ in range(3)]
    bystander = Wire(server, other)
    leave(server, cookie)
    assert [wire.wait_closed() for wire in wires] == [4401] * 3
    assert bystander.state()
    bystander.close()


def test_session_that_runs_out_is_cut_by_itself(server: Server):
    cookie = server.cookie_of(OPERATOR)
    with Wire(server, cookie) as wire:
        wire.state()
        server.rows_changed(
            "UPDATE sessions SET revoked_at = created_at WHERE ref = ?", server.ref_of(cookie)
        )
        wire.call("reflex___state____state.emk_app___states___session____person_state.load")
        wire.wait(lambda: ENDED_PAGE in wire.pages)
        assert OPERATOR.name not in json.dumps(wire.updates, ensure_ascii=False)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost",
        "http://localhost:1",
        "https://localhost:{port}",
        "http://localhost:{port}.evil.example",
        "http://localhost:{port}@evil.example",
        "file://",
    ],
)
def test_socket_from_another_origin_is_refused(server: Server, origin: str | None):
    given = origin.format(port=server.port) if origin else None
    with pytest.raises(Refused) as refused:
        Wire(server, server.cookie_of(HOLDER), origin=given)
    assert refused.value.status == 403


def test_socket_without_cookie_or_with_a_made_up_token_is_refused(server: Server):
    for cookie, tab in ((None, None), ("x" * 43 + "!", None), (stranger(server), "../../etc")):
        with pytest.raises(Refused):
            Wire(server, cookie, tab=tab)
    with pytest.raises(Refused):
        Wire(server, stranger(server), host="evil.example")


def test_polling_leads_nowhere(server: Server):
    polled = httpx.get(
        f"{server.origin}/_event/",
        params={"EIO": "4", "transport": "polling", "token": str(uuid.uuid4())},
        headers={"origin": server.origin},
        cookies={"emk_sid": stranger(server)},
    )
    assert polled.status_code >= 400
    assert "sid" not in polled.text


def test_sockets_of_one_browser_are_counted(server: Server):
    cookie = stranger(server)
    wires = [Wire(server, cookie) for _ in range(SOCKETS_PER_CALLER)]
    with pytest.raises(Refused):
        Wire(server, cookie)
    assert nothing_known(server)
    for wire in wires:
        wire.close()


ATTEMPT = re.compile(r"\[WARNING\] emk\.attempts: attempt \w+ by [0-9a-f]{8}")


def attempts(log: str) -> list[str]:
    """Return the attempts noted in a piece of the log, in which there must be nothing else."""
    lines = log.splitlines()
    assert all(ATTEMPT.fullmatch(line) for line in lines), log
    return lines


FRAMES = [
    "",
    "9",
    "4",
    "42",
    "42/_event",
    "42/_event,{",
    "42/_event,[]",
    '42/_event,["event"]',
    '42/_event,["event","not json"]',
    '42/_event,["event",{"name":["a"],"payload":{}}]',
    '42/_event,["event",{"name":"' + HYDRATE + '","router_data":{"pathname":{"a":1}}}]',
    '42/_event,["event",{"name":"' + HYDRATE + '","router_data":{"query":"x"}}]',
    '42/_event,["on_event",{}]',
    '42/_event,["disconnect"]',
    '42/_event,["connect",{"QUERY_STRING":"token=x","asgi.scope":{"client":["10.9.8.7",1]}}]',
    '451-/_event,["connect",{"asgi.scope":{"headers":[{"_placeholder":true,"num":0}]}}]',
    "43/_event,1[]",
    "40/admin,",
    "40",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_that_no_page_sends_ends_the_socket_without_a_word(
    server: Server, before: dict[str, Any], frame: str
):
    log = len(server.log())
    with Wire(server, stranger(server)) as wire:
        wire.send_raw(frame)
        assert wire.wait_closed() == 4400
        assert wire.updates == []
    assert nothing_known(server)
    assert server.dump(*DOOR) == before
    assert len(attempts(server.log()[log:])) <= 1


def test_browser_can_not_choose_its_own_address_or_state(server: Server):
    """socket.io would call ``on_connect`` for anybody who asks, with what they say."""
    with Wire(server, server.cookie_of(HOLDER)) as victim:
        inner = victim.state()[ROOT]["rx_router_session_rx_state_"]["client_token"]
        with Wire(server, stranger(server)) as wire:
            environ = {"QUERY_STRING": f"token={inner}", "asgi.scope": {"client": ["10.9.8.7", 1]}}
            wire.emit("connect", environ)
            wire.call(HYDRATE)
            assert wire.wait_closed() == 4400
            assert HOLDER.name not in json.dumps(wire.updates, ensure_ascii=False)
        assert victim.state()


def test_first_event_sent_with_the_connection_passes_the_gate_too(server: Server):
    from tests.e2e.wire import event

    name = next(each for each in HANDLERS if each.endswith("review____queue_state.follow"))
    with Wire(server, stranger(server), boot=event(name, path="/review")) as wire:
        wire.call(HYDRATE)
        wire.wait(lambda: bool(wire.updates))
        assert personal(server, wire) == []
        assert "rows" not in json.dumps([each.get("delta") for each in wire.updates[:-1]])


def test_flood_of_unknown_events_leaves_two_lines_in_the_log_at_most(server: Server):
    log = len(server.log())
    with Wire(server, stranger(server)) as wire, Wire(server, stranger(server)) as bystander:
        for number in range(600):
            wire.call(f"state.unknown_{number}", {"secret": "x" * 2000})
        assert bystander.state()
    assert len(attempts(server.log()[log:])) <= 2


def test_flood_of_events_costs_its_sender_the_socket_and_others_nothing(server: Server):
    cookie = stranger(server)
    with Wire(server, cookie) as wire, Wire(server, stranger(server)) as bystander:
        for _ in range(1000):
            wire.call(LOAD, path="/login")
        # Who goes on sending may miss the word with which they are hung up on.
        assert wire.wait_closed() in (TOO_MUCH, aiohttp.WSCloseCode.ABNORMAL_CLOSURE)
        assert bystander.state()
        assert len(wire.updates) < 1000
    # Who was hung up on may come again, and is heard once the bucket has filled a little.
    time.sleep(2 / FRAMES_A_SECOND)
    with Wire(server, cookie) as again:
        assert again.close_code is None


def test_flood_of_requests_is_told_to_wait_and_others_are_served(server: Server):
    flood = {"x-forwarded-for": "10.66.0.1"}
    with httpx.Client(base_url=server.origin, headers=flood) as client:
        ended = time.monotonic() + 30
        while (answer := client.get("/api/nothing")).status_code != 429:
            assert time.monotonic() < ended
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["code"] == "too_many_requests"
        page = client.get("/login", headers={"sec-fetch-dest": "document"})
        if page.status_code != 200:
            assert "Слишком много запросов" in page.text
    assert httpx.get(f"{server.origin}/login").status_code == 200


def test_huge_frame_costs_its_sender_the_socket(server: Server):
    with Wire(server, stranger(server)) as wire, Wire(server, stranger(server)) as bystander:
        wire.call(HYDRATE, {"x": "y" * 3_000_000})
        wire.wait_closed()
        assert bystander.state()


# Plain HTTP


def changes() -> list[tuple[str, str]]:
    return [(each.method, each.path) for each in ENDPOINTS if each.method != "GET"]


def filled(path: str) -> str:
    """Return the path with something in the place of its arguments."""
    return re.sub(r"\{\w+(:\w+)?\}", "a" * 32, path)


@pytest.mark.parametrize(("method", "path"), changes())
@pytest.mark.parametrize("origin", [None, "null", "http://evil.example"])
def test_change_from_elsewhere_is_refused_before_anything_is_read(
    server: Server, method: str, path: str, origin: str | None
):
    log = server.dump(*DOOR)
    answer = httpx.request(
        method,
        server.origin + filled(path),
        cookies={"emk_sid": server.cookie_of(HOLDER)},
        headers={"origin": origin} if origin else {},
        content=b"x" * 1000,
    )
    if origin is None and path.startswith(MACHINES):
        # Other systems come without one: they are asked for a signature, or for a code that is.
        assert answer.status_code == (404 if "/handover/" in path else 401)
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign_origin"
    assert {name: rows for name, rows in server.dump(*DOOR).items() if name != "sessions"} == {
        name: rows for name, rows in log.items() if name != "sessions"
    }


@pytest.mark.parametrize(
    "endpoint",
    [each for each in ENDPOINTS if not each.access.is_open],
    ids=lambda each: f"{each.method} {each.path}",
)
def test_route_asks_who_calls(server: Server, endpoint: Any, secrets_of_others: dict[str, str]):
    """A stranger gets 401, somebody of another role 403, and neither learns anything."""
    for person in (None, HOLDER, OPERATOR, CHAIR, ADMIN):
        if person is not None and endpoint.access.admits(person.role):
            continue
        answer = httpx.request(
            endpoint.method,
            server.origin + filled(endpoint.path).replace("a" * 32, secrets_of_others["scan"]),
            cookies={"emk_sid": server.cookie_of(person) if person else stranger(server)},
            headers={"origin": server.origin},
        )
        assert answer.status_code == (403 if person else 401)
        assert set(answer.json()) == {"code", "message", "id"}


@pytest.mark.parametrize(
    "endpoint",
    [each for each in ENDPOINTS if "{" in each.path and not each.access.is_open],
    ids=lambda each: f"{each.method} {each.path}",
)
def test_what_is_another_persons_is_as_if_it_were_not(
    server: Server, endpoint: Any, secrets_of_others: dict[str, str]
):
    cookie = server.cookie_of(OTHER_HOLDER)

    def asked(*values: str) -> tuple[int, dict[str, str], int]:
        names = iter(values)
        path = re.sub(r"\{\w+(:\w+)?\}", lambda _: next(names), endpoint.path)
        files = {"scan": ("x.jpg", b"\xff\xd8\xff", "image/jpeg")}
        answer = httpx.request(
            endpoint.method,
            server.origin + path,
            cookies={"emk_sid": cookie},
            headers={"origin": server.origin},
            files=files if endpoint.method == "POST" else None,
        )
        said = answer.json()
        said.pop("id")
        return answer.status_code, said, len(answer.headers)

    if not endpoint.access.admits(Role.HOLDER):
        return
    foreign = {
        "/api/scans/{number}/{kind}": (secrets_of_others["draft"], "passport"),
        "/api/scans/{ref}/file": (secrets_of_others["scan"],),
        "/api/scans/{ref}/preview": (secrets_of_others["scan"],),
    }.get(endpoint.path, (secrets_of_others["book"], "1", "1"))
    missing = tuple("9" * len(value) for value in foreign[:1]) + foreign[1:]
    assert asked(*foreign)[0] == 404
    assert asked(*foreign) == asked(*missing)


@pytest.mark.parametrize("path", [*CLOSED, "/_upload/x.pdf", "/_health/", "/ping/"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_routes_of_the_framework_are_closed(server: Server, path: str, method: str):
    answer = httpx.request(
        method,
        server.origin + path,
        headers={
            "origin": server.origin,
            "access-control-request-method": "POST",
            "reflex-client-token": str(uuid.uuid4()),
        },
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_methods_nobody_needs_are_refused(server: Server, method: str):
    for path in ("/", "/login", "/session/leave", "/api/scans/1/passport", "/emk.js"):
        answer = httpx.request(method, server.origin + path, headers={"x-secret": "echo"})
        assert answer.status_code in (403, 404, 405)
        assert "echo" not in answer.text


PATHS = [
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../../../emk_app/settings.py",
    "/assets/..%2f..%2f..%2f..%2femk_app/settings.py",
    "/assets/....//....//rxconfig.py",
    "/assets/%00",
    "/assets\\..\\..\\rxconfig.py",
    "/.git/config",
    "/.env",
    "/.web/env.json",
    "/env.json",
    "/rxconfig.py",
    "/emk.db",
    "/data/emk.db",
    "/data/keys",
    "/outbox.jsonl",
    "/__spa-fallback.html",
    "/404.html",
    "//etc/passwd",
    "/api/../.git/config",
    "/api/scans/..%2f..%2fkeys/file",
    "/api/scans/%2e%2e/preview",
]


@pytest.mark.parametrize("path", PATHS)
def test_path_leads_out_of_nowhere(server: Server, path: str):
    cookie = server.cookie_of(HOLDER)
    connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.putheader("Cookie", f"emk_sid={cookie}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status in (400, 401, 404, 405), body[:200]
    for secret in (b"root:", b"SQLite format", b"[core]", b"PRIVATE KEY", b"from __future__"):
        assert secret not in body


def test_redirect_never_leads_to_another_site(server: Server):
    for path in (
        "//evil.example",
        "/\\evil.example",
        "/%2f%2fevil.example/",
        "/login//evil.example",
    ):
        connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
        connection.putrequest("GET", path)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert "evil" not in (answer.getheader("location") or "")


def test_another_host_is_refused(server: Server):
    for host in ("evil.example", "localhost", f"localhost:{server.port}.evil.example", ""):
        connection = http.client.HTTPConnection("localhost", server.port, timeout=10)
        connection.putrequest("GET", "/login", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 400
        assert b"evil" not in body


def test_long_headers_and_bodies_are_refused(server: Server):
    long = httpx.get(f"{server.origin}/login", headers={"x-long": "a" * 20_000})
    assert long.status_code in (400, 431)
    many = httpx.get(f"{server.origin}/login", cookies={f"c{n}": "x" * 100 for n in range(200)})
    assert many.status_code in (400, 431)
    large = httpx.post(
        f"{server.origin}/session/enter",
        headers={"origin": server.origin},
        content=b"x" * 1_000_000,
    )
    assert large.status_code == 413
    assert httpx.get(f"{server.origin}/healthz").status_code == 200


def test_answers_tell_nothing_of_what_runs_here(server: Server):
    for path in ("/", "/login", "/nowhere", "/api/nowhere", "/healthz", "/readyz", "/emk.js"):
        answer = httpx.get(server.origin + path)
        assert "x-powered-by" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "reflex" not in answer.headers.get("content-security-policy", "").lower()
    assert httpx.get(f"{server.origin}/readyz").json() == {"status": "ready"}


def test_pages_hold_no_name_of_anybody(server: Server, secrets_of_others: dict[str, str]):
    """What the build has baked into pages and scripts is public."""
    from emk_app.frontend import CLIENT

    names = [word for person in PEOPLE for word in (person.name, person.login, person.secret)]
    for file in [*CLIENT.rglob("*.html"), *CLIENT.rglob("*.js")]:
        text = file.read_text(encoding="utf-8", errors="replace")
        assert not [name for name in names if name in text], file
        assert "unsafe-eval" not in text
