"""From whatever somebody pasted, photographed or typed to the verdict; no script is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, address_of
from emk_app.api.scans import drain, file_of
from emk_app.api.shells import Shell, bare, shell
from emk_app.api.verdict import SAMPLE
from emk_app.components.check import CHECK_SLOT, LINK, NUMBER, PICTURE, SNILS, check_forms_html
from emk_app.components.verdict import verdict_html
from emk_app.domain.errors import Invalid, NotFound, TooManyAttempts
from emk_app.domain.switches import FeatureOff
from emk_app.edge.allowance import Allowance
from emk_app.edge.headers import BUILD
from emk_app.edge.policy import ANYONE
from emk_app.presenting import checks, texts
from emk_app.services import lookup
from emk_app.services.lookup import LONGEST_PASTED, NotACode, share_in
from emk_app.settings import settings
from emk_app.storage import codes
from emk_app.storage.codes import PICTURE_LIMIT, PictureNotReadable
from emk_app.storage.errors import ScanCheckUnavailable
from emk_app.threads import in_thread

PICTURES_AT_ONCE: Final = 30
PICTURES_A_SECOND: Final = 0.2
"""What one address may have read: each picture costs a process."""

_UNBUILT: Final = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    "<title>Проверить книжку — ЭМК Онлайн</title></head>"
    f"<body><main>{CHECK_SLOT}</main></body></html>"
)

allowance: Final = Allowance(PICTURES_AT_ONCE, PICTURES_A_SECOND)


async def open_verdict(request: Request) -> Response:
    """Lead to the verdict of the link or code; say beside the field what else it is."""
    typed = request.query_params.get(LINK, "")
    try:
        return RedirectResponse(f"/v/{share_in(typed)}", 303)
    except NotACode as error:
        said = _not_a_code(error) if typed.strip() else checks.NO_CODE
        return _page(request, 422, typed={LINK: typed[:LONGEST_PASTED]}, errors={LINK: said})


async def read_picture(request: Request) -> Response:
    """Lead to the verdict of the code in a picture; the picture is kept nowhere."""
    if not allowance.take(address_of(request), asyncio.get_running_loop().time()):
        await drain(request)
        return _page(request, 429, errors={PICTURE: checks.TOO_MANY})
    try:
        picture, _ = await file_of(request, PICTURE)
    except (MultiPartException, ClientDisconnect, KeyError):
        return _page(request, 422, errors={PICTURE: checks.LARGE_PICTURE})
    if not picture:
        return _page(request, 422, errors={PICTURE: checks.NO_PICTURE})
    if len(picture) > PICTURE_LIMIT:
        return _page(request, 422, errors={PICTURE: checks.LARGE_PICTURE})
    try:
        found = await in_thread(codes.read_codes, picture)
    except PictureNotReadable:
        return _page(request, 422, errors={PICTURE: checks.BROKEN_PICTURE})
    except ScanCheckUnavailable:
        return _page(request, 503, errors={PICTURE: checks.BUSY})
    for text in found:
        try:
            return RedirectResponse(f"/v/{share_in(text)}", 303)
        except NotACode:
            continue
    said = checks.OTHER_QR if found else checks.NO_QR
    return _page(request, 422, errors={PICTURE: said})


async def look_up(request: Request) -> Response:
    """Show the book of a number and a СНИЛС, the name masked; neither goes into an address."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=8)
    typed = {name: sent.get(name, [""])[0][:60] for name in (NUMBER, SNILS)}
    try:
        result = await in_thread(
            lookup.by_number, typed[NUMBER], typed[SNILS], address_of(request), now=clock.now()
        )
    except Invalid as error:
        return _page(request, 422, typed=typed, errors=texts.field_sentences(error))
    except FeatureOff as error:
        return _page(request, 503, typed=typed, errors={NUMBER: texts.sentence(error)})
    except TooManyAttempts as error:
        return _page(request, 429, typed=typed, errors={NUMBER: texts.sentence(error)})
    except NotFound:
        said = verdict_html(**checks.NOT_FOUND, level=2)
        return _page(request, 404, answer=said, typed=typed)
    # Who has found it needs to type neither again, and the next at this screen must not read them.
    return _page(request, 200, answer=verdict_html(**checks.found_words(result)))


def _not_a_code(error: NotACode) -> str:
    if not error.host:
        return checks.NOT_A_CODE
    own = urlsplit(settings().origin).netloc
    return checks.FOREIGN.format(host=error.host, own=own)


@cache
def built() -> Shell:
    """Return the check page of the build around its forms; where nothing is built, a bare one."""
    file = BUILD / "check.html"
    html, styles = bare(file, BUILD) if file.exists() else ("", "")
    forms = check_forms_html()
    sample = forms + check_forms_html({LINK: "x"}, {LINK: "x"}) + SAMPLE
    if forms not in html:
        return shell(_UNBUILT, "", CHECK_SLOT, sample)
    return shell(html.replace(forms, CHECK_SLOT, 1), styles, CHECK_SLOT, sample)


def _page(
    request: Request,
    status: int,
    *,
    answer: str = "",
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    made = built()
    headers: dict[str, Any] = {
        "cache-control": "no-store",
        "x-robots-tag": "noindex, nofollow",
        "content-security-policy": made.policy.replace("form-action 'none'", "form-action 'self'"),
    }
    body = answer + check_forms_html(typed, errors)
    return Response(made.filled(body), status, headers, "text/html; charset=utf-8")


ENDPOINTS = (
    Endpoint("/check/open", "GET", open_verdict, ANYONE),
    Endpoint("/check/picture", "POST", read_picture, ANYONE),
    Endpoint("/check/number", "POST", look_up, ANYONE),
)
