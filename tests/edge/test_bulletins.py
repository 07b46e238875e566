"""News as strangers get them: a list, an item, the feed; drafts look as if they did not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from sqlalchemy.exc import OperationalError

from emk_app import clock
from emk_app.components.bulletins import text_html
from emk_app.domain.news import Typed
from emk_app.domain.upkeep import Component
from emk_app.services import announcing, publishing, upkeep
from tests.edge.test_routes import ask
from tests.factories import make_admin

pytestmark = pytest.mark.usefixtures("world")

HOSTILE = "<script>alert(1)</script> & \"'"


def publish(title: str, text: str, release: str = "now", *, now: datetime | None = None) -> None:
    now = now or clock.now()
    publishing.write(make_admin(now), Typed(title, text, release, ""), now=now)


def test_what_is_out_is_read_without_signing_in_and_without_scripts():
    publish("Запись на осмотр", f"Открыта {HOSTILE}.\nЗаходите.\n\n- раз\n- два")
    answer = ask("GET", "/news")
    assert answer.status_code == 200
    assert 'href="/news/zapis-na-osmotr"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in answer.headers["content-security-policy"]
    item = ask("GET", "/news/zapis-na-osmotr")
    assert item.status_code == 200
    assert "<title>Запись на осмотр — ЭМК Онлайн</title>" in item.text
    assert "<ul><li>раз</li><li>два</li></ul>" in item.text
    for page in (answer, item):
        assert "<script" not in page.text
    plain = ask("GET", "/news/zapis-na-osmotr", given={"accept-encoding": "identity"})
    assert (plain.text, plain.headers.get("content-encoding")) == (item.text, None)
    assert item.headers["content-encoding"] == "gzip"


def test_title_is_only_text():
    publish(HOSTILE, "Текст")
    [item] = publishing.feed(now=clock.now())
    for path in ("/news", f"/news/{item.slug}"):
        assert "<script" not in ask("GET", path).text


@pytest.mark.parametrize("path", ["/news/nothing", "/news/chernovik", "/news/a/b", "/news?page=9"])
def test_what_is_not_out_is_not_there(path: str):
    publish("Черновик", "Тайна", "draft")
    answer = ask("GET", path)
    assert answer.status_code == 404
    assert "Такой новости нет" in answer.text
    assert "Тайна" not in answer.text


def test_without_news_the_page_says_so():
    for path in ("/news", "/news/", "/news.html", "/news?page=x", "/news?page=-1"):
        answer = ask("GET", path)
        assert (answer.status_code, "Новостей пока нет" in answer.text) == (200, True), path


def test_long_list_is_read_page_by_page():
    now = clock.now() - timedelta(days=1)
    for n in range(publishing.PER_PAGE + 1):
        publish(f"Новость {n:02}", "Текст", now=now + timedelta(minutes=n))
    first, second = ask("GET", "/news").text, ask("GET", "/news?page=2").text
    assert "Новость 10" in first and "Новость 00" not in first
    assert 'href="/news?page=2"' in first
    assert "Новость 00" in second and 'href="/news"' in second
    assert "page=3" not in second


def test_feed_is_what_readers_of_feeds_know():
    publish("Работы", f"Ночью {HOSTILE}")
    publish("Черновик", "Тайна", "draft")
    answer = ask("GET", "/news/rss.xml")
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    channel = ElementTree.fromstring(answer.content).find("channel")
    assert channel is not None
    [item] = channel.findall("item")
    assert item.findtext("title") == "Работы"
    assert item.findtext("link") == "http://localhost:8000/news/raboty"
    assert item.findtext("description") == f"Ночью {HOSTILE}"
    assert (item.findtext("pubDate") or "").endswith("+0000")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "См. https://a.ru/b?c=1&d=2.",
            'См. <a class="e-link [overflow-wrap:anywhere]" href="https://a.ru/b?c=1&amp;d=2"'
            ' rel="noopener">https://a.ru/b?c=1&amp;d=2</a>.',
        ),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('https://a.ru/"onclick=x', None),
    ],
)
def test_only_addresses_of_the_web_become_links(text: str, html: str | None):
    written = text_html(text)
    if html is not None:
        assert written == f"<p>{html}</p>"
    assert '"onclick' not in written
    assert 'href="javascript' not in written


@pytest.mark.parametrize("path", ["/status", "/status/", "/status.html"])
def test_state_of_the_service_is_seen_by_strangers(path: str):
    upkeep.look(0, clock.now())
    answer = ask("GET", path)
    assert answer.status_code == 200
    assert "Всё работает" in answer.text
    assert answer.text.count('<svg class="e-days"') == len(Component)
    assert "<script" not in answer.text


def test_state_of_the_service_is_told_where_its_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
):
    def away(**_: object) -> None:
        raise OperationalError("SELECT 1", {}, OSError("10.0.0.5"))

    monkeypatch.setattr(upkeep, "board", away)
    answer = ask("GET", "/status")
    assert answer.status_code == 503
    assert "временно недоступен" in answer.text
    assert "10.0.0.5" not in answer.text


def test_announced_work_is_told_on_both_pages():
    now = clock.now()
    hours = ("01.12.2099 23:00", "01.12.2099 23:30")
    announcing.announce(make_admin(now), *hours, f"Вход {HOSTILE}", now=now)
    for path in ("/news", "/status"):
        said = ask("GET", path).text
        assert "Предстоят: 01.12.2099 23:00 — 23:30 по Москве" in said
        assert "<script" not in said


def test_every_screen_is_told_of_work_that_is_near_and_no_longer_once_it_is_called_off():
    now = clock.now()
    admin = make_admin(now)
    assert ask("GET", "/announced").json() == []
    soon = now + timedelta(days=2)
    hours = (f"{soon:%d.%m.%Y} 23:00", f"{soon:%d.%m.%Y} 23:30")
    window_id = announcing.announce(admin, *hours, f"Вход {HOSTILE}", now=now)
    announcing.announce(admin, "01.12.2099 23:00", "01.12.2099 23:30", "Нескоро.", now=now)
    answer = ask("GET", "/announced")
    [said] = answer.json()
    assert said == {
        "key": f"{window_id}-ahead",
        "head": f"Плановые работы: {hours[0]} — 23:30 по Москве.",
        "text": f"Вход {HOSTILE}",
    }
    assert answer.headers["cache-control"] == "private, max-age=60"
    announcing.cancel(admin, window_id, now=now)
    assert ask("GET", "/announced").json() == []


def test_where_the_database_is_away_screens_are_told_of_no_work(monkeypatch: pytest.MonkeyPatch):
    def away(**_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("10.0.0.5"))

    monkeypatch.setattr(announcing, "near", away)
    assert (ask("GET", "/announced").status_code, ask("GET", "/announced").json()) == (200, [])
