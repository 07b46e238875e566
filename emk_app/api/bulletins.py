"""News, its feed and the state of the service: finished pages for everybody, without scripts."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app import clock, incidents
from emk_app.api.routing import Endpoint
from emk_app.api.shells import Shell, bare, shell
from emk_app.components import bulletins
from emk_app.components.bulletins import BULLETIN_SLOT
from emk_app.components.icons import TONE_ICONS
from emk_app.components.layout import NEWS_ROUTE, STATUS_ROUTE
from emk_app.domain.errors import NotFound
from emk_app.edge.headers import BUILD
from emk_app.edge.policy import ANYONE
from emk_app.outages import is_outage
from emk_app.presenting import news, switches
from emk_app.presenting import upkeep as words
from emk_app.services import announcing, publishing, switching, upkeep
from emk_app.settings import settings
from emk_app.threads import in_thread

log = logging.getLogger("emk.bulletins")

ANNOUNCED: Final = "/announced"
ANNOUNCED_FOR: Final = 60
"""Seconds for which a browser asks no second time."""
FEED: Final = f"{NEWS_ROUTE}/rss.xml"
LAST_PAGE: Final = 1000
_TITLE: Final = re.compile(rb"<title>[^<]*</title>")
_UNBUILT: Final = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    f"<title>ЭМК Онлайн</title></head><body><main>{BULLETIN_SLOT}</main></body></html>"
)
SAMPLE: Final = (
    bulletins.article_html("a", "a", "a", "a https://a.ru\n\n- a")
    + bulletins.list_html([("a", "a", "a", "a", "a")], bulletins.pages_html("a", "a"))
    + bulletins.list_html([], "")
    + bulletins.nothing_html("a", "a", "a", "a")
    + bulletins.feed_link_html("a")
    + "".join(bulletins.state_html(tone, "a", "a") for tone in TONE_ICONS)
    + "".join(bulletins.part_html("a", "a", tone, "a", [(tone, "a")]) for tone in TONE_ICONS)
    + bulletins.incidents_html([("a", "a")])
    + bulletins.incidents_html([])
)
"""All parts of the pages, for finding the styles they may need."""


async def news_list(request: Request) -> Response:
    """Answer with the newest items, or with older ones by ``?page=2``."""
    asked = request.query_params.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 1
    number = min(max(number, 1), LAST_PAGE)
    windows = await _windows()
    items, has_more = await in_thread(publishing.page, number, now=clock.now())
    if number > 1 and not items:
        return _no_such_news(request)
    pages = bulletins.pages_html(
        _page_href(number - 1) if number > 1 else "",
        _page_href(number + 1) if has_more and number < LAST_PAGE else "",
    )
    body = (
        bulletins.head_html(news.TITLE, news.LEAD)
        + windows
        + bulletins.list_html([news.listed(each) for each in items], pages)
        + bulletins.feed_link_html(FEED)
    )
    return answer_page(request, NEWS_ROUTE, news.TITLE, body)


async def news_item(request: Request) -> Response:
    """Answer with one item."""
    slug = request.path_params["slug"].strip("/")
    if not slug:
        return await news_list(request)
    try:
        item = await in_thread(publishing.read, slug[:100], now=clock.now())
    except NotFound:
        return _no_such_news(request)
    body = await _windows() + bulletins.article_html(item.title, *news.dated(item), item.text)
    return answer_page(request, NEWS_ROUTE, item.title, body)


async def news_feed(_: Request) -> Response:
    """Answer with the feed."""
    items = await in_thread(publishing.feed, now=clock.now())
    headers = {"cache-control": "public, max-age=300"}
    body = news.feed(items, settings().origin)
    return Response(body, 200, headers, "application/rss+xml; charset=utf-8")


async def status(request: Request) -> Response:
    """Answer with how the service does; also where its database is away."""
    now = clock.now()
    try:
        board = await in_thread(upkeep.board, now=now)
        windows = await _windows() + await _switched_off()
    except Exception as error:
        if not is_outage(error):
            raise
        incidents.note(log, STATUS_ROUTE, error)
        body = bulletins.head_html(words.TITLE) + bulletins.state_html("danger", *words.OUTAGE)
        return answer_page(request, STATUS_ROUTE, words.TITLE, body, 503)
    said = words.said(board, clock.day_of(now))
    body = "".join(
        (
            bulletins.head_html(words.TITLE, words.LEAD),
            bulletins.state_html(said.tone, said.headline, said.text),
            windows,
            *(
                bulletins.part_html(each.name, each.state, each.tone, each.share, each.days)
                for each in said.parts
            ),
            bulletins.incidents_html(said.incidents),
        )
    )
    return answer_page(request, STATUS_ROUTE, words.TITLE, body)


async def announced(_: Request) -> Response:
    """Answer with the hours of work that screens tell of, and with what is switched off."""
    now = clock.now()
    try:
        near = await in_thread(announcing.near, now=now)
        off = await in_thread(switching.off, now=now)
    except Exception as error:
        if not is_outage(error):
            raise
        near, off = [], {}
    said = [asdict(news.announced(each, now)) for each in near]
    said += [switches.announced(*each) for each in off.items()]
    return JSONResponse(said, headers={"cache-control": f"private, max-age={ANNOUNCED_FOR}"})


def answer_page(request: Request, page: str, title: str, body: str, status: int = 200) -> Response:
    """Return the built ``page`` with its slot filled and its own title."""
    made = _built(page)
    named = f"<title>{escape(title)} — ЭМК Онлайн</title>".encode()
    content = _TITLE.sub(lambda _: named, made.head, count=1) + body.encode() + made.tail
    headers = {
        "cache-control": "no-store",
        "content-security-policy": made.policy,
        "vary": "accept-encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        content = gzip.compress(content, 5)
    return Response(content, status, headers, "text/html; charset=utf-8")


async def _windows() -> str:
    now = clock.now()
    rows = [news.window(each, now) for each in await in_thread(announcing.ahead, now=now)]
    return bulletins.windows_html([(row.tone, row.state, row.when, row.text) for row in rows])


async def _switched_off() -> str:
    off = await in_thread(switching.off, now=clock.now())
    said = [switches.announced(*each) for each in off.items()]
    return "".join(bulletins.state_html("waiting", each["head"], each["text"]) for each in said)


def _no_such_news(request: Request) -> Response:
    body = bulletins.nothing_html(*news.UNKNOWN, NEWS_ROUTE, "Все новости")
    return answer_page(request, NEWS_ROUTE, news.UNKNOWN[0], body, 404)


def _page_href(number: int) -> str:
    return NEWS_ROUTE if number == 1 else f"{NEWS_ROUTE}?page={number}"


@cache
def _built(page: str) -> Shell:
    """Return the page of the build around the slot; where nothing is built, a bare one."""
    file = BUILD / f"{page.strip('/')}.html"
    if not file.exists():
        return shell(_UNBUILT, "", BULLETIN_SLOT, SAMPLE)
    return shell(*bare(file, BUILD), BULLETIN_SLOT, SAMPLE)


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(NEWS_ROUTE, "GET", news_list, ANYONE),
    Endpoint(ANNOUNCED, "GET", announced, ANYONE),
    Endpoint(f"{NEWS_ROUTE}.html", "GET", news_list, ANYONE),
    Endpoint(FEED, "GET", news_feed, ANYONE),
    Endpoint(f"{NEWS_ROUTE}/{{slug:path}}", "GET", news_item, ANYONE),
    Endpoint(STATUS_ROUTE, "GET", status, ANYONE),
    Endpoint(f"{STATUS_ROUTE}/", "GET", status, ANYONE),
    Endpoint(f"{STATUS_ROUTE}.html", "GET", status, ANYONE),
)
