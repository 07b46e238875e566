"""The page of the verdict: its words, its markup, its styles."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from emk_app.api import shells, verdict
from emk_app.components.verdict import VERDICT_SLOT, verdict_html
from emk_app.domain.books import Verdict
from emk_app.presenting import verdicts
from emk_app.presenting.texts import NOT_SHAREABLE
from emk_app.services.sharing import TOKEN_VERDICTS
from emk_app.services.verifying import LookResult

NOW = datetime(2026, 11, 23, 18, 30, 5, tzinfo=UTC)
KNOWN = LookResult(
    Verdict.VALID,
    (),
    NOW,
    name="Иванова М. С.",
    birth_year=1990,
    occupation_group="Общественное питание",
    issued_on=date(2026, 11, 23),
    valid_until=date(2031, 11, 23),
    days_left=1826,
    items_valid_until=date(2027, 11, 23),
    version=1,
    version_hash="3f7a91c05be244d1" + "0" * 48,
    issuer="ЭМК Онлайн: подпись медкнижек",
)
LINK_IS_OVER = {Verdict.LINK_REVOKED, Verdict.LINK_EXPIRED, Verdict.LINK_EXHAUSTED}
SILENT = LINK_IS_OVER | {Verdict.NOT_GENUINE}
HEADLINES = {
    Verdict.VALID: "Действует",
    Verdict.LINK_REVOKED: "Ссылка закрыта",
    Verdict.LINK_EXPIRED: "Срок ссылки прошёл",
    Verdict.LINK_EXHAUSTED: "Просмотры закончились",
    Verdict.NOT_GENUINE: "Подлинность не подтверждена",
    Verdict.REVOKED: "Аннулирована",
    Verdict.SUSPENDED: "Приостановлена",
    Verdict.SUPERSEDED: "Заменена новой версией",
    Verdict.NOT_RECEIVED: "Ещё не выдана",
    Verdict.TERM_PASSED: "Срок истёк",
    Verdict.ITEMS_OVERDUE: "Осмотр просрочен",
}


def result_of(which: Verdict) -> LookResult:
    if which in SILENT:
        return LookResult(which, (which,), NOW)
    reasons = () if which is Verdict.VALID else (which,)
    overdue = date(2026, 11, 1) if which is Verdict.ITEMS_OVERDUE else None
    newer = 2 if which is Verdict.SUPERSEDED else None
    return LookResult(
        which,
        reasons,
        NOW,
        **{
            name: getattr(KNOWN, name)
            for name in LookResult.__struct_fields__
            if name
            not in ("verdict", "reasons", "checked_at", "items_overdue_since", "superseded_by")
        },
        items_overdue_since=overdue,
        superseded_by=newer,
    )


def page_of(which: Verdict) -> str:
    return verdict_html(**verdicts.page_words(result_of(which)))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("which", list(Verdict))
def test_page_says_each_verdict_and_when_it_was_checked(which: Verdict):
    text = text_of(page_of(which))
    assert HEADLINES[which] in text
    assert "Проверено в 21:30:05" in text
    assert "23.11.2026" in text


@pytest.mark.parametrize("which", [each for each in Verdict if each is not Verdict.VALID])
def test_page_says_what_to_do_where_something_is_wrong(which: Verdict):
    assert "Что делать" in text_of(page_of(which))
    assert verdicts.VERDICTS[which].tone in ("waiting", "danger")


@pytest.mark.parametrize("which", list(Verdict))
def test_only_the_valid_one_is_green(which: Verdict):
    assert ('data-tone="success"' in page_of(which)) is (which is Verdict.VALID)


@pytest.mark.parametrize("which", sorted(SILENT))
def test_dead_link_and_forged_version_tell_nothing_of_the_holder(which: Verdict):
    text = text_of(page_of(which))
    assert not re.search(r"Иванова|1990|питание|3F7A|Версия", text)


@pytest.mark.parametrize("which", sorted(set(Verdict) - SILENT))
def test_name_is_to_be_compared_with_the_passport(which: Verdict):
    text = text_of(page_of(which))
    assert "Иванова М. С." in text
    assert "паспорт" in text


def test_anonymous_page_says_that_it_names_nobody():
    anonymous = LookResult(Verdict.VALID, (), NOW, valid_until=date(2031, 11, 23), version=1)
    text = text_of(verdict_html(**verdicts.page_words(anonymous)))
    assert "не называет владельца" in text


def test_valid_page_tells_the_terms_inclusive_and_the_hash_both_ways():
    text = text_of(page_of(Verdict.VALID))
    assert "по 23.11.2031 включительно" in text
    assert "в порядке по 23.11.2027" in text
    assert "3F7A-91C0-5BE2-44D1" in text
    assert KNOWN.version_hash is not None
    assert KNOWN.version_hash in text


def test_overdue_page_tells_the_date_and_not_the_study():
    text = text_of(page_of(Verdict.ITEMS_OVERDUE))
    assert "просрочены с 01.11.2026" in text


def test_several_reasons_are_all_told():
    both = LookResult(
        Verdict.REVOKED,
        (Verdict.REVOKED, Verdict.TERM_PASSED),
        NOW,
        valid_until=date(2026, 1, 1),
        version=1,
    )
    text = text_of(verdict_html(**verdicts.page_words(both)))
    assert "Аннулирована" in text
    assert "срок истёк" in text


def test_everything_shown_is_escaped():
    evil = "<script>alert(1)</script>\"'&"
    spoilt = LookResult(
        Verdict.VALID,
        (),
        NOW,
        name=evil,
        birth_year=1990,
        occupation_group=evil,
        valid_until=date(2031, 11, 23),
        version=1,
        version_hash=evil,
        issuer=evil,
    )
    html = verdict_html(**verdicts.page_words(spoilt))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4


def test_machines_are_told_the_same():
    answer = verdicts.answer(KNOWN)
    assert answer["is_valid"] is True
    assert (answer["verdict"], answer["valid_until"]) == ("valid", "2031-11-23")
    assert answer["checked_at"] == "2026-11-23T18:30:05+00:00"
    closed = verdicts.answer(result_of(Verdict.LINK_REVOKED))
    told = {name for name, value in closed.items() if value not in (None, False)}
    assert told == {"verdict", "reasons", "message", "checked_at"}


def test_every_verdict_has_words():
    assert set(verdicts.VERDICTS) == set(Verdict)
    for words in verdicts.VERDICTS.values():
        assert not words.word.endswith(".")
        assert all(line.endswith(".") for line in words.advice)
    # A link is refused for everything but a study that has run out.
    assert set(NOT_SHAREABLE) == set(Verdict) - {Verdict.VALID, Verdict.ITEMS_OVERDUE}
    assert set(TOKEN_VERDICTS) == set(Verdict) - SILENT


PAGE = (
    '<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"/>'
    '<link href="/favicon.svg" rel="icon"/><link rel="modulepreload" href="/assets/x.js"/>'
    '<script>evil()</script></head><body><div class="e-frame"><style data-emotion="css a">'
    '.css-a{fill:red}</style><path class="css-a"></path><!--VERDICT--></div>'
    '<script type="module">more()</script></body></html>'
)


def test_shell_has_no_script_and_one_style_that_its_policy_names():
    made = shells.shell(PAGE, ".e-frame{color:red}", VERDICT_SLOT, "")
    html = made.filled("<p>Действует</p>").decode()
    assert "<script" not in html
    assert "modulepreload" not in html
    assert html.count("<style") == 1
    assert "<p>Действует</p>" in html
    assert "script-src" not in made.policy
    assert made.policy.startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize("body", ["", "<p>Действует</p>", "ё" * 100_000])
def test_packed_page_is_the_same_page(body: str):
    made = shells.shell(PAGE, ".e-frame{color:red}", VERDICT_SLOT, "")
    assert gzip.decompress(made.packed(body)) == made.filled(body)


HTML = '<main id="here" class="a b:c"><p data-tone="x">text</p></main>'


@pytest.mark.parametrize(
    "css",
    [
        "main{top:0}",
        ".a{top:0}",
        r".b\:c{top:0}",
        "#here{top:0}",
        "[data-tone]{top:0}",
        "p:hover{top:0}",
        "*{top:0}",
        ":root{top:0}",
        "main::before{top:0}",
        ":is(.x,.a) p{top:0}",
        ":not(.x){top:0}",
        ".a{top:0;&:hover{top:1px}}",
        "@media print{p{top:0}}",
        "@layer base{@supports (top:0){.a>p{top:0}}}",
        '.a{content:"}{"}',
        ":root{--used:1px}.a{top:var(--used)}",
    ],
)
def test_rule_that_may_apply_is_kept(css: str):
    assert shells.needed(css, HTML) == css


@pytest.mark.parametrize(
    "css",
    [
        "section{top:0}",
        ".x{top:0}",
        ".a .x{top:0}",
        "#there{top:0}",
        "[data-open]{top:0}",
        ":is(.x,.y){top:0}",
        ":root:has(input:checked){top:0}",
        "::placeholder{top:0}",
        "::-webkit-search-decoration{top:0}",
        "@media print{.x{top:0}}",
        "@keyframes x{from{top:0}}",
        "/* .a{top:0} */",
        ":root{--unused:1px}",
        ":root{--unused:var(--also);--also:1px}",
    ],
)
def test_rule_that_can_not_apply_is_dropped(css: str):
    assert shells.needed(css, HTML) == ""


def test_parts_of_controls_are_kept_where_such_a_control_is():
    css = "::placeholder{top:0}::-webkit-datetime-edit{top:0}::file-selector-button{top:0}"
    typed = f'{HTML}<input type="text"/>'
    assert shells.needed(css, typed) == "::placeholder{top:0}"
    assert shells.needed(css, typed + '<input type="date"/><input type="file"/>') == css


def test_variable_that_a_drawing_uses_is_kept():
    css = ":root{--used:1px}"
    assert shells.needed(css, f'{HTML}<path stroke="var(--used)"/>') == css


def test_of_a_list_of_selectors_the_needed_ones_are_kept():
    assert shells.needed(".x,.a,section>p,:is(.b,.y) p{top:0}", HTML) == ".a{top:0}"


def test_robots_that_draw_previews_are_known():
    for agent in (
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
        "facebookexternalhit/1.1",
        "Viber/13.3",
        "Mozilla/5.0 (compatible; YandexBot/3.0)",
    ):
        assert verdict._ROBOTS.search(agent), agent
    for agent in (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
        "",
    ):
        assert not verdict._ROBOTS.search(agent), agent


SHEET = ".e-a{color:red}.e-b{color:blue}@media print{.e-a{color:black}}"
BUILT = (
    "<html><head><title>x</title>"
    '<link as="style" href="/assets/all.css" rel="preload"/>'
    '<script>const html = "<i class=e-b>"</script>'
    '<link href="/assets/all.css" rel="stylesheet" type="text/css"/>'
    '</head><body><p class="e-a">Текст</p></body></html>'
)


def test_built_page_has_what_it_begins_with_and_the_rest_comes_when_it_may(tmp_path: Path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "all.css").write_text(SHEET, encoding="utf-8")
    page, plain = tmp_path / "deep" / "page.html", tmp_path / "plain.html"
    page.parent.mkdir()
    page.write_text(BUILT, encoding="utf-8")
    plain.write_text("<html><head></head></html>", encoding="utf-8")
    assert shells.dress(tmp_path) == [page]
    head, _, rest = page.read_text(encoding="utf-8").partition("<style data-first")
    style, _, after = rest.partition("</style>")
    assert ".e-a{color:red}" in style
    assert "@media print{.e-a{color:black}}" in style
    assert ".e-b" not in style
    assert 'rel="stylesheet"' not in head
    link, _, without = after.partition("<noscript")
    assert 'rel="stylesheet" media="print" data-late=""' in link
    assert '<link href="/assets/all.css" rel="stylesheet" type="text/css"/></noscript>' in without
    assert shells.bare(page, tmp_path) == (BUILT, SHEET)
    assert shells.bare(plain, tmp_path) == ("<html><head></head></html>", "")
