"""What is said where a request is refused before any page is made; the whole page, too."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

from emk_app.presenting.formats import counted

REFUSALS: Final = {
    "headers_too_large": "Слишком большой запрос. Очистите файлы cookie сайта и повторите.",
    "unknown_host": "Такого адреса у сервиса нет.",
    "not_found": "Такой страницы нет.",
    "wrong_method": "Так эту страницу не открыть. Вернитесь назад и повторите.",
    "foreign_origin": "Запрос пришёл с чужого сайта и не выполнен. Откройте страницу заново.",
    "body_too_large": "Запрос больше, чем можно принять. Выберите файл поменьше.",
    "too_many_requests": "Слишком много запросов с вашего адреса. Подождите и повторите.",
    "out_of_order": "Сервис временно недоступен, действие не выполнено. Повторите через минуту.",
    "unexpected": "Что-то пошло не так. Повторите позже или сообщите поддержке номер ошибки.",
}
TITLES: Final = {
    "too_many_requests": "Слишком много запросов",
    "out_of_order": "Сервис временно недоступен",
    "unexpected": "Что-то пошло не так",
    "not_found": "Такой страницы нет",
    "body_too_large": "Запрос слишком большой",
}
USUAL_TITLE: Final = "Запрос не выполнен"
CALM: Final = {
    "out_of_order": "Всё, что вы сохранили, на месте.",
    "too_many_requests": (
        "Если из одной сети работают многие, запросы складываются. Сохранённое на месте."
    ),
}

_STYLE: Final = """
:root{color-scheme:light dark;--page:#f2f6f6;--card:#fff;--text:#0f1f20;--muted:#475b5d;
--line:#d3dddd;--band:#0a4a50;--accent:#0b5f66;--on:#fff}
@media (prefers-color-scheme:dark){:root{--page:#0d1719;--card:#162426;--text:#e9f1f0;
--muted:#adc0c0;--line:#314548;--band:#0b3438;--accent:#69cfd1;--on:#04282b}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,
"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
header{background:var(--band);color:#fff;padding:1rem;font-weight:600}
header a{color:#fff;text-decoration:none}
main{max-width:36rem;margin:2rem auto;padding:0 1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.5rem}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25;overflow-wrap:break-word}
p{margin:0 0 .75rem}.muted{color:var(--muted)}
main a{color:var(--accent)}
.again{display:inline-block;margin-top:.5rem;padding:.75rem 1.25rem;border-radius:.5rem;
background:var(--accent);color:var(--on);font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
"""
POLICY: Final = (
    "default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""The page runs nothing and loads nothing but its icon: what it tells of may have taken the rest.
"""


def page(code: str, incident: str, *, again: str | None, wait: int | None) -> str:
    """Return the page that a person is shown; it needs no script, no style and no other request.

    ``again`` is the address to try once more; without one the way is back.
    """
    title = TITLES.get(code, USUAL_TITLE)
    said = [f"<p>{REFUSALS[code]}</p>"]
    if code in CALM:
        said.append(f"<p>{CALM[code]}</p>")
    if wait is not None:
        seconds = counted(wait, "секунду", "секунды", "секунд")
        said.append(f"<p>Повторить можно через {seconds}.</p>")
    said.append(f'<p class="muted">Номер ошибки: {escape(incident)}</p>')
    if again is not None:
        said.append(f'<a class="again" href="{escape(again)}">Повторить</a>')
    else:
        said.append("<p>Вернитесь на предыдущую страницу: введённое обычно остаётся в ней.</p>")
    said.append(
        f'<p class="muted"><a href="/help?error={escape(incident)}">Написать в поддержку</a></p>'
        '<p class="muted"><a href="/status">Посмотреть, всё ли работает</a></p>'
    )
    return (
        '<!doctype html><html lang="ru"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} — ЭМК Онлайн</title>"
        f'<link rel="icon" href="/favicon.svg"><style>{_STYLE}</style></head>'
        '<body><header><a href="/">ЭМК Онлайн</a></header>'
        f"<main><section><h1>{title}</h1>{''.join(said)}</section></main></body></html>"
    )
