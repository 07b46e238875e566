"""What we are measured against: the least that answers the same question.

``bare`` is an ASGI function without a framework: the same row by one prepared statement, the same
unsealing, the same signature over the same bytes, then link, book, version, term and studies as of
now, an answer in JSON. It has no guard, no limits, and writes nothing down.

``watch`` and ``commit`` are Server-Sent Events on Starlette: a row written down, a line for each
who watches. ``socket_app`` is socket.io alone.

``plain`` is Starlette and Jinja with the text of our verdict page and a small stylesheet by hand;
``form`` beside it is a form to sign in.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from jinja2 import Template
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from emk_app.crypto import sealing, signing
from emk_app.keys import keystore
from emk_app.settings import settings

SQL = """
SELECT b.id, v.version, v.canonical_sealed, v.signature, u.uid, u.key_sealed, v.version_hash,
       b.status, b.current_version, s.expires_at, s.revoked_at, s.max_looks, s.looks
FROM share_links s
JOIN books b ON b.id = s.book_id
JOIN book_versions v ON v.book_id = s.book_id AND v.version = s.version
JOIN users u ON u.id = b.holder_id
WHERE s.digest = ?
"""
MOSCOW = ZoneInfo("Europe/Moscow")
ES256 = ec.ECDSA(hashes.SHA256())


@cache
def _connection() -> sqlite3.Connection:
    return sqlite3.connect(settings().data / "emk.db", isolation_level=None)


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        await _lifespan(scope, receive, send)
        return
    said, stands = _checked(scope["path"][-26:])
    body = json.dumps(
        {
            "is_valid": stands,
            "name": said["holder"]["last_name"],
            "valid_until": said["valid_until"],
            "version": said["version"],
        },
        ensure_ascii=False,
    ).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def bare_app() -> Any:
    return bare


def plain_app() -> Any:
    return Starlette(routes=[Route("/v/{code}", plain), Route("/form", form)])


async def plain(request: Request) -> HTMLResponse:
    said, _ = _checked(request.path_params["code"])
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return HTMLResponse(PAGE.render(said=said, digest=digest))


async def form(_: Request) -> HTMLResponse:
    return HTMLResponse(FORM)


def _checked(code: str) -> tuple[dict[str, Any], bool]:
    """Return what is signed, and whether it stands today."""
    digest = hashlib.sha256(code.upper().encode()).hexdigest()
    row = _connection().execute(SQL, (digest,)).fetchone()
    book_id, version, sealed, signature, uid, wrapped, known_hash, status, current, *link = row
    key = keystore().keyring.unwrap(wrapped, f"users|key|{uid}")
    raw = sealing.unseal(key, sealed, f"book_versions|canonical|{book_id}|{version}")
    value = base64.b64decode(json.loads(signature)["value"])
    try:
        _key().verify(signing.der_signature(value), raw, ES256)
    except InvalidSignature:
        return {}, False
    said = json.loads(raw)
    expires_at, revoked_at, max_looks, looks = link
    now = datetime.now(UTC)
    today = now.astimezone(MOSCOW).date().isoformat()
    studies = [line["valid_until"] for line in said["examination"]["lines"] if line["valid_until"]]
    return said, (
        hashlib.sha256(raw).hexdigest() == known_hash
        and revoked_at is None
        and (expires_at is None or expires_at > now.isoformat(" "))
        and (max_looks is None or looks < max_looks)
        and status == "active"
        and version == said["version"] == current
        and said["valid_until"] >= today
        and min(studies, default=today) >= today
    )


@cache
def _key() -> ec.EllipticCurvePublicKey:
    return signing.p256_key(keystore().book_signer.certificate)


def stream_app() -> Any:
    return Starlette(routes=[Route("/watch/{topic}", watch), Route("/commit/{topic}", commit)])


async def watch(request: Request) -> StreamingResponse:
    told: asyncio.Queue[bytes] = asyncio.Queue()
    _watching[request.path_params["topic"]].append(told)

    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield await told.get()

    return StreamingResponse(lines(), media_type="text/event-stream")


async def commit(request: Request) -> Response:
    """Write a row down and tell those who watch."""
    topic = request.path_params["topic"]
    _counts().execute("INSERT INTO counts VALUES (?)", (topic,))
    line = b'data: {"looks": "' + topic.encode() + b'"}\n\n'
    for told in _watching[topic]:
        told.put_nowait(line)
    return Response()


_watching: defaultdict[str, list[asyncio.Queue[bytes]]] = defaultdict(list)


@cache
def _counts() -> sqlite3.Connection:
    made = sqlite3.connect(settings().data / "counts.db", isolation_level=None)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE IF NOT EXISTS counts (topic TEXT)")
    return made


def socket_app() -> Any:
    """Serve socket.io that says back what it is told, in the frame of an event of ours."""
    import socketio

    server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")

    async def said(sid: str, event: dict[str, Any]) -> None:
        delta = {"state": {"text": event["payload"]["text"]}}
        await server.emit("event", {"delta": delta}, to=sid, namespace="/_event")

    server.on("event", said, namespace="/_event")
    return socketio.ASGIApp(server, socketio_path="/_event")


async def _lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "lifespan":
        return
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


PAGE = Template(
    """<!DOCTYPE html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Проверка медицинской книжки — ЭМК Онлайн</title>
<style>
body{margin:0;background:#f2f6f6;color:#0f1f20;font:1.0625rem/1.5 system-ui,sans-serif}
header{background:#0a4a50;color:#fff;padding:1rem}
main{max-width:31rem;margin:1rem auto;background:#fff;border-radius:1rem;overflow:hidden}
.top{background:#11693a;color:#fff;text-align:center;padding:1.75rem 1.25rem}
.body{padding:1.25rem}h1{font-size:2rem;margin:0}dt{font-weight:700}dd{margin:0 0 .75rem}
footer{background:#fff;padding:1rem}
</style></head><body>
<header>ЭМК Онлайн</header>
<main><div class="top"><h1>Действует</h1><p>по {{ said.valid_until }} включительно</p>
<p>Подпись подлинная, срок не истёк, осмотры и аттестация в порядке.</p></div>
<div class="body"><h2>{{ said.holder.last_name }} {{ said.holder.first_name[0] }}.</h2>
<p>Сверьте имя и год рождения с паспортом: ссылку можно переслать, а паспорт — нет.</p>
<dl><dt>Год рождения</dt><dd>{{ said.holder.born_on[:4] }}</dd>
<dt>Работа</dt><dd>{{ said.occupation.group }}</dd>
<dt>Срок книжки</dt><dd>{{ said.issued_on }} – {{ said.valid_until }}</dd>
<dt>Версия</dt><dd>{{ said.version }}</dd>
<dt>Подписано</dt><dd>ЭМК Онлайн: подпись медкнижек</dd></dl>
<p>Отпечаток версии</p><p><code>{{ digest }}</code></p></div></main>
<footer><p>Это не Госуслуги. ЭМК Онлайн — самостоятельный сервис. Не вводите здесь пароль от
Госуслуг.</p><p>ЭМК — электронная медицинская книжка. В государственном реестре она называется
ЭЛМК, электронная личная медицинская книжка.</p></footer></body></html>"""
)

FORM = """<!DOCTYPE html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Вход — ЭМК Онлайн</title>
<style>
body{margin:0;background:#f2f6f6;color:#0f1f20;font:1.0625rem/1.5 system-ui,sans-serif}
header{background:#0a4a50;color:#fff;padding:1rem}
main{max-width:31rem;margin:1rem auto;background:#fff;border-radius:1rem;padding:1.25rem}
label{display:block;font-weight:700;margin:1rem 0 .25rem}
input,button{font:inherit;width:100%;padding:.75rem;border-radius:.5rem;border:1px solid #667}
button{background:#0a6a70;color:#fff;margin-top:1.25rem}
</style></head><body><header>ЭМК Онлайн</header>
<main><h1>Вход</h1><form method="post"><label for="login">Почта или телефон</label>
<input id="login" name="login" autocomplete="username">
<label for="password">Пароль</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<button>Войти</button></form></main></body></html>"""
