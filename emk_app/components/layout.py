"""The frame around every screen, and what Reflex itself would otherwise say in English."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import reflex as rx
from reflex_base.vars.function import ArgsFunctionOperation
from reflex_components_core.base.error_boundary import ErrorBoundary

from emk_app.components.cards import notice
from emk_app.components.forms import post_form
from emk_app.components.icons import icon, tone_icon, wordmark
from emk_app.components.links import link, plain_link
from emk_app.components.markup import Child, Flag, Text, fixed_id, given, when, words

MenuLink = tuple[str, str]

STYLESHEETS: Final = ["emk.css"]

LEAVE_ROUTE: Final = "/session/leave"

NEWS_ROUTE: Final = "/news"
STATUS_ROUTE: Final = "/status"

PUBLIC_MENU: Final[Sequence[MenuLink]] = (
    ("Кому нужна книжка", "/guide"),
    ("Проверить книжку", "/check"),
    ("Новости", NEWS_ROUTE),
)
MADE: Final = frozenset({NEWS_ROUTE, STATUS_ROUTE})
"""Pages that the server makes: the browser loads them whole."""

SECURITY_ROUTE: Final = "/cabinet/security"
"""Where the name in the header leads: what guards the person's own account."""

FOOTER_LINKS: Final[Sequence[MenuLink]] = (
    ("Помощь", "/help"),
    ("Проверить книжку", "/check"),
    ("Кому нужна книжка", "/guide"),
    ("Новости и обновления", NEWS_ROUTE),
    ("Техническое обслуживание", STATUS_ROUTE),
)


def page_frame(
    *children: Child,
    title: Text,
    menu: Sequence[MenuLink] = (),
    current: str = "",
    person: Text = "",
    lead: Text = "",
    back: tuple[Text, Text] | None = None,
    actions: Child | None = None,
    polite: Text = "",
    assertive: Text = "",
    demo: Flag = False,
    wide: bool = False,
    bell: Child | None = None,
) -> rx.Component:
    """Frame a screen of a signed-in person.

    ``current`` is the route of this screen in ``menu``; ``back`` is a pair of label and route;
    ``polite`` and ``assertive`` feed the live message region.
    """
    whose = when(given(person), link(person, SECURITY_ROUTE, "e-person"))
    # On the phone the way out stands in the menu, where there is one.
    hidden = "e-in-menu" if menu else ""
    side = [
        *([bell] if bell is not None else []),
        rx.el.span(whose, class_name=hidden),
        _leave(hidden),
    ]
    own = [rx.el.li(whose, _leave(), class_name="e-menu-leave")]
    return _frame(
        *children,
        title=title,
        menu=menu,
        current=current,
        side=side,
        own=own,
        lead=lead,
        back=back,
        actions=actions,
        polite=polite,
        assertive=assertive,
        demo=demo,
        wide=wide,
    )


def public_frame(
    *children: Child,
    title: Text,
    menu: Sequence[MenuLink] = PUBLIC_MENU,
    current: str = "",
    lead: Text = "",
    back: tuple[Text, Text] | None = None,
    actions: Child | None = None,
    polite: Text = "",
    assertive: Text = "",
    demo: Flag = False,
    entrance: bool = True,
) -> rx.Component:
    """Frame a screen for everybody, with the way in instead of the way out."""
    enter = link(rx.fragment(icon("person"), rx.el.span("Войти")), "/login", "e-band-button")
    return _frame(
        *children,
        title=title,
        menu=menu,
        current=current,
        side=[enter] if entrance else [],
        own=[],
        lead=lead,
        back=back,
        actions=actions,
        polite=polite,
        assertive=assertive,
        demo=demo,
        wide=False,
    )


def narrow_frame(
    *children: Child,
    title: Text,
    lead: Text = "",
    polite: Text = "",
    assertive: Text = "",
    demo: Flag = False,
    below: Child | None = None,
) -> rx.Component:
    """Frame one small matter, such as signing in; ``below`` holds the other ways to go."""
    body = rx.el.div(
        rx.el.div(_heading(title, lead), *children, class_name="e-card"),
        *([rx.el.div(below, class_name="e-narrow-below")] if below is not None else []),
        class_name="e-narrow",
    )
    return _page(message_region(polite, assertive), body, demo=demo)


def verdict_frame(*children: Child) -> rx.Component:
    """Frame the answer to a scan: no menu, no messages, nothing that needs a script."""
    return _page(rx.el.div(*children, class_name="e-narrow"))


def bulletin_frame(*children: Child, current: str, demo: Flag = False) -> rx.Component:
    """Frame what the server writes for everybody, its heading included; needs no script."""
    enter = link(rx.fragment(icon("person"), rx.el.span("Войти")), "/login", "e-band-button")
    return _page(
        rx.el.div(*children, class_name="e-body"),
        band=[enter, *_menu_button(PUBLIC_MENU)],
        below=_menu(PUBLIC_MENU, current, []),
        demo=demo,
    )


def bell(unread: rx.Var[Any], route: str) -> rx.Component:
    """Lead to what the person was told; how much of it is unread is seen, and said as it grows."""
    return link(
        rx.fragment(
            icon("bell", "e-bell"),
            rx.el.span("Уведомления", class_name="e-hidden"),
            rx.el.span(
                when(
                    unread.to(int) > 0,
                    rx.fragment(
                        rx.el.span(", непрочитанных: ", class_name="e-hidden"),
                        rx.el.span(
                            rx.cond(unread.to(int) > 99, "99+", unread.to(str)),
                            class_name="e-bell-count",
                        ),
                    ),
                ),
                role="status",
            ),
        ),
        route,
        "e-band-button",
    )


def message_region(polite: Text, assertive: Text = "", *, tone: Text = "success") -> rx.Component:
    """Show and read aloud what has just happened: ``polite`` in its turn, ``assertive`` at once."""
    return rx.el.div(
        rx.el.div(
            when(given(polite), _message(polite, tone)),
            role="status",
            custom_attrs={"aria-live": "polite"},
        ),
        rx.el.div(
            when(given(assertive), _message(assertive, "danger")),
            role="alert",
            custom_attrs={"aria-live": "assertive"},
        ),
        class_name="e-messages",
    )


def demo_banner(
    text: str = "Демонстрация: люди, организации и документы вымышлены.",
) -> rx.Component:
    """Say on every page of a demonstration that nothing on it is real."""
    return rx.el.aside(
        rx.el.div(icon("info"), rx.el.span(text), class_name="e-wrap"),
        class_name="e-strip",
        custom_attrs={"aria-label": "О демонстрации"},
    )


def print_only(*children: Child) -> rx.Component:
    """Show on paper only."""
    return rx.el.div(*children, class_name="e-print")


def screen_only(*children: Child) -> rx.Component:
    """Leave out on paper."""
    return rx.el.div(*children, class_name="e-screen")


def head_components() -> list[rx.Component]:
    """What every page has in its head: the mark, the colour of a phone's bar, the script."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="icon", href="/favicon.ico", sizes="32x32"),
        rx.el.link(rel="apple-touch-icon", href="/apple-touch-icon.png"),
        rx.el.meta(name="theme-color", content="#0a4a50"),
        rx.el.meta(name="format-detection", content="telephone=no"),
        rx.el.script(src="/emk.js", defer=True),
    ]


def app_wraps() -> dict[tuple[int, str], Callable[[bool], rx.Component | None]]:
    """Replace what Reflex puts around every page: its overlay, its error screen.

    For ``rx.App(app_wraps=app_wraps(), toaster=None)``; the keys are those of Reflex 0.10.1.
    """
    return {
        (55, "ErrorBoundary"): lambda stateful: _boundary(stateful=stateful),
        (5, "Overlay"): lambda stateful: connection_banner() if stateful else None,
    }


def connection_banner() -> rx.Component:
    """Say that the server is out of reach and since when the screen dates, until it is fresh.

    ``assets/emk.js`` shows it, also to who opens a computer that has slept.
    """
    said = rx.el.div(
        rx.el.span(class_name="e-spinner"),
        rx.el.b("Нет связи с сервером."),
        rx.el.span(
            "Данные на ", rx.el.time(), ".", hidden=True, custom_attrs={"data-link-since": ""}
        ),
        rx.el.span("Введённое не пропадёт. Подключаемся снова…"),
        class_name="e-offline",
        hidden=True,
        custom_attrs={"data-link": ""},
    )
    # The whole page becomes the last child of what is returned: it is not to be read aloud anew
    # with each change, as everything inside a status is.
    return rx.fragment(rx.el.div(said, role="status"))


def broken_screen() -> rx.Component:
    """What stands in place of a screen that failed in the browser."""
    return rx.el.main(
        rx.el.div(
            rx.el.h1("Страница не открылась", class_name="mb-4"),
            notice(
                rx.el.p("Сохранённое не пропало. Обновите страницу или вернитесь на главную."),
                rx.el.p(plain_link("Обновить страницу", ""), " · ", plain_link("На главную", "/")),
                tone="danger",
                live=True,
            ),
            class_name="e-wrap",
        ),
        class_name="e-main",
    )


def _boundary(*, stateful: bool) -> rx.Component:
    fallback = ArgsFunctionOperation.create(
        ("event_args",), rx.Var.create(broken_screen()), _var_type=rx.Component
    )
    silent: dict[str, Any] = {} if stateful else {"on_error": rx.noop()}
    return ErrorBoundary.create(fallback_render=fallback, **silent)


def _frame(
    *children: Child,
    title: Text,
    menu: Sequence[MenuLink],
    current: str,
    side: Sequence[Child],
    own: Sequence[Child],
    lead: Text,
    back: tuple[Text, Text] | None,
    actions: Child | None,
    polite: Text,
    assertive: Text,
    demo: Flag,
    wide: bool,
) -> rx.Component:
    top: list[Child] = []
    if back is not None:
        label, route = back
        top.append(link(rx.fragment(icon("arrow-left"), label), route, "e-link e-back"))
    head = rx.el.div(
        _heading(title, lead),
        *([rx.el.div(actions)] if actions is not None else []),
        class_name="e-head",
    )
    return _page(
        *top,
        head,
        message_region(polite, assertive),
        rx.el.div(*children, class_name="e-body"),
        band=[*side, *_menu_button(menu)],
        below=_menu(menu, current, own),
        demo=demo,
        wide=wide,
    )


def _page(
    *content: Child,
    band: Sequence[Child] = (),
    below: Sequence[Child] = (),
    demo: Flag = False,
    wide: bool = False,
) -> rx.Component:
    return rx.el.div(
        plain_link("Перейти к содержанию", "#main", "e-skip"),
        rx.el.header(
            rx.el.div(
                rx.el.div(
                    wordmark(), rx.el.div(*band, class_name="e-band-side"), class_name="e-wrap"
                ),
                class_name="e-band",
            ),
            *below,
        ),
        _announced(),
        when(demo, demo_banner()),
        rx.el.main(
            rx.el.div(*content, class_name="e-wrap"),
            id=fixed_id("main"),
            tab_index=-1,
            class_name="e-main",
        ),
        _footer(),
        class_name=words("e-frame", "e-wide" if wide else ""),
    )


def _announced() -> rx.Component:
    """Leave a place where ``assets/emk.js`` tells of hours in which the service is worked on."""
    return rx.el.aside(
        class_name="e-announced",
        hidden=True,
        custom_attrs={"data-announced": "", "aria-label": "Плановые работы"},
    )


def _way(label: Text, route: str, class_name: Text = "e-link", **props: Any) -> rx.Component:
    made = plain_link if route in MADE else link
    return made(label, route, class_name, **props)


def _leave(class_name: str = "") -> rx.Component:
    return post_form(
        rx.el.button(
            icon("sign-out"), rx.el.span("Выйти"), type="submit", class_name="e-band-button"
        ),
        action=LEAVE_ROUTE,
        class_name=class_name,
    )


def _heading(title: Text, lead: Text) -> rx.Component:
    return rx.el.div(
        rx.el.h1(title, tab_index=-1),
        when(given(lead), rx.el.p(lead, class_name="e-lead")),
    )


def _menu_button(menu: Sequence[MenuLink]) -> list[Child]:
    if not menu:
        return []
    # The popover is the browser's own: opening, Esc and the spoken state need no script.
    return [
        rx.el.button(
            icon("menu"),
            rx.el.span("Меню"),
            type="button",
            class_name="e-band-button e-menu-button",
            custom_attrs={"popoverTarget": "menu"},
        )
    ]


def _menu(menu: Sequence[MenuLink], current: str, own: Sequence[Child]) -> list[Child]:
    if not menu:
        return []
    lines = [
        rx.el.li(
            _way(
                label,
                route,
                "",
                custom_attrs={"aria-current": "page"} if route == current else {},
            )
        )
        for label, route in menu
    ]
    return [
        rx.el.nav(
            rx.el.ul(*lines, *own, class_name="e-wrap"),
            id=fixed_id("menu"),
            class_name="e-menu",
            custom_attrs={"popover": "auto", "aria-label": "Разделы"},
        )
    ]


def _footer() -> rx.Component:
    return rx.el.footer(
        rx.el.div(
            rx.el.p(
                rx.el.strong("Это не Госуслуги."),
                " ЭМК Онлайн — самостоятельный сервис. Не вводите здесь пароль от Госуслуг.",
            ),
            rx.el.p(
                "ЭМК — электронная медицинская книжка. В государственном реестре она называется "
                "ЭЛМК, электронная личная медицинская книжка.",
            ),
            rx.el.nav(
                rx.el.ul(*[rx.el.li(_way(label, route)) for label, route in FOOTER_LINKS]),
                custom_attrs={"aria-label": "Справочные разделы"},
            ),
            class_name="e-wrap",
        ),
        class_name="e-foot",
    )


def _message(text: Text, tone: Text) -> rx.Component:
    return rx.el.div(
        tone_icon(tone),
        rx.el.span(text),
        class_name="e-message",
        custom_attrs={"data-tone": tone},
    )
