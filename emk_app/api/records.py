"""Pages of papers for a physician who reads a record, and what another system fetches once."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import cache
from html import escape
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.describing import (
    CODE,
    FHIR,
    Described,
    FhirDocument,
    Parameter,
    Reply,
    SavedVersion,
    Tag,
)
from emk_app.api.routing import Endpoint, actor_of, address_of, refusal, worded
from emk_app.api.scans import as_picture, page_of
from emk_app.api.shells import Shell, bare, shell
from emk_app.api.verdict import VerdictSaid
from emk_app.components.verdict import VERDICT_SLOT, VerdictTone, verdict_html
from emk_app.domain.actors import Role
from emk_app.domain.disclosures import HandoverOver, HandoverScope, network_of
from emk_app.domain.errors import DomainError, NotFound
from emk_app.edge.allowance import Allowance
from emk_app.edge.headers import BUILD
from emk_app.edge.policy import ANYONE, roles
from emk_app.presenting import texts, verdicts
from emk_app.presenting.disclosures import HANDOVER_SCOPES
from emk_app.services import handing_over, showing
from emk_app.services.exporting import MEDIA_TYPES, ExportFormat
from emk_app.services.handing_over import Package
from emk_app.threads import in_thread

AT_ONCE: Final = 20
A_SECOND: Final = 0.2
allowance: Final = Allowance(AT_ONCE, A_SECOND)
"""What one address may ask: the codes are not guessed, the service is spared."""
ROBOTS: Final = "noindex, nofollow"
TITLE: Final = "Передача сведений из медкнижки"
_MEDIA: Final = {
    HandoverScope.EXTRACT: MEDIA_TYPES[ExportFormat.JSON],
    HandoverScope.FHIR: MEDIA_TYPES[ExportFormat.FHIR],
}
_TOO_MANY: Final = "С вашего адреса слишком много запросов. Подождите минуту и повторите."
_UNKNOWN: Final = "По этой ссылке ничего нет. Проверьте, что она скопирована целиком."
_BARE: Final = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    f"<title>{TITLE}</title></head><body><main>{VERDICT_SLOT}</main></body></html>"
)


async def paper(request: Request) -> Response:
    """Show one page of a paper to the physician the record is open to."""
    actor = await actor_of(request)
    text = str(request.path_params["grant_id"])
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound
    picture = await in_thread(
        showing.paper,
        actor,
        int(text),
        str(request.path_params["ref"]),
        page=page_of(request.query_params.get("page", "1")),
        now=clock.now(),
    )
    return as_picture(picture)


async def ask(request: Request) -> Response:
    """Say what the link gives and that it gives it once; a preview of it burns nothing."""
    if not allowance.take(address_of(request), time.monotonic()):
        return _page(429, _told("neutral", "Слишком много запросов", _TOO_MANY))
    try:
        scope = await in_thread(
            handing_over.peek, str(request.path_params["code"]), now=clock.now()
        )
    except DomainError as error:
        return _refused(error)
    return _page(200, _offer(scope))


async def take(request: Request) -> Response:
    """Give a person the file, once."""
    if not allowance.take(address_of(request), time.monotonic()):
        return _page(429, _told("neutral", "Слишком много запросов", _TOO_MANY))
    try:
        package = await _fetched(request)
    except DomainError as error:
        return _refused(error)
    return _file(package, attached=True)


async def give(request: Request) -> Response:
    """Give a machine the same, once (docs/handover.md)."""
    if not allowance.take(address_of(request), time.monotonic()):
        answer = refusal(429, "too_many_attempts", _TOO_MANY)
        answer.headers["retry-after"] = "60"
        return _unstored(answer)
    try:
        package = await _fetched(request)
    except HandoverOver as error:
        return _unstored(refusal(410, f"handover_{error.state}", texts.sentence(error)))
    except NotFound:
        return _unstored(refusal(404, "not_found", _UNKNOWN))
    except DomainError as error:
        return _unstored(worded(error))
    return _file(package, attached=False)


async def _fetched(request: Request) -> Package:
    return await in_thread(
        handing_over.fetch,
        str(request.path_params["code"]),
        network_of(address_of(request)),
        now=clock.now(),
    )


def _file(package: Package, *, attached: bool) -> Response:
    if package.document is not None:
        answer = Response(package.document, media_type=_MEDIA[package.scope])
    else:
        assert package.verdict is not None
        said = {"format": "emk-verdict/1", "number": package.number.digits}
        answer = JSONResponse(said | verdicts.answer(package.verdict))
    if attached:
        name = f"emk-{package.number.digits}-{package.version}.json"
        answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return _unstored(answer)


def _unstored(answer: Response) -> Response:
    answer.headers["cache-control"] = "no-store"
    answer.headers["x-robots-tag"] = ROBOTS
    return answer


def _refused(error: DomainError) -> Response:
    if isinstance(error, NotFound):
        return _page(404, _told("neutral", "Ссылка не найдена", _UNKNOWN))
    status = 410 if isinstance(error, HandoverOver) else 409
    return _page(status, _told("waiting", "Сведений здесь больше нет", texts.sentence(error)))


def _told(tone: VerdictTone, word: str, sentence: str) -> str:
    return verdict_html(tone=tone, word=word, sentence=sentence)


def _offer(scope: HandoverScope) -> str:
    title, text = HANDOVER_SCOPES[scope]
    return (
        verdict_html(
            tone="neutral",
            word="Вам передают сведения из медкнижки",
            sentence=f"{title}. {text}",
        )
        + '<div class="e-card"><p>Файл можно получить один раз, потом ссылка перестанет '
        "работать. Владелец книжки увидит, когда его получили.</p>"
        '<form method="post" class="e-form"><button type="submit" class="btn btn-primary">'
        f"{escape('Получить файл')}</button></form></div>"
    )


def _page(status: int, body: str) -> Response:
    made = built()
    headers = {
        "cache-control": "no-store",
        "x-robots-tag": ROBOTS,
        "content-security-policy": made.policy.replace("form-action 'none'", "form-action 'self'"),
    }
    return Response(made.filled(body), status, headers, "text/html; charset=utf-8")


@cache
def built() -> Shell:
    """Return the page of the build around the slot; where nothing is built, a bare one."""
    sample = _offer(HandoverScope.VERDICT) + _told("waiting", "", "")
    file = BUILD / "v.html"
    if not file.exists():
        return shell(_BARE, "", VERDICT_SLOT, sample)
    html, css = bare(file, BUILD)
    html = re.sub(r"<title>.*?</title>", f"<title>{TITLE} — ЭМК Онлайн</title>", html, count=1)
    return shell(html, css, VERDICT_SLOT, sample)


class VerdictHanded(VerdictSaid):
    """A verdict of a book that is named."""

    format: Literal["emk-verdict/1"]
    number: str


_HANDED: Final = Described(
    Tag.HANDOVER,
    "Fetch what a holder hands over, once",
    {
        200: Reply(
            "What was agreed to: a verdict, a signed version, or a FHIR document.",
            (VerdictHanded, SavedVersion),
            others={FHIR: FhirDocument},
            headers={"Cache-Control": {"const": "no-store"}},
        )
    },
    {
        404: ("not_found",),
        409: ("conflict",),
        410: ("handover_fetched", "handover_revoked", "handover_expired"),
        429: ("too_many_attempts",),
    },
    text="No body. The link is closed by the answer; one that is lost is not given again.",
    parameters=(Parameter("code", "The last part of the link.", CODE),),
)

ENDPOINTS: Final = (
    Endpoint("/api/records/{grant_id}/papers/{ref}", "GET", paper, roles(Role.CLINIC)),
    Endpoint("/handover/{code}", "GET", ask, ANYONE),
    Endpoint("/handover/{code}", "POST", take, ANYONE),
    Endpoint("/api/v1/handover/{code}", "POST", give, ANYONE, described=_HANDED),
    Endpoint(
        "/api/handover/{code}",
        "POST",
        give,
        ANYONE,
        described=replace(_HANDED, summary=f"{_HANDED.summary} (the old path)", is_deprecated=True),
    ),
)
