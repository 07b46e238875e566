"""Passkeys talk to the page's script: what to ask a key for, and what it has answered.

By plain HTTP, since a browser asks a key only while the press of a button is fresh, and since the
door opens with a cookie.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.describing import is_json
from emk_app.api.routing import Endpoint, actor_of, caller_of
from emk_app.domain.errors import NotSignedIn, WrongMediaType
from emk_app.domain.factors import LONGEST_NAME, PasskeyRefused
from emk_app.edge import cookies
from emk_app.edge.cookies import Standing
from emk_app.edge.policy import ANYONE, SIGNED_IN
from emk_app.presenting.devices import device_name
from emk_app.services import accounts, passkeys
from emk_app.states.session import HOME
from emk_app.threads import in_thread

Short = Annotated[str, msgspec.Meta(max_length=2_000)]
Long = Annotated[str, msgspec.Meta(max_length=32_000)]
Word = Annotated[str, msgspec.Meta(max_length=20)]


class _Made(msgspec.Struct, forbid_unknown_fields=True):
    clientDataJSON: Short
    attestationObject: Long
    transports: Annotated[list[Word], msgspec.Meta(max_length=10)]


class _Shown(msgspec.Struct, forbid_unknown_fields=True):
    clientDataJSON: Short
    authenticatorData: Short
    signature: Short
    userHandle: Short | None


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser says of the key it has made."""

    id: Short
    rawId: Short
    type: Literal["public-key"]
    response: _Made
    name: Annotated[str, msgspec.Meta(max_length=4 * LONGEST_NAME)] = ""


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What a key has signed."""

    id: Short
    rawId: Short
    type: Literal["public-key"]
    response: _Shown


M = TypeVar("M", NewKey, Answer)


async def ask_to_enter(request: Request) -> Response:
    """Say what a key is asked for at the second step of signing in."""
    return JSONResponse(await in_thread(passkeys.ask_at_door, _door_of(request), now=clock.now()))


async def enter(request: Request) -> Response:
    """Open the door to whoever has the key."""
    answer = await _read(request, Answer)
    door = _door_of(request)
    ticket = await in_thread(passkeys.answer_at_door, door, _plain(answer), now=clock.now())
    return await _opened(request, door, ticket)


async def ask_to_enrol(request: Request) -> Response:
    """Say what the first factor of an account is made from."""
    return JSONResponse(
        await in_thread(passkeys.begin_enrolment, _door_of(request), now=clock.now())
    )


async def enrol(request: Request) -> Response:
    """Keep the first factor of an account, named after the device, and open the door."""
    made = await _read(request, NewKey)
    door = _door_of(request)
    ticket = await in_thread(
        passkeys.confirm_enrolment,
        door,
        _device(request)[:LONGEST_NAME],
        _plain(made),
        now=clock.now(),
    )
    return await _opened(request, door, ticket)


async def ask_to_renew(request: Request) -> Response:
    """Say what a key is asked for before a sensitive act."""
    actor = await actor_of(request)
    return JSONResponse(await in_thread(passkeys.ask_in_session, actor, now=clock.now()))


async def renew(request: Request) -> Response:
    """Take the key's answer as a fresh factor."""
    answer = await _read(request, Answer)
    actor = await actor_of(request)
    await in_thread(passkeys.answer_in_session, actor, _plain(answer), now=clock.now())
    return JSONResponse({})


async def ask_to_add(request: Request) -> Response:
    """Say what one more key is made from."""
    actor = await actor_of(request)
    return JSONResponse(await in_thread(passkeys.begin_adding, actor, now=clock.now()))


async def add(request: Request) -> Response:
    """Keep one more key."""
    made = await _read(request, NewKey)
    actor = await actor_of(request)
    name = made.name.strip() or _device(request)[:LONGEST_NAME]
    await in_thread(passkeys.confirm_adding, actor, name, _plain(made), now=clock.now())
    return JSONResponse({})


async def _read(request: Request, kind: type[M]) -> M:
    """Return what the script sent; anything else proves nothing."""
    if not is_json(request.headers.get("content-type", "")):
        raise WrongMediaType
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PasskeyRefused from error


def _plain(said: NewKey | Answer) -> dict[str, Any]:
    return msgspec.to_builtins(said)


def _door_of(request: Request) -> str:
    caller = caller_of(request)
    if caller.standing is not Standing.STRANGER:
        raise NotSignedIn
    return caller.ref


def _device(request: Request) -> str:
    return device_name(request.headers.get("user-agent", ""))


async def _opened(request: Request, door: str, ticket: str) -> Response:
    cookie, role = await in_thread(
        accounts.enter, door, ticket, device=_device(request), now=clock.now()
    )
    said: dict[str, Any] = {"next": HOME[role]}
    answer = JSONResponse(said)
    answer.headers["set-cookie"] = cookies.set_cookie(cookie)
    return answer


ENDPOINTS: Final = (
    Endpoint("/api/passkeys/enter/options", "POST", ask_to_enter, ANYONE),
    Endpoint("/api/passkeys/enter", "POST", enter, ANYONE),
    Endpoint("/api/passkeys/enrol/options", "POST", ask_to_enrol, ANYONE),
    Endpoint("/api/passkeys/enrol", "POST", enrol, ANYONE),
    Endpoint("/api/passkeys/renew/options", "POST", ask_to_renew, SIGNED_IN),
    Endpoint("/api/passkeys/renew", "POST", renew, SIGNED_IN),
    Endpoint("/api/passkeys/add/options", "POST", ask_to_add, SIGNED_IN),
    Endpoint("/api/passkeys/add", "POST", add, SIGNED_IN),
)
