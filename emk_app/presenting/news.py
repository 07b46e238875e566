"""News in words: dates, beginnings, the feed, the administrator's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from xml.etree import ElementTree

from emk_app.clock import MOSCOW
from emk_app.domain.errors import Invalid
from emk_app.domain.news import Release
from emk_app.presenting import texts
from emk_app.presenting.formats import hour, moment
from emk_app.services.announcing import WindowView
from emk_app.services.publishing import ItemView

TITLE: Final = "Новости и обновления"
LEAD: Final = "Что изменилось в сервисе и когда в нём ведутся работы."
BEGINNING: Final = 240
RELEASES: Final = {
    Release.DRAFT: "Черновик: видят только администраторы",
    Release.NOW: "Сразу",
    Release.LATER: "В назначенное время",
}
SAVED: Final = "Новость сохранена."
REMOVED: Final = "Новость удалена."
UNKNOWN: Final = (
    "Такой новости нет",
    "Возможно, её сняли с публикации или в адресе опечатка.",
)


@dataclass(frozen=True, slots=True)
class NewsRow:
    """A line of the administrator's list."""

    id: int = 0
    title: str = ""
    state: str = ""
    tone: str = "neutral"
    when: str = ""
    href: str = ""
    """Where everybody reads it; empty while nobody does."""


@dataclass(frozen=True, slots=True)
class OpenNews:
    """The item in the form; 0 is a new one."""

    id: int = 0
    version: int = 0
    title: str = ""
    text: str = ""
    release: str = Release.DRAFT.value
    at: str = ""
    heading: str = "Новая новость"


def row(view: ItemView, now: datetime) -> NewsRow:
    """Return the line of an item."""
    if view.published_at is None:
        return NewsRow(view.id, view.title, "Черновик", "neutral", moment(view.changed_at))
    is_out = view.published_at <= now
    return NewsRow(
        view.id,
        view.title,
        "Опубликована" if is_out else "Выйдет позже",
        "success" if is_out else "waiting",
        moment(view.published_at),
        href(view.slug) if is_out else "",
    )


def opened(view: ItemView, now: datetime) -> OpenNews:
    """Return an item for the form."""
    at = view.published_at
    is_ahead = at is not None and at > now
    release = Release.DRAFT if at is None else Release.LATER if is_ahead else Release.NOW
    return OpenNews(
        view.id,
        view.version,
        view.title,
        view.text,
        release.value,
        moment(at) if at is not None and is_ahead else "",
        "Изменить новость",
    )


def href(slug: str) -> str:
    """Return where an item is read."""
    return f"/news/{slug}"


def beginning(text: str) -> str:
    """Return the first words of a text, cut between two words or before a list."""
    line = " ".join(text.partition("\n- ")[0].removeprefix("- ").split())
    if len(line) <= BEGINNING and not line.endswith(":"):
        return line
    cut = line if len(line) <= BEGINNING else line[:BEGINNING].rsplit(" ", 1)[0]
    return cut.rstrip(".,;:—–- ") + "…"


def listed(view: ItemView) -> tuple[str, str, str, str, str]:
    """Return what a list says of an item: address, title, when twice, beginning."""
    when, machine = dated(view)
    return href(view.slug), view.title, when, machine, beginning(view.text)


def dated(view: ItemView) -> tuple[str, str]:
    """Return when an item came out, for people and for machines."""
    at = view.published_at
    return ("", "") if at is None else (moment(at), at.astimezone(MOSCOW).isoformat("T", "minutes"))


def feed(views: Sequence[ItemView], origin: str) -> bytes:
    """Write the items as RSS 2.0."""
    rss = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(rss, "channel")

    def say(parent: ElementTree.Element, **said: str) -> None:
        for name, text in said.items():
            ElementTree.SubElement(parent, name).text = text

    say(
        channel,
        title=f"{TITLE} — ЭМК Онлайн",
        link=f"{origin}/news",
        description=LEAD,
        language="ru",
    )
    for view in views:
        if view.published_at is not None:
            item = ElementTree.SubElement(channel, "item")
            address = origin + href(view.slug)
            say(
                item,
                title=view.title,
                link=address,
                guid=address,
                pubDate=format_datetime(view.published_at),
                description=view.text,
            )
    return ElementTree.tostring(rss, encoding="utf-8", xml_declaration=True)


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each field of a refused item."""
    return texts.field_sentences(error)


ANNOUNCED: Final = (
    "Работы объявлены: их видно на страницах новостей и обслуживания, а за три дня — на всех."
)
CANCELLED: Final = "Объявление о работах снято."


@dataclass(frozen=True, slots=True)
class WindowRow:
    """Announced hours."""

    id: int = 0
    when: str = ""
    text: str = ""
    state: str = ""
    tone: str = "info"


def window(view: WindowView, now: datetime) -> WindowRow:
    """Return announced hours in words."""
    is_one_day = moment(view.starts_at)[:10] == moment(view.ends_at)[:10]
    ends = hour(view.ends_at) if is_one_day else moment(view.ends_at)
    is_on = view.starts_at <= now
    return WindowRow(
        view.id,
        f"{moment(view.starts_at)} — {ends} по Москве",
        view.text,
        "Идут сейчас" if is_on else "Предстоят",
        "waiting" if is_on else "info",
    )


@dataclass(frozen=True, slots=True)
class Announced:
    """Announced hours as every screen tells of them; ``key`` is another one once they begin."""

    key: str
    head: str
    text: str


def announced(view: WindowView, now: datetime) -> Announced:
    """Return what the strip on every screen says."""
    said = window(view, now)
    is_on = view.starts_at <= now
    head = "Идут плановые работы" if is_on else "Плановые работы"
    return Announced(f"{view.id}-{'on' if is_on else 'ahead'}", f"{head}: {said.when}.", view.text)
