"""What an employer's own systems ask by a key: the staff, its verdicts, checks before adding."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field, RootModel
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from emk_app import clock
from emk_app.api.describing import (
    JSON,
    Answer,
    Described,
    Model,
    Parameter,
    Reply,
    Security,
    Sent,
    Tag,
    read_json,
    read_query,
)
from emk_app.api.routing import Endpoint, refusal, worded
from emk_app.api.scans import drain
from emk_app.db.repositories.employers import StaffFilter
from emk_app.domain.books import Verdict
from emk_app.domain.employer_keys import (
    KeyEnded,
    KeyRefused,
    KeyRevoked,
    KeyScope,
    ScopeMissing,
)
from emk_app.domain.employing import (
    DEPARTMENT_LIMIT,
    LABEL_LIMIT,
    TAB_LIMIT,
    AccessEnded,
    AccessState,
    AddedBy,
    Light,
    StaffFull,
)
from emk_app.domain.errors import (
    Conflict,
    DomainError,
    Invalid,
    Malformed,
    NotFound,
    TooManyAttempts,
    WrongMediaType,
)
from emk_app.edge.allowance import Allowance
from emk_app.edge.policy import ANYONE
from emk_app.presenting import employer_keys as words
from emk_app.presenting import staff_files, texts
from emk_app.services import bulk_checking, employer_keys, employing
from emk_app.services.bulk_checking import Asked, Outcome
from emk_app.services.employer_keys import Bearer
from emk_app.services.employing import Said, StaffView
from emk_app.threads import in_thread

log = logging.getLogger("emk.api")

BASE: Final = "/api/v1/employer"
AT_ONCE: Final = 120
A_SECOND: Final = 5.0
CHECKS_AT_ONCE: Final = 10
CHECKS_A_SECOND: Final = 0.2
PAGE_LIMIT: Final = 200
allowance = Allowance(AT_ONCE, A_SECOND)
"""What one key may ask."""
checks_allowance = Allowance(CHECKS_AT_ONCE, CHECKS_A_SECOND)
"""How many arrays one key may have checked."""
HEADERS: Final = {"cache-control": "no-store"}

STATUSES: Final[tuple[tuple[type[DomainError], int, str], ...]] = (
    (KeyEnded, 401, "key_ended"),
    (KeyRevoked, 401, "key_revoked"),
    (KeyRefused, 401, "key_refused"),
    (ScopeMissing, 403, "scope_missing"),
    (AccessEnded, 409, "access_ended"),
    (StaffFull, 409, "staff_full"),
    (Conflict, 409, "conflict"),
    (NotFound, 404, "not_found"),
    (WrongMediaType, 415, "unsupported_media_type"),
    (Malformed, 422, "malformed"),
)


class Page(Model):
    """Which part of the staff is wanted."""

    after: int = Field(0, ge=0, lt=2**63, description="The `next` of the page before.")
    limit: int = Field(100, ge=1, le=PAGE_LIMIT, description="How many entries at most.")
    light: Light | None = Field(None, description="Only those under this light.")


class Words(Model):
    """What the employer says of a member of staff."""

    label: Annotated[str, Field(min_length=1, max_length=LABEL_LIMIT)]
    tab: Annotated[str, Field(max_length=TAB_LIMIT)] = ""
    department: Annotated[str, Field(max_length=DEPARTMENT_LIMIT)] = ""
    occupation: Annotated[str, Field(max_length=40)] = ""


class NewByLink(Words):
    """Somebody who has given a link to the book, or the code in it."""

    link: Annotated[str, Field(min_length=1, max_length=1000)]


class NewByNumber(Words):
    """Somebody who has given the number of the book and the СНИЛС."""

    number: Annotated[str, Field(min_length=1, max_length=60)]
    snils: Annotated[str, Field(min_length=1, max_length=60)]


class NewStaff(RootModel[NewByLink | NewByNumber]):
    """Somebody to be added."""


class LinkToCheck(Model):
    """One book by its link; ``ref`` comes back with the answer."""

    ref: Annotated[str, Field(max_length=60)] = ""
    link: Annotated[str, Field(min_length=1, max_length=1000)]


class NumberToCheck(Model):
    """One book by its number and the holder's СНИЛС; ``ref`` comes back with the answer."""

    ref: Annotated[str, Field(max_length=60)] = ""
    number: Annotated[str, Field(min_length=1, max_length=60)]
    snils: Annotated[str, Field(min_length=1, max_length=60)]


class Checks(Model):
    """Books to check; nobody is added to the list."""

    items: Annotated[
        list[LinkToCheck | NumberToCheck], Field(min_length=1, max_length=bulk_checking.AT_ONCE)
    ]


class Staff(Answer):
    """One member of staff: what the employer said, and what the book lets be seen."""

    id: int
    label: str
    tab: str
    department: str
    occupation: str
    added_by: AddedBy
    state: AccessState
    light: Light
    verdict: Verdict | None
    ends_on: date | None
    """The last day of the book or of its first study to end."""
    days_left: int | None
    group: str
    """The group of occupations that the book was made for."""
    name: str
    """As the holder shows it."""
    until: datetime | None
    """When the leave to look runs out."""
    checked_at: datetime | None


class StaffPage(Answer):
    """A part of the staff; ``next`` is where the following one begins, null on the last."""

    items: list[Staff]
    next: int | None
    total: int


class Checked(Answer):
    """What was found of one book."""

    ref: str
    outcome: Outcome
    verdict: Verdict | None
    ends_on: date | None
    name: str
    group: str
    message: str
    """Why nothing was found, in words."""


class CheckedAll(Answer):
    """What was found, in the order of the question."""

    items: list[Checked]


Serve = Callable[[Request, Bearer], Awaitable[Response]]


async def list_staff(request: Request, bearer: Bearer) -> Response:
    """Give a part of the staff with verdicts, in the order of their identities."""
    actor = bearer.permit(KeyScope.STAFF_READ)
    page = read_query(request, Page)
    views, total = await in_thread(
        employing.following,
        actor,
        StaffFilter(light=page.light),
        page.after,
        page.limit,
        now=clock.now(),
    )
    following = views[-1].id if len(views) == page.limit else None
    return _answer(StaffPage(items=[_staff(view) for view in views], next=following, total=total))


async def add_staff(request: Request, bearer: Bearer) -> Response:
    """Add somebody by a link, or by number and СНИЛС."""
    actor = bearer.permit(KeyScope.STAFF_WRITE)
    new = (await read_json(request, NewStaff)).root
    said, now = Said(new.label, new.tab, new.department, new.occupation), clock.now()
    if isinstance(new, NewByLink):
        entry_id = await in_thread(employing.add_by_link, actor, new.link, said, now=now)
    else:
        entry_id = await in_thread(
            employing.add_by_number,
            actor,
            new.number,
            new.snils,
            said,
            bulk_checking.source_of(bearer.organisation_id),
            now=now,
        )
    view = await in_thread(employing.one, actor, entry_id, now=now)
    return _answer(_staff(view), 201)


async def remove_staff(request: Request, bearer: Bearer) -> Response:
    """Take somebody off the list; nothing that was seen is kept."""
    actor = bearer.permit(KeyScope.STAFF_WRITE)
    said = str(request.path_params["entry_id"])
    if not (said.isascii() and said.isdigit() and len(said) < 19):
        raise NotFound
    await in_thread(employing.remove, actor, int(said), now=clock.now())
    return Response(status_code=204, headers=HEADERS)


async def check_books(request: Request, bearer: Bearer) -> Response:
    """Check an array of books by links, or by numbers with СНИЛС, and add nobody."""
    actor = bearer.permit(KeyScope.BOOKS_CHECK)
    key = str(bearer.key_id)
    if not checks_allowance.take(key, time.monotonic()):
        return _too_many(checks_allowance.wait(key, time.monotonic()))
    asked = await read_json(request, Checks)
    found = await in_thread(
        bulk_checking.check,
        actor,
        [
            Asked(link=each.link)
            if isinstance(each, LinkToCheck)
            else Asked(number=each.number, snils=each.snils)
            for each in asked.items
        ],
        now=clock.now(),
    )
    return _answer(
        CheckedAll(
            items=[
                Checked(
                    ref=each.ref,
                    outcome=one.outcome,
                    verdict=one.verdict,
                    ends_on=one.ends_on,
                    name=one.name,
                    group=one.group,
                    message=words.OUTCOMES[one.outcome],
                )
                for each, one in zip(asked.items, found, strict=True)
            ]
        )
    )


async def export_staff(_: Request, bearer: Bearer) -> Response:
    """Give the whole list as CSV, sent as it is read."""
    actor = bearer.permit(KeyScope.STAFF_READ)
    pieces = await in_thread(employing.export, actor, now=clock.now())
    return StreamingResponse(
        iterate_in_threadpool(staff_files.csv_pieces(pieces)),
        media_type="text/csv; charset=utf-8",
        headers=HEADERS,
    )


def _keyed(serve: Serve) -> Callable[[Request], Awaitable[Response]]:
    """Answer who shows a key; word every refusal for machines."""

    async def answer(request: Request) -> Response:
        try:
            bearer = await in_thread(employer_keys.bearer_of, _token(request), now=clock.now())
            key = str(bearer.key_id)
            if not allowance.take(key, time.monotonic()):
                await drain(request)
                return _too_many(allowance.wait(key, time.monotonic()))
            return await serve(request, bearer)
        except DomainError as error:
            return _worded(error)

    return answer


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token or len(token) > 200:
        raise KeyRefused
    return token.strip()


def _staff(view: StaffView) -> Staff:
    return Staff(
        id=view.id,
        label=view.said.label,
        tab=view.said.tab,
        department=view.said.department,
        occupation=view.said.occupation,
        added_by=view.added_by,
        state=view.state,
        light=view.light,
        verdict=view.verdict,
        ends_on=view.ends_on,
        days_left=view.days_left,
        group=view.group,
        name=view.name,
        until=view.until,
        checked_at=view.checked_at,
    )


def _answer(said: Answer, status: int = 200) -> Response:
    return Response(said.model_dump_json(), status, HEADERS, JSON)


def _worded(error: DomainError) -> JSONResponse:
    if isinstance(error, TooManyAttempts):
        return _too_many(max(int((error.until - clock.now()).total_seconds()) + 1, 1))
    if isinstance(error, Invalid):
        fields = {
            name.removeprefix("said_"): text for name, text in texts.field_sentences(error).items()
        }
        return _refused(
            422, "invalid", " ".join(f"{name}: {text}" for name, text in fields.items())
        )
    for kind, status, code in STATUSES:
        if isinstance(error, kind):
            answer = _refused(status, code, texts.sentence(error))
            if status == 401:
                answer.headers["www-authenticate"] = "Bearer"
            return answer
    answer = worded(error)
    answer.headers.update(HEADERS)
    return answer


def _too_many(wait: int) -> JSONResponse:
    answer = _refused(429, "too_many_requests", words.TOO_MANY)
    answer.headers["retry-after"] = str(wait)
    return answer


def _refused(status: int, code: str, sentence: str) -> JSONResponse:
    answer: Any = refusal(status, code, sentence)
    answer.headers.update(HEADERS)
    return answer


_UNSTORED: Final = {"Cache-Control": {"const": "no-store"}}
_UNKEYED: Final = {
    401: ("key_refused", "key_ended", "key_revoked"),
    403: ("scope_missing",),
}
_UNREAD: Final = {415: ("unsupported_media_type",), 422: ("malformed", "invalid")}
_SAID: Final = {"label": "Иванова М.", "tab": "17", "department": "Кухня", "occupation": "cook"}
_CODE: Final = "7K3M9QXB2VNA4TCH8WJD5RPE6F"
_ENTRY: Final = {
    "id": 17,
    **_SAID,
    "added_by": "link",
    "state": "granted",
    "light": "green",
    "verdict": "valid",
    "ends_on": "2027-11-23",
    "days_left": 362,
    "group": "Общественное питание",
    "name": "Иванова М. С.",
    "until": "2027-02-24T09:00:00Z",
    "checked_at": "2026-11-26T09:00:00Z",
}


def _described(
    scope: KeyScope,
    summary: str,
    replies: dict[int, Reply],
    refusals: dict[int, tuple[str, ...]] | None = None,
    text: str = "",
    **more: Any,
) -> Described:
    return Described(
        Tag.EMPLOYER,
        summary,
        replies,
        _UNKEYED | (refusals or {}),
        text=f"The key needs the scope `{scope}`. {text}".strip(),
        security=Security.KEY,
        **more,
    )


_LISTED: Final = _described(
    KeyScope.STAFF_READ,
    "The staff with verdicts, part by part",
    {
        200: Reply(
            "A part of the list, in the order of identities.",
            StaffPage,
            headers=_UNSTORED,
            example={"items": [_ENTRY], "next": None, "total": 1},
        )
    },
    {422: ("malformed",)},
    query=Page,
)
_ADDED: Final = _described(
    KeyScope.STAFF_WRITE,
    "Add somebody by a link, or by number and СНИЛС",
    {201: Reply("Added.", Staff, headers=_UNSTORED, example=_ENTRY)},
    _UNREAD | {404: ("not_found",), 409: ("access_ended", "staff_full", "conflict")},
    "The holder is told, and may end it.",
    sent={JSON: Sent(NewStaff, {**_SAID, "link": _CODE})},
)
_REMOVED: Final = _described(
    KeyScope.STAFF_WRITE,
    "Take somebody off the list",
    {204: Reply("Removed; what was seen of the book is forgotten.", headers=_UNSTORED)},
    {404: ("not_found",)},
    parameters=(
        Parameter("entry_id", "The `id` of the entry.", {"type": "integer", "minimum": 1}, 17),
    ),
)
_CHECKED: Final = _described(
    KeyScope.BOOKS_CHECK,
    "Check an array of books and add nobody",
    {
        200: Reply(
            "What was found, in the order of the question.",
            CheckedAll,
            headers=_UNSTORED,
            example={
                "items": [
                    {
                        "ref": "1",
                        "outcome": "found",
                        "verdict": "valid",
                        "ends_on": "2027-11-23",
                        "name": "И****** М.",
                        "group": "",
                        "message": "",
                    }
                ]
            },
        )
    },
    {415: ("unsupported_media_type",), 422: ("malformed",)},
    "Each look is told to its holder.",
    sent={JSON: Sent(Checks, {"items": [{"ref": "1", "link": _CODE}]})},
)
_EXPORTED: Final = _described(
    KeyScope.STAFF_READ,
    "The whole list as a table",
    {200: Reply("UTF-8 with semicolons.", {"type": "string"}, "text/csv", headers=_UNSTORED)},
)

ENDPOINTS: Final = (
    Endpoint(f"{BASE}/staff", "GET", _keyed(list_staff), ANYONE, _LISTED),
    Endpoint(f"{BASE}/staff", "POST", _keyed(add_staff), ANYONE, _ADDED),
    Endpoint(f"{BASE}/staff/{{entry_id}}", "DELETE", _keyed(remove_staff), ANYONE, _REMOVED),
    Endpoint(f"{BASE}/checks", "POST", _keyed(check_books), ANYONE, _CHECKED),
    Endpoint(f"{BASE}/staff.csv", "GET", _keyed(export_staff), ANYONE, _EXPORTED),
)
