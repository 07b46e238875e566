"""What every component promises to those who cannot see, hurry, or speak English."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from importlib import import_module
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args
from xml.etree import ElementTree

import pytest
import reflex as rx
from hypothesis import given
from hypothesis import strategies as st

from emk_app.api import shells
from emk_app.components import (
    badges,
    buttons,
    cards,
    dialogs,
    forms,
    icons,
    layout,
    links,
    markup,
    passkeys,
    qr,
    steps,
    tables,
    timeline,
    verdict,
    viewer,
)
from emk_app.pages import kit
from tests.rendering import html, text, tree

MODULES: Final[tuple[ModuleType, ...]] = (
    badges, buttons, cards, dialogs, forms, layout, links, passkeys, qr, steps, tables, timeline,
    verdict, viewer,
)  # fmt: skip
ASSETS: Final = Path("assets")
STYLES: Final = (ASSETS / "emk.css").read_text(encoding="utf-8")
SCRIPT: Final = (ASSETS / "emk.js").read_text(encoding="utf-8")

TONES: Final = tuple(icons.TONE_ICONS)


class Shown:
    """Values known only in the browser."""

    word: Final = rx.Var("word", _var_type=str)
    tone: Final = rx.Var("tone", _var_type=str)
    busy: Final = rx.Var("busy", _var_type=bool)
    rows: Final = rx.Var("rows", _var_type=list[list[str]])
    page: Final = rx.Var("page", _var_type=int)


def one(component: rx.Component, tag: str) -> ElementTree.Element:
    found = list(tree(component).iter(tag))
    assert len(found) == 1, (tag, len(found))
    return found[0]


def all_of(component: rx.Component, tag: str) -> list[ElementTree.Element]:
    return [found for each in tree(component) for found in each.iter(tag)]


def by_id(component: rx.Component, wanted: str) -> ElementTree.Element:
    found = [node for node in tree(component).iter() if node.get("id") == wanted]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


# Fields


def field(**said: Any) -> rx.Component:
    return forms.text_field("Фамилия", "surname", **said)


def test_error_belongs_to_its_field():
    shown = field(error="Введите фамилию.", hint="Как в паспорте")
    control = one(shown, "input")
    assert control.get("aria-invalid") == "true"
    assert (control.get("aria-describedby") or "").split() == ["error-surname", "hint-surname"]
    assert "Введите фамилию." in "".join(by_id(shown, "error-surname").itertext())
    assert "Как в паспорте" in "".join(by_id(shown, "hint-surname").itertext())


def test_error_is_told_by_a_word_and_an_icon_too():
    told = by_id(field(error="Введите фамилию."), "error-surname")
    assert "Ошибка:" in "".join(told.itertext())
    assert told.find("svg") is not None


def test_field_in_order_says_so_and_points_nowhere():
    control = one(field(), "input")
    assert control.get("aria-invalid") == "false"
    assert control.get("aria-describedby") is None


def test_label_is_bound_to_the_control():
    assert one(field(), "label").get("for") == one(field(), "input").get("id") == "field-surname"


def test_optional_field_says_so():
    assert "(необязательно)" in text(field(required=False))
    assert "(необязательно)" not in text(field())


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (forms.code_field(), "one-time-code"),
        (forms.password_field(), "current-password"),
        (forms.password_field(new=True), "new-password"),
        (forms.phone_field(), "tel"),
    ],
)
def test_browser_may_fill_in_what_it_knows(made: rx.Component, expected: str):
    assert one(made, "input").get("autocomplete") == expected


@pytest.mark.parametrize(
    "made", [forms.code_field(), forms.date_field("Дата", "on"), forms.snils_field()]
)
def test_digits_are_asked_for_with_the_keyboard_of_digits(made: rx.Component):
    assert one(made, "input").get("inputmode") == "numeric"


def test_error_summary_is_silent_without_errors():
    assert not text(forms.error_summary([]))


def test_error_summary_leads_to_the_fields_and_can_take_the_focus():
    shown = forms.error_summary([("surname", "Введите фамилию"), ("snils", "Введите СНИЛС")])
    assert [node.get("href") for node in tree(shown).iter("a")] == [
        "#field-surname",
        "#field-snils",
    ]
    box = next(node for node in tree(shown).iter("div"))
    assert box.get("tabindex") == "-1"
    assert box.get("role") == "alert"


def test_error_summary_reaches_a_group_of_choices():
    group = forms.radio_cards("Решение", "decision", [forms.Choice("a", "А")], value="")
    assert by_id(group, "field-decision").get("type") == "radio"


def test_file_is_no_part_of_the_form_around_it():
    shown = forms.file_field(
        "Паспорт", "passport", upload_url="/scans", limit_bytes=2048, limit_text="PDF до 2 КБ"
    )
    control = one(shown, "input")
    assert control.get("form") == ""
    assert control.get("name") == "passport"


@pytest.mark.parametrize("file_name", ["", "паспорт.pdf"])
def test_file_field_tells_limit_refusal_and_what_it_does(file_name: str):
    shown = forms.file_field(
        "Паспорт",
        "passport",
        upload_url="/scans",
        limit_bytes=2048,
        limit_text="PDF до 2 КБ",
        file_name=file_name,
        fields={"kind": "passport"},
    )
    control = one(shown, "input")
    assert (control.get("aria-describedby") or "").split() == ["limit-passport", "refusal-passport"]
    for pointed in (control.get("aria-labelledby") or "").split():
        assert "".join(by_id(shown, pointed).itertext()).strip()
    box = tree(shown)[0]
    assert box.get("data-upload-url") == "/scans"
    assert box.get("data-limit") == "2048"
    assert box.get("data-upload-fields") == '["kind"]'
    assert box.get("data-upload-kind") == "passport"


def test_paper_can_be_photographed_seen_in_whole_and_removed_only_when_sure():
    shown = forms.file_field(
        "Паспорт",
        "passport",
        upload_url="/scans",
        limit_bytes=2048,
        limit_text="PDF до 2 КБ",
        file_name="паспорт.pdf",
        pages=["/1", "/2"],
        camera=True,
        on_remove=rx.noop(),
    )
    cameras = [each for each in all_of(shown, "input") if each.get("capture") == "environment"]
    assert [each.get("accept") for each in cameras] == ["image/jpeg"]
    assert [each.get("alt") for each in all_of(shown, "img")] == ["Страница 1", "Страница 2"]
    opened = [each.get("data-dialog-open") for each in all_of(shown, "button")]
    assert {"preview-passport", "remove-passport"} <= {*opened}
    assert by_id(shown, "remove-passport").tag == "dialog"


def test_native_post_form_is_left_to_the_browser():
    rendered = forms.post_form(action="/session/leave").render()
    assert not any("onSubmit" in prop for prop in rendered["props"])


def test_form_leaves_no_word_to_the_browser():
    shown = forms.form(field(), on_submit=rx.noop())
    assert "noValidate:true" in shown.render()["props"]


# Buttons


def test_button_in_a_form_submits_only_if_told_to():
    assert one(buttons.primary_button("Дальше"), "button").get("type") == "button"
    assert one(buttons.primary_button("Дальше", type="submit"), "button").get("type") == "submit"


def test_busy_button_says_so_and_keeps_the_focus():
    pressed = one(buttons.primary_button("Отправить", busy=True, busy_text="Отправляем…"), "button")
    assert pressed.get("aria-busy") == pressed.get("aria-disabled") == "true"
    assert pressed.get("disabled") is None
    assert "".join(pressed.itertext()) == "Отправляем…"


def test_button_may_follow_a_state():
    rendered = str(buttons.primary_button("Отправить", busy=Shown.busy).render())
    assert "aria-busy" in rendered and "busy" in rendered


# Statuses


@pytest.mark.parametrize("tone", TONES)
def test_status_has_a_colour_an_icon_and_a_word(tone: str):
    shown = tree(badges.badge("На проверке", tone))[0]
    assert shown.get("data-tone") == tone
    assert shown.find("svg/path") is not None
    assert "На проверке" in "".join(shown.itertext())


def test_tones_have_different_icons():
    assert len(set(icons.TONE_ICONS.values())) == len(TONES)


def test_icon_of_a_live_tone_follows_it():
    rendered = str(badges.badge("Статус", Shown.tone).render())
    for tone, name in icons.TONE_ICONS.items():
        assert tone in rendered and icons.PATHS[name] in rendered


def test_every_icon_is_one_path_of_plain_commands():
    assert set(icons.PATHS) == set(get_args(icons.IconName))
    for name, path in icons.PATHS.items():
        assert re.fullmatch(r"[MmLlHhVvCcSsAaZz0-9 .\-]+", path), name


def test_icons_are_silent():
    assert one(icons.icon("check"), "svg").get("aria-hidden") == "true"


@pytest.mark.parametrize(("state", "spoken"), steps.SPOKEN.items())
def test_step_says_how_far_it_is(state: str, spoken: str):
    shown = steps.wizard_steps([steps.Step("Данные", state)])
    assert spoken in text(shown)
    line = one(shown, "li")
    assert line.get("aria-current") == ("step" if state == "current" else "false")


# Tables, dialogs


def test_cell_on_the_phone_carries_the_name_of_its_column():
    shown = tables.data_table(
        ["Номер", tables.Column("Действия", hidden=True)],
        [("1", "Открыть")],
        list,
        caption="Заявки",
    )
    assert [cell.get("data-label") for cell in tree(shown).iter("td")] == ["Номер", ""]
    assert [head.get("scope") for head in tree(shown).iter("th")] == ["col", "col"]
    assert "Действия" in text(shown)


def test_table_refuses_a_row_of_another_width():
    with pytest.raises(ValueError, match="zip"):
        tables.data_table(["Номер", "Дата"], [("1",)], list, caption="Заявки")


def test_empty_table_says_what_to_do():
    shown = tables.data_table(
        ["Номер"], [], list, caption="Заявки", empty=cards.empty_state("Заявок нет", "Подайте.")
    )
    assert text(shown) == "Заявок нет Подайте."


def test_table_on_its_way_says_so():
    assert text(tables.data_table(["Номер"], [], list, caption="Заявки", loading=True)).startswith(
        "Загружаем"
    )


def test_pager_stops_at_both_ends():
    rendered = str(tables.pager(Shown.page, 3, on_page=lambda page: rx.noop()).render())
    assert "<= 1" in rendered and ">= 3" in rendered


def test_dialog_is_named_after_its_title():
    shown = dialogs.confirm_dialog(
        "revoke", "Отозвать ссылку?", "Вернуть нельзя.", confirm="Отозвать", on_confirm=rx.noop()
    )
    box = one(shown, "dialog")
    assert box.get("id") == "revoke"
    title = by_id(shown, box.get("aria-labelledby") or "")
    assert title.text == "Отозвать ссылку?"


def test_destructive_dialog_opens_on_the_way_back():
    shown = dialogs.confirm_dialog(
        "revoke", "Отозвать?", "Вернуть нельзя.", confirm="Отозвать", on_confirm=rx.noop()
    )
    first = [node for node in tree(shown).iter("button") if node.get("data-dialog-first") == ""]
    assert ["".join(node.itertext()) for node in first] == ["Отмена"]


# Frame


MENU: Final = (("Обзор", "/cabinet"), ("Мои заявки", "/cabinet/applications"))


def test_page_has_one_heading_one_main_and_a_way_to_it():
    shown = tree(layout.page_frame(title="Обзор", menu=MENU, current="/cabinet"))
    assert ["".join(node.itertext()) for node in shown.iter("h1")] == ["Обзор"]
    assert [node.get("id") for node in shown.iter("main")] == ["main"]
    assert next(shown.iter("a")).get("href") == "#main"


def test_present_page_is_marked_in_the_menu():
    shown = tree(layout.page_frame(title="Обзор", menu=MENU, current="/cabinet"))
    marked = [node.get("href") for node in shown.iter("a") if node.get("aria-current") == "page"]
    assert marked == ["/cabinet"]


def test_leaving_needs_no_script():
    shown = tree(layout.page_frame(title="Обзор", menu=MENU))
    ways = [node for node in shown.iter("form") if node.get("action") == "/session/leave"]
    assert ways and all(way.get("method") == "post" for way in ways)


def test_visitor_finds_the_entrance_and_no_exit():
    shown = tree(layout.public_frame(title="Новости"))
    assert any(node.get("href") == "/login" for node in shown.iter("a"))
    assert not list(shown.iter("form"))


@pytest.mark.parametrize("frame", [layout.page_frame, layout.public_frame, layout.narrow_frame])
def test_every_page_says_whose_it_is_not_and_both_names_of_the_book(frame: Any):
    said = text(frame(title="Обзор"))
    assert "Это не Госуслуги." in said
    assert "ЭМК" in said and "ЭЛМК" in said


def test_messages_are_read_aloud_in_turn_and_at_once():
    region = tree(layout.message_region("Сохранено.", "Нет связи."))
    told = {node.get("aria-live"): "".join(node.itertext()) for node in region.iter("div")}
    assert told["polite"] == "Сохранено."
    assert told["assertive"] == "Нет связи."


def test_demo_says_so():
    assert "вымышлены" in text(layout.page_frame(title="Обзор", demo=True))
    assert "вымышлены" not in text(layout.page_frame(title="Обзор"))


def test_overlay_and_error_screen_of_the_framework_are_replaced():
    wraps = layout.app_wraps()
    # Read off the class: a process has one application, and it may be ours already.
    (field,) = (each for each in dataclasses.fields(rx.App) if each.name == "app_wraps")
    assert callable(field.default_factory)
    stock = field.default_factory()
    assert set(wraps) <= set(stock), "the framework has renamed its wraps"
    assert {name for _, name in stock} - {name for _, name in wraps} == {"ExtraOverlay"}
    assert "Нет связи с сервером" in text(layout.connection_banner())
    assert "Обновить страницу" in text(layout.broken_screen())


@pytest.mark.parametrize("made", [layout.broken_screen(), kit.kit()])
def test_nothing_is_said_in_english(made: rx.Component):
    spoken = [
        node.text or "" for node in tree(made).iter() if node.tag not in ("code", "script")
    ] + [node.get("aria-label") or "" for node in tree(made).iter()]
    assert not [line for line in spoken if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", line)]


# Verdict

SAID: Final[dict[str, Any]] = {
    "tone": "success",
    "word": "Действует",
    "sentence": "Подпись верна.",
    "until": "до 26.03.2031 включительно",
}


@pytest.mark.parametrize("tone", get_args(verdict.VerdictTone))
def test_verdict_is_told_by_colour_icon_and_word(tone: Any):
    shown = ElementTree.fromstring(verdict.verdict_html(**SAID | {"tone": tone}))
    assert shown.get("data-tone") == tone
    assert [node.text for node in shown.iter("h1")] == ["Действует"]
    assert len(list(shown.iter("path"))) == 1


def test_verdicts_have_different_icons():
    drawn = {
        re.search(r'<path d="([^"]+)"', verdict.verdict_html(**SAID | {"tone": tone}))
        for tone in get_args(verdict.VerdictTone)
    }
    assert len(drawn) == len(get_args(verdict.VerdictTone))


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_verdict_shows_any_text_as_text(said: str):
    shown = ElementTree.fromstring(
        verdict.verdict_html(
            tone="danger",
            word=said,
            sentence=said,
            until=said,
            name=said,
            facts=[(said, said)],
            advice=[said],
            compare=said,
            hash_short=said,
            hash_full=said,
            checked_at=said,
        )
    )
    assert {node.tag for node in shown.iter()} <= {
        "b", "code", "dd", "div", "dl", "dt", "h1", "h2", "li", "p", "path", "svg", "ul",
    }  # fmt: skip
    assert next(shown.iter("h1")).text == said
    assert next(shown.iter("dd")).text == said


def test_verdict_needs_no_script():
    whole = html(layout.verdict_frame(verdict.verdict(**SAID)))
    assert "<script" not in whole
    assert not re.search(r"\son[a-z]+=", whole)
    assert not re.search(r"(src|href)=\"http", whole)


def test_place_of_the_verdict_is_there_once():
    assert html(layout.verdict_frame(verdict.verdict_shell())).count(verdict.VERDICT_SLOT) == 1


# Values that are known only in the browser


def test_everything_follows_a_state():
    word, tone, rows = Shown.word, Shown.tone, Shown.rows
    made = [
        forms.text_field("Имя", "name", default_value=word, error=word, hint=word),
        forms.select_field("Вид", "kind", rows, value=word, on_change=rx.noop()),
        forms.radio_cards("Вид", "kind", [forms.Choice("a", "А")], value=word),
        forms.radio_cards_of(
            "Вид",
            "kind",
            rx.foreach(rows, lambda row: forms.radio_card("kind", row[0], row[1], chosen=True)),
        ),
        forms.checkbox_field("Да", "yes", checked=Shown.busy, error=word),
        forms.error_summary(rows),
        forms.file_field(
            "Скан", "scan", upload_url=word, limit_bytes=1, limit_text="", file_name=word,
            fields={"application": word},
        ),
        badges.track("Документы", tone, word),
        cards.summary_list(cards.summary_row("Имя", word, change_href=word)),
        cards.stat("Всего", word, hint=word, tone=tone),
        cards.notice(word, title=word, tone=tone),
        cards.error_state(word, word, incident=word, retry_href=word),
        cards.result_panel(word, word, number=word, tone=tone),
        tables.data_table(["А", "Б"], rows, lambda row: [row[0], row[1]], caption="Т"),
        timeline.timeline(rx.foreach(rows, lambda row: timeline.timeline_entry(row[0], row[1]))),
        steps.wizard_steps([steps.Step("Данные", word)]),
        dialogs.dialog(word, word, word),
        qr.qr_plate(word, alt=word, caption=word, code=word),
        verdict.verdict_live(word),
        layout.page_frame(title=word, lead=word, person=word, polite=word, demo=Shown.busy),
    ]  # fmt: skip
    assert all(part.render() for part in made)


def test_choice_is_made_at_once_where_it_can_be():
    assert text(markup.when(True, "да", "нет")) == "да"
    assert text(markup.when(False, "да", "нет")) == "нет"
    assert text(markup.when(False, "да")) == ""


@pytest.mark.parametrize(("parts", "joined"), [((), ""), (("a", "", "b"), "a b"), (("", ""), "")])
def test_words_leave_no_gaps(parts: tuple[str, ...], joined: str):
    assert markup.words(*parts) == joined


# The page that shows the kit


def public(module: ModuleType) -> set[str]:
    return {
        name
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_")
    }


# Shown as a part of others, or by other pages: frames, wraps of the whole application.
ELSEWHERE: Final = {
    "app_wraps", "bell", "broken_screen", "button", "called_up", "connection_banner", "demo_banner",
    "head_components", "passkey_button",
    "narrow_frame", "post_form", "print_only", "public_frame", "radio_card", "radio_cards_of",
    "screen_only", "show_button", "skeleton", "bulletin_frame",
    "verdict_frame", "verdict_html", "verdict_live",
    "verdict_shell", "viewer", "words_id",
}  # fmt: skip


def test_every_component_is_shown():
    source = ast.parse(Path(kit.__file__).read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
    missing = set().union(*map(public, MODULES)) - used - ELSEWHERE
    assert not missing


@pytest.mark.parametrize("module", MODULES)
def test_component_knows_no_state(module: ModuleType):
    imported = {
        name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom)
        for name in [node.module or ""]
    }
    assert not [name for name in imported if name.startswith("emk_app.states")]
    assert import_module(module.__name__)


# Style sheet and script


def colours(dark: bool) -> dict[str, str]:
    light_part, dark_part = STYLES.split("@media screen and (prefers-color-scheme: dark)", 1)
    found: dict[str, str] = dict(
        re.findall(r"(--[a-z0-9-]+):\s*(#[0-9a-f]{6}|var\(.*?\));", light_part)
    )
    if dark:
        block = dark_part[: dark_part.index("[data-tone]")]
        found |= dict(re.findall(r"(--[a-z0-9-]+):\s*(#[0-9a-f]{6});", block))

    def resolved(value: str) -> str:
        while value.startswith("var("):
            value = found[value[4:-1]]
        return value

    return {name: resolved(value) for name, value in found.items()}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one_colour: str, other: str) -> float:
    darker, lighter = sorted((luminance(one_colour), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


TEXT_PAIRS: Final = [
    *product(("--text", "--muted", "--accent", "--danger-text"), ("--surface", "--page")),
    ("--accent", "--accent-tint"),
    ("--muted", "--accent-tint"),
    ("--text", "--accent-tint"),
    ("--muted", "--neutral-tint"),
    ("--color-primary-content", "--color-primary"),
    ("--color-primary-content", "--accent-hover"),
    ("--color-error-content", "--color-error"),
    ("--band-text", "--band"),
    ("--band-text", "--band-hover"),
    *((f"--{tone}-text", f"--{tone}-tint") for tone in TONES),
]
SHAPE_PAIRS: Final = [
    *product(("--line-strong", "--focus", "--color-error", "--accent"), ("--surface", "--page")),
    ("--band-text", "--band"),
]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids=" on ".join)
def test_text_is_readable(pair: tuple[str, str], dark: bool):
    known = colours(dark)
    assert contrast(known[pair[0]], known[pair[1]]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("pair", SHAPE_PAIRS, ids=" on ".join)
def test_edges_and_focus_are_visible(pair: tuple[str, str], dark: bool):
    known = colours(dark)
    assert contrast(known[pair[0]], known[pair[1]]) >= 3


def test_style_sheet_asks_nobody_for_anything():
    assert not re.search(r"@import|@font-face|url\(|https?:", STYLES)


def test_script_evaluates_nothing_and_asks_nobody_else():
    assert not re.search(
        r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacent|https?:", SCRIPT
    )
    assert not re.search(r"set(Timeout|Interval)\(\s*['\"`]", SCRIPT)


def test_every_class_of_the_kit_has_its_rule():
    named = {
        name
        for module in (*MODULES, icons)
        for name in re.findall(r"\be-[a-z][a-z-]*[a-z]", inspect.getsource(module))
    }
    missing = {name for name in named if f".{name}" not in STYLES} - {"e-width"}
    assert not missing


SET_BY_PAGES: Final = {
    "data-arrow-stop",
    "data-arrows",
    "data-autosubmit",
    "data-enter-next",
    "data-from-hash",
    "data-keys-switch",
    "data-scan",
    "data-scan-said",
    "data-scan-start",
    "data-scan-stop",
}
SET_BY_THE_SCRIPT: Final = {"data-pannable", "data-saving"}
SET_BY_THE_BUILD: Final = {"data-late"}


def test_every_hook_of_the_script_is_set_by_a_component():
    set_by_components = "".join(map(inspect.getsource, MODULES)).replace("data-can-share", "")
    elsewhere = SET_BY_PAGES | SET_BY_THE_SCRIPT | SET_BY_THE_BUILD
    for hook in set(re.findall(r"\[(data-[a-z-]+)\]", SCRIPT)) - elsewhere:
        assert hook in set_by_components, hook
    assert all(hook in shells.LATE for hook in SET_BY_THE_BUILD)
