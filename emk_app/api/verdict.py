"""The answer to a scan: a finished page for people, the same in JSON for machines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from emk_app import clock, incidents
from emk_app.api.describing import CODE, Answer, Described, Parameter, Reply, Tag
from emk_app.api.routing import Endpoint, Quick, address_of, refusal, unexpected, worded
from emk_app.api.shells import Shell, bare, shell
from emk_app.components.verdict import VERDICT_SLOT, verdict_html
from emk_app.crypto import tokens
from emk_app.db import changes
from emk_app.db.engine import Busy, is_embedded, settle
from emk_app.domain.books import Verdict
from emk_app.domain.errors import DomainError, NotFound
from emk_app.edge.allowance import Allowance
from emk_app.edge.guard import ADDRESS
from emk_app.edge.headers import BUILD
from emk_app.edge.policy import ANYONE
from emk_app.keys import keystore
from emk_app.presenting import verdicts
from emk_app.presenting.devices import device_name
from emk_app.readiness import leaving
from emk_app.services import verifying
from emk_app.services.verifying import LookResult, Sight
from emk_app.settings import settings
from emk_app.threads import in_thread

log = logging.getLogger("emk.verdict")

LOOKS_AT_ONCE: Final = 60
LOOKS_A_SECOND: Final = 1.0
"""What one address may ask: a gate full of people, but no sweep."""
SLOW: Final = 0.05
SLOW_FOR: Final = 1.0
"""Seconds: a commit slower than the one is not waited for on the loop for as long as the other."""
SETTLED_WITHIN: Final = 0.1
"""Seconds after which a look without a limit is brought to the disk."""
LARGEST_BATCH: Final = 32
"""Looks checked and written at one go: each takes the loop a third of a millisecond."""
PACE: Final = 0.004
"""Seconds from one commit of looks to the next: who comes in between shares it. A commit costs a
third of a check, and at a busy gate it would be made for each look alone.
"""
BUSY_FOR: Final = 0.03
BUSY_PAUSE: Final = 0.002
"""Seconds for which the loop asks again where others are writing, and between two tries: most
writers are done before a thread would have begun.
"""
ROBOTS: Final = "noindex, nofollow"

SCRIPT: Final = "/emk-verdict.js"
VERIFIER: Final = "/check/offline/verify.js"
"""Asked for by the script where there is a signed code to check."""
LISTS: Final = "/.well-known/emk/"
STREAMS: Final = "/api/verdict/"
WATCHED_FOR: Final = timedelta(hours=12)
"""How long an open page hears of changes: a shift at the gate."""
HEARTBEAT: Final = 25.0
"""Seconds between two looks at a book nobody has changed: days end, and so do links."""
STREAM_LIFE: Final = 600.0
"""Seconds after which a stream ends and the browser opens the next."""
STREAMS_PER_ADDRESS: Final = 40
STREAMS_AT_ONCE: Final = 5000

_ROBOTS: Final = re.compile(
    r"bot\b|bot/|crawler|spider|preview|externalhit|whatsapp|viber|vkshare|snippet|embed", re.I
)
_UNBUILT: Final = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    "<title>Проверка медицинской книжки — ЭМК Онлайн</title></head>"
    f"<body><main>{VERDICT_SLOT}</main></body></html>"
)
SAID: Final = (
    '<p class="e-muted mt-3" role="status" data-said hidden></p>'
    '<p class="e-muted mt-3" role="status" data-code hidden></p>'
)
SAMPLE: Final = (
    "".join(
        verdict_html(
            tone=tone,
            word=tone,
            sentence=tone,
            until=tone,
            name=tone,
            facts=((tone, tone),),
            advice=(tone,),
            compare=tone,
            hash_short=tone,
            hash_full=tone,
            checked_at=tone,
            live=tone,
        )
        for tone in ("success", "waiting", "danger", "neutral")
    )
    + SAID
)
"""A verdict in all its states and with all its parts, for finding the styles it may need."""


class Journal:
    """Checks and writes down many looks at a time: a look is shown once it is on record, a crowd of
    them costs one commit, and checks that follow each other find the processor's caches warm.

    A commit to the embedded database that does not wait for the disk takes a fraction of a
    millisecond and is made at once: a thread would spend longer waiting for the interpreter of a
    busy server. A thread waits for the disk then, and those looks with it that count against a
    limit: they must not come back after a loss of power. Where others write for long, a thread
    waits for them too.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Sight], asyncio.Future[LookResult]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._is_settled = True
        self._slow_until = 0.0
        self._next_at = 0.0

    async def enter(self, see: Callable[[], Sight]) -> LookResult:
        """Return what may be shown, once the look is written down; raise what ``see`` raises."""
        entered: asyncio.Future[LookResult] = asyncio.get_running_loop().create_future()
        self._waiting.append((see, entered))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await entered

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            # A turn of the loop at least: who comes at the same moment shares the commit.
            await asyncio.sleep(max(self._next_at - loop.time(), 0))
            self._next_at = loop.time() + PACE
            sights: list[Sight] = []
            seen: list[asyncio.Future[LookResult]] = []
            for see, entered in self._waiting[:LARGEST_BATCH]:
                if entered.done():
                    continue
                try:
                    sights.append(see())
                except Exception as error:
                    entered.set_exception(error)
                else:
                    seen.append(entered)
            del self._waiting[:LARGEST_BATCH]
            if not sights:
                continue
            try:
                results = await self._record(sights)
            except Exception as error:
                for entered in seen:
                    if not entered.done():
                        entered.set_exception(error)
            else:
                for entered, result in zip(seen, results, strict=True):
                    if not entered.done():
                        entered.set_result(result)

    async def _record(self, sights: list[Sight]) -> list[LookResult]:
        if is_embedded() and (results := await self._record_quickly(sights)) is not None:
            if any(sight.is_limited and sight.is_open for sight in sights):
                await in_thread(settle)
            else:
                self._is_settled = False
                if self._settling is None or self._settling.done():
                    self._settling = asyncio.create_task(self._settle())
            return results
        return await in_thread(verifying.record, sights)

    async def _record_quickly(self, sights: list[Sight]) -> list[LookResult] | None:
        """Commit on the loop; return nothing where a thread had better do it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + BUSY_FOR
        while (began := loop.time()) >= self._slow_until:
            try:
                results = verifying.record(sights, quickly=True)
            except Busy:
                if began >= until:
                    return None
                await asyncio.sleep(BUSY_PAUSE)
            else:
                if loop.time() - began > SLOW:
                    self._slow_until = began + SLOW_FOR
                return results
        return None

    async def _settle(self) -> None:
        while not self._is_settled:
            await asyncio.sleep(SETTLED_WITHIN)
            self._is_settled = True
            try:
                await in_thread(settle)
            except Exception as error:
                # Where the disk fails, whoever comes next waits for it and is told.
                self._slow_until = asyncio.get_running_loop().time() + SLOW_FOR
                incidents.note(log, "looks on their way to the disk", error)


allowance: Final = Allowance(LOOKS_AT_ONCE, LOOKS_A_SECOND)
"""Codes of 128 bits need no protection from guessing; the service needs some from a flood."""
journal: Final = Journal()
_streams: Final[Counter[str]] = Counter()


async def page(request: Request) -> Response:
    """Answer a scan with the finished page; it needs no script."""
    if request.method == "HEAD":
        return Response(headers={"cache-control": "no-store", "x-robots-tag": ROBOTS})
    agent = request.headers.get("user-agent", "")
    if _ROBOTS.search(agent):
        # A messenger that draws a preview of the link has not looked at the book.
        return answer_page(request, 200, verdicts.PREVIEW)
    if "prefetch" in request.headers.get("sec-purpose", ""):
        return Response(status_code=503, headers={"cache-control": "no-store"})
    if not _is_allowed(address_of(request)):
        return answer_page(request, 429, verdicts.TOO_MANY, {"retry-after": "60"})
    try:
        result = await _look(request.path_params["code"].removesuffix("/"), agent)
    except NotFound:
        return answer_page(request, 404, verdicts.UNKNOWN_LINK)
    except Exception as error:
        incident = incidents.note(log, "a scan", error)
        return answer_page(request, 503, verdicts.out_of_order(incident))
    return answer_page(request, 200, verdicts.page_words(result), code=_canonical(request))


async def stream(request: Request) -> Response:
    """Tell an open page of each change, for whoever has a look on record (Server-Sent Events).

    ``verdict`` carries the new block, ``checked`` only the moment of a check that found no change.
    """
    code = _canonical(request)
    given = request.query_params.get("ticket", "")
    address = address_of(request)
    if not _is_ticket(given, code, clock.now()):
        return refusal(404, "not_found", verdicts.UNKNOWN_LINK["sentence"])
    if (
        not _is_allowed(address)
        or _streams[address] >= STREAMS_PER_ADDRESS
        or _streams.total() >= STREAMS_AT_ONCE
    ):
        return _too_many()
    headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-robots-tag": ROBOTS}
    told = _told(code, given, address, request.query_params.get("seen", ""))
    return StreamingResponse(told, 200, headers, "text/event-stream")


def _canonical(request: Request) -> str:
    return tokens.parse_share(request.path_params["code"].removesuffix("/")) or ""


async def _told(code: str, given: str, address: str, seen: str) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + STREAM_LIFE
    _streams[address] += 1
    watch: changes.Watch | None = None
    try:
        # A pause before the next try, not alike for all who lose the server at one moment.
        yield f"retry: {2000 + hash(given) % 3000}\n\n".encode()
        while loop.time() < ends and _is_ticket(given, code, clock.now()) and not leaving.is_set():
            try:
                sight = await _see(code, "", again=True)
            except NotFound:
                return
            if watch is None:
                # What changes between the look and the watch is found by looking again.
                watch = changes.subscribe([f"book:{sight.book_id}", changes.STOPPING])
                continue
            words = verdicts.page_words(sight.result)
            if (key := _key_of(words)) == seen:
                yield _event("checked", words["checked_at"])
            else:
                seen = key
                html = verdict_html(**words, live=_live(code, seen, clock.now()))
                yield _event("verdict", {"html": html, "seen": key, "word": words["word"]})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.wait(), HEARTBEAT)
    except Exception as error:
        # The stream ends; the browser says since when its page dates, and asks again.
        incidents.note(log, "an open verdict", error)
    finally:
        if watch is not None:
            changes.unsubscribe(watch)
        _streams[address] -= 1
        if not _streams[address]:
            del _streams[address]


def _event(name: str, said: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(said))


def _key_of(words: Mapping[str, Any]) -> str:
    """Return what stands for all that a page says but the moment of the check."""
    said = {name: value for name, value in words.items() if name != "checked_at"}
    return sha256(msgspec.json.encode(said)).hexdigest()[:16]


def _live(code: str, key: str, now: datetime) -> str:
    ends = int((now + WATCHED_FOR).timestamp())
    query = urlencode({"ticket": _ticket(code, ends), "seen": key})
    return f"{STREAMS}{code}?{query}"


def _ticket(code: str, ends: int) -> str:
    said = tokens.keyed_digest(keystore().session_key, f"{code}|{ends}", "watch")
    return f"{ends}.{said[:40]}"


def _is_ticket(given: str, code: str, now: datetime) -> bool:
    ends = given.partition(".")[0]
    if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
        return False
    if not now.timestamp() < int(ends) <= (now + WATCHED_FOR).timestamp() + 1:
        return False
    return tokens.same(given, _ticket(code, int(ends)))


async def unknown(request: Request) -> Response:
    """Answer an address without a code as any unknown one."""
    return answer_page(request, 404, verdicts.UNKNOWN_LINK)


async def verify(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a machine with the same check in JSON."""
    try:
        if scope["method"] == "HEAD":
            await Response(headers={"cache-control": "no-store"})(scope, receive, send)
            return
        if not _is_allowed(scope[ADDRESS]):
            answer = _too_many()
        else:
            agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
            result = await _look(scope["path_params"]["code"], agent.decode("latin-1"))
            await _send_json(send, verdicts.answer(result))
            return
    except DomainError as error:
        answer = worded(error)
    except Exception as error:
        answer = unexpected(error, scope["path"].rpartition("/")[0])
    await answer(scope, receive, send)


def _too_many() -> Response:
    answer = refusal(429, "too_many_attempts", verdicts.TOO_MANY["sentence"])
    answer.headers["retry-after"] = "60"
    return answer


async def _send_json(send: Send, said: Mapping[str, Any]) -> None:
    body = msgspec.json.encode(said)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@cache
def built() -> Shell:
    """Return the page of the build around the slot; where nothing is built, a bare one.

    A verdict is worth more than its looks.
    """
    origin = settings().origin
    own = {
        "script": origin + SCRIPT,
        "more_scripts": origin + VERIFIER,
        "speaks_to": f"{origin}{STREAMS} {origin}{LISTS}",
    }
    file = BUILD / "v.html"
    if not file.exists():
        return shell(_UNBUILT, "", VERDICT_SLOT, SAMPLE, **own)
    return shell(*bare(file, BUILD), VERDICT_SLOT, SAMPLE, **own)


async def _see(code: str, viewer: str, *, again: bool = False) -> Sight:
    now = clock.now()
    if is_embedded():
        # The one indexed read is quicker done at once than handed to a thread.
        return verifying.see(code, viewer, now=now, again=again)
    return await in_thread(verifying.see, code, viewer, now=now, again=again)


async def _look(code: str, agent: str) -> LookResult:
    viewer = device_name(agent)
    if is_embedded():
        return await journal.enter(lambda: verifying.see(code, viewer, now=clock.now()))
    sight = await _see(code, viewer)
    return await journal.enter(lambda: sight)


def _is_allowed(address: str) -> bool:
    return allowance.take(address, asyncio.get_running_loop().time())


def answer_page(
    request: Request,
    status: int,
    words: Mapping[str, Any],
    more: Mapping[str, str] | None = None,
    *,
    code: str = "",
) -> Response:
    """Return the page that says ``words``; with a ``code``, one that hears of changes."""
    made = built()
    headers = {
        "cache-control": "no-store",
        "x-robots-tag": ROBOTS,
        "content-security-policy": made.policy,
        "vary": "accept-encoding",
        **(more or {}),
    }
    live = _live(code, _key_of(words), clock.now()) if code else ""
    body = verdict_html(**words, live=live) + (SAID if live else "")
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = made.packed(body)
    else:
        content = made.filled(body)
    return Response(content, status, headers, "text/html; charset=utf-8")


class VerdictSaid(Answer):
    """What a look shows; a member is null where the link's scope does not tell it."""

    verdict: Verdict = Field(description="The headline.")
    is_valid: bool = Field(description="Whether the holder may work on this book today.")
    reasons: list[Verdict] = Field(
        description="All that fails, the headline first; empty for `valid`."
    )
    message: str = Field(description="The headline in Russian.")
    name: str | None = Field(description="Surname and initials, as the holder chose to show.")
    birth_year: int | None
    occupation_group: str | None
    issued_on: date | None
    valid_until: date | None = Field(description="The last day, inclusive.")
    items_valid_until: date | None = Field(
        description="The last day on which every study is in date."
    )
    items_overdue_since: date | None
    version: int | None = Field(description="The version that was looked at.")
    superseded_by: int | None = Field(description="The current version, if it is another.")
    version_hash: str | None = Field(description="SHA-256 of the signed bytes, hex.")
    issuer: str | None = Field(description="Name of the certificate.")
    checked_at: datetime


EXAMPLE: Final[Mapping[str, Any]] = {
    "verdict": "valid",
    "is_valid": True,
    "reasons": [],
    "message": "Действует",
    "name": "Берёзкина А. И.",
    "birth_year": 1991,
    "occupation_group": "Общественное питание",
    "issued_on": "2026-11-23",
    "valid_until": "2027-11-22",
    "items_valid_until": "2027-11-09",
    "items_overdue_since": None,
    "version": 1,
    "superseded_by": None,
    "version_hash": "2f0c7b6c9d0e6f0a5b1f6a8f2f1c7f6be1a59a3c1a8a9ad8e2a5a1b0c3d4e5f6",
    "issuer": "ЭМК Онлайн: подпись книжек",
    "checked_at": "2026-11-26T10:15:00+03:00",
}
SUMMARY: Final = "Ask whether a book may be worked on"


def _described(*, is_deprecated: bool) -> Described:
    return Described(
        Tag.VERIFY,
        f"{SUMMARY} (the old path)" if is_deprecated else SUMMARY,
        {
            200: Reply(
                "What the link shows.",
                VerdictSaid,
                headers={"Cache-Control": {"const": "no-store"}},
                example=EXAMPLE,
            )
        },
        {404: ("not_found",), 429: ("too_many_attempts",)},
        text="Each call is a look: the holder sees it in the log of their book.",
        parameters=(Parameter("code", "The last part of the link, 26 letters and digits.", CODE),),
        is_deprecated=is_deprecated,
    )


ENDPOINTS: Final = (
    Endpoint(
        "/api/v1/verify/{code}",
        "GET",
        Quick(verify),
        ANYONE,
        described=_described(is_deprecated=False),
    ),
    Endpoint(
        "/api/verify/{code}", "GET", Quick(verify), ANYONE, described=_described(is_deprecated=True)
    ),
    Endpoint(STREAMS + "{code}", "GET", stream, ANYONE),
    Endpoint("/v/{code:path}", "GET", page, ANYONE),
    Endpoint("/V/{code:path}", "GET", page, ANYONE),
    Endpoint("/v", "GET", unknown, ANYONE),
    Endpoint("/V", "GET", unknown, ANYONE),
    Endpoint("/v.html", "GET", unknown, ANYONE),
)
