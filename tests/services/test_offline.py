"""Checking without the server: each outcome, each exit status, and no folder or network needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typst
from cryptography.hazmat.primitives.serialization import Encoding

from emk_app import cli, clock
from emk_app.crypto import qr, statuslist, tokens, trustlist
from emk_app.crypto.pades import Extract, sign_pdf
from emk_app.crypto.signing import KeyStatus, KeyUse, TrustedKey, TrustList
from emk_app.domain.actors import Actor
from emk_app.domain.books import Verdict
from emk_app.keys import keystore
from emk_app.presenting.offline import (
    EXIT_STATUS,
    NO_CODE,
    STATUSES_REFUSED,
    UNKNOWN_REVOCATION,
    lines,
)
from emk_app.services import exporting, offline, sharing, statuses
from emk_app.services.exporting import ExportFormat
from emk_app.services.offline import Kind, OfflineCheck, Outcome
from tests.factories import make_book, make_holder
from tests.services.test_versions import vaccinate

pytestmark = pytest.mark.usefixtures("world")

ROOT = Path(__file__).parents[2]
YEARS = timedelta(days=366 * 6)


@dataclass(frozen=True)
class Held:
    """What a holder may hand to somebody without a connection."""

    holder: Actor
    book_id: int
    code: str
    saved: bytes

    @property
    def token(self) -> str:
        return self.code.rpartition("#")[2]

    @property
    def share(self) -> str:
        return self.code.partition("#")[0].rpartition("/")[2]


@pytest.fixture
def held() -> Held:
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    saved = exporting.export(holder, book_id, 1, ExportFormat.JSON, now=now).content
    return Held(holder, book_id, sharing.code(holder, link.id, now=now).url, saved)


def check(raw: bytes | str, trust: TrustList | None = None, at: datetime | None = None):
    said = raw.encode() if isinstance(raw, str) else raw
    return offline.verify(said, trust or keystore().trust_list, now=at or clock.now())


def altered(**values: object) -> TrustList:
    trust = keystore().trust_list

    def changed(key: TrustedKey) -> TrustedKey:
        return key if key.use is KeyUse.LIST else replace(key, **values)

    return TrustList(tuple(changed(key) for key in trust.keys), trust.roots)


def test_code_is_good_in_every_way_it_is_given(held: Held):
    for said in (held.code, f"  {held.code}\n", f"#{held.token}", held.token):
        found = check(said)
        assert (found.outcome, found.kind) == (Outcome.GENUINE, Kind.TOKEN)
        assert found.claims is not None and found.claims.shown_name == "Иванова М. С."
    assert check(qr.qr_png(held.code)).is_good


def test_saved_version_is_good_and_says_whose_it_is(held: Held):
    found = check(held.saved)
    assert (found.outcome, found.kind) == (Outcome.GENUINE, Kind.DOWNLOAD)
    assert found.content is not None and found.content.holder.last == "Иванова"


@pytest.mark.parametrize("what", ["code", "saved"])
def test_key_and_time_are_judged_by_the_list(held: Held, what: str):
    raw = getattr(held, what)
    trust = keystore().trust_list
    assert check(raw, TrustList((), trust.roots)).outcome is Outcome.UNKNOWN_KEY
    gone = altered(status=KeyStatus.COMPROMISED)
    assert check(raw, gone).outcome is Outcome.KEY_WITHDRAWN
    before = altered(status=KeyStatus.RETIRED, not_after=clock.now() - timedelta(days=1))
    assert check(raw, before).outcome is Outcome.KEY_WITHDRAWN
    assert check(raw, altered(status=KeyStatus.RETIRED)).is_good
    late = check(raw, at=clock.now() + YEARS)
    assert late.outcome in (Outcome.EXPIRED, Outcome.NOT_IN_FORCE)
    assert late.content is not None or late.claims is not None


def test_what_is_changed_says_nothing_of_its_content(held: Held):
    letter = "A" if held.token[200] != "A" else "B"
    token = held.token[:200] + letter + held.token[201:]
    saved = held.saved.replace("Иванова".encode(), "Петрова".encode())
    assert saved != held.saved
    for raw, outcomes in (
        (token, {Outcome.NOT_GENUINE, Outcome.MALFORMED}),
        (saved, {Outcome.NOT_GENUINE}),
    ):
        found = check(raw)
        assert found.outcome in outcomes
        assert (found.claims, found.content, found.document_hash) == (None, None, "")


def test_halves_of_two_codes_do_not_make_one(held: Held):
    other = f"http://localhost:8000/v/{tokens.new_share()}#{held.token}"
    assert check(other).outcome is Outcome.NOT_GENUINE


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"#",
        b"\xff\xfe",
        b"{",
        b"{}",
        b"https://example.ru/v/x#A",
        b"//[#A",
        b"\x89PNG\r\n\x1a\n and no picture",
        b"A" * 100_000,
        qr.qr_png("https://example.ru"),
        b"%PDF-1.7",
    ],
)
def test_anything_else_is_malformed(raw: bytes):
    assert check(raw).outcome is Outcome.MALFORMED


def test_saved_version_that_was_replaced_says_so(held: Held):
    vaccinate(held.holder, clock.now())
    old = exporting.export(held.holder, held.book_id, 1, ExportFormat.JSON, now=clock.now())
    found = check(old.content)
    assert (found.outcome, found.reasons) == (Outcome.NOT_IN_FORCE, (Verdict.SUPERSEDED,))
    # What was saved before can't know it.
    assert check(held.saved).is_good


def test_studies_out_of_date_are_no_admission(held: Held):
    found = check(held.saved, at=clock.now() + timedelta(days=700))
    assert found.outcome is Outcome.NOT_IN_FORCE
    assert Verdict.ITEMS_OVERDUE in found.reasons


@cache
def page() -> bytes:
    return typst.compile(b'#set page(paper: "a4")\nEMK', pdf_standards=["a-2b"], timestamp=0)


def printed(held: Held, **changed: Any) -> bytes:
    """Return an extract of the version the code is of."""
    address, _, token = held.code.partition("#")
    said = json.loads(json.loads(held.saved)["document"])
    digest = json.loads(held.saved)["signature"]["sha256"]
    extract = Extract(said["number"], 1, digest, address.rpartition("/")[2], token)
    return sign_pdf(page(), keystore().book_signer, replace(extract, **changed), now=clock.now())


def test_extract_is_good_while_its_code_is_and_says_the_same(held: Held):
    good = printed(held)
    found = check(good)
    assert (found.outcome, found.kind) == (Outcome.GENUINE, Kind.EXTRACT)
    assert found.claims is not None
    assert "после подписи ничего не добавлено: да" in "\n".join(lines(found))
    soon = check(good, at=clock.now() + timedelta(days=300))
    assert soon.outcome is Outcome.EXPIRED
    gone = altered(status=KeyStatus.COMPROMISED)
    assert check(good, gone).outcome is Outcome.KEY_WITHDRAWN
    trust = keystore().trust_list
    assert check(good, TrustList((), trust.roots)).outcome is Outcome.UNKNOWN_KEY


def test_extract_that_is_changed_or_of_another_version_is_not_genuine(held: Held):
    good = printed(held)
    place = good.index(b"/MediaBox")
    for raw in (
        good[:place] + b"/MediaBax" + good[place + 9 :],
        good + b"\n",
        printed(held, version=2),
        printed(held, version_hash="0" * 64),
        printed(held, share=tokens.new_share()),
    ):
        found = check(raw)
        assert (found.outcome, found.claims) == (Outcome.NOT_GENUINE, None)
    assert check(page()).outcome is Outcome.MALFORMED


def test_several_codes_on_a_picture_are_not_guessed_at(held: Held, monkeypatch: pytest.MonkeyPatch):
    link = sharing.make(held.holder, held.book_id, now=clock.now())
    other = sharing.code(held.holder, link.id, now=clock.now()).url
    monkeypatch.setattr(qr, "read_codes", lambda _: (held.code, other, "https://example.ru"))
    with pytest.raises(offline.SeveralCodes):
        check(b"\x89PNG\r\n\x1a\n")


def files(folder: Path, held: Held) -> dict[str, str]:
    store = keystore()
    made = {
        "keys.json": trustlist.publish(store.list_signer, store.trust_list, 1, clock.now()),
        "root.cer": store.root.public_bytes(Encoding.DER),
        "root.pem": store.root.public_bytes(Encoding.PEM),
        "book.json": held.saved,
        "code.png": qr.qr_png(held.code),
        "code.txt": held.code.encode(),
        "bad.json": held.saved.replace(b'"status":"active"', b'"status":"gone"'),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in made}


def test_each_exit_status_says_what_spoke_against_it(
    held: Held, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    at = files(tmp_path, held)
    trusted = ("--trust-list", at["keys.json"], "--root", at["root.cer"])

    def run(what: str, *more: str) -> int:
        return cli.main(["verify", what, *(more or trusted)])

    for name in ("book.json", "code.png", "code.txt"):
        assert run(at[name]) == 0
        said = capsys.readouterr().out
        assert said.startswith("Подлинно") and UNKNOWN_REVOCATION in said
        assert not any(word in said for word in ("None", "True", "False"))
    assert run(held.code) == run(held.token) == run("#" + held.token) == 0
    assert run(held.code, "--trust-list", at["keys.json"], "--root", at["root.pem"]) == 0
    assert run(held.code, "--trust-list", at["keys.json"]) == 0
    assert "--root" in capsys.readouterr().out
    assert run(at["bad.json"]) == EXIT_STATUS[Outcome.NOT_GENUINE] == 13
    assert run(at["keys.json"]) == EXIT_STATUS[Outcome.MALFORMED] == 10
    assert run(held.code, *trusted, "--at", "2099-01-01") == 3
    assert run(held.code, *trusted, "--at", "2020-01-01T10:00:00+03:00") == 3
    soon = (clock.now() + timedelta(days=300)).isoformat()
    assert run(held.code, *trusted, "--at", soon) == EXIT_STATUS[Outcome.EXPIRED] == 14
    assert "устарел" in capsys.readouterr().out
    late = (clock.now() + timedelta(days=650)).isoformat()
    assert run(at["book.json"], *trusted, "--at", late) == EXIT_STATUS[Outcome.NOT_IN_FORCE] == 15
    assert run(str(tmp_path / "nothing.json")) == 2
    assert run(held.code, "--trust-list", str(tmp_path / "nothing.json")) == 2
    assert run(held.code, "--trust-list", at["book.json"]) == 3
    assert run(held.code, "--trust-list", at["keys.json"], "--root", at["book.json"]) == 3
    forged = json.loads(Path(at["keys.json"]).read_bytes())
    forged["signature"] = forged["signature"][:-4] + "AAAA"
    (tmp_path / "forged.json").write_text(json.dumps(forged))
    assert run(held.code, "--trust-list", str(tmp_path / "forged.json")) == 3
    assert "Иванова" not in capsys.readouterr().err


def test_list_of_statuses_tells_what_was_closed_since(
    held: Held, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    at = files(tmp_path, held)
    extract, other = tmp_path / "extract.pdf", tmp_path / "other.txt"
    extract.write_bytes(printed(held))
    link = sharing.make(held.holder, held.book_id, now=clock.now())
    other.write_text(sharing.code(held.holder, link.id, now=clock.now()).url)
    sharing.revoke(held.holder, link.id, now=clock.now())
    lists = tmp_path / "lists"
    lists.mkdir()
    good = statuses._make(None, clock.now()).body
    store, place = keystore(), statuslist.place_of(tokens.share_id(held.share))

    def saved(name: str, mark: int, signer: Any = None, at: datetime | None = None) -> str:
        packed = statuslist.pack({place: mark})
        body = statuslist.publish(signer or store.list_signer, "x", packed, at or clock.now())
        (lists / name).write_bytes(body)
        return str(lists / name)

    (lists / "good").write_bytes(good + b"\n")
    (lists / "forged").write_bytes(good[:-6] + b"AAAAAA")
    (lists / "nonsense").write_text("nothing")

    def run(what: str, name: str, *more: str) -> int:
        said = ["verify", what, "--trust-list", at["keys.json"], "--root", at["root.cer"]]
        return cli.main([*said, "--status-list", name, *more])

    kept = str(lists / "good")
    for what in (held.code, at["code.png"], str(extract)):
        assert run(what, kept) == 0
        said = capsys.readouterr().out
        assert "код не закрыт" in said and UNKNOWN_REVOCATION not in said
    assert run(str(other), kept) == EXIT_STATUS[Outcome.OVER] == 16
    assert "код закрыт или книжка аннулирована" in capsys.readouterr().out
    for mark, words in ((2, "приостановлена"), (3, "заменена новой версией")):
        name = saved("marked", mark)
        assert run(held.code, name) == run(str(extract), name) == 16
        assert words in capsys.readouterr().out
    # A saved version has no code: the list says nothing of it, and that is said.
    assert run(at["book.json"], kept) == 0
    assert NO_CODE in capsys.readouterr().out
    # What is wrong with a thing itself comes before what the list says.
    assert run(held.code.replace(held.share, tokens.new_share()), saved("marked", 1)) == 13
    late = (clock.now() + timedelta(days=2)).isoformat()
    refused = STATUSES_REFUSED
    assert refused == 4
    assert run(held.code, kept, "--at", late) == refused
    assert "сутки" in capsys.readouterr().err
    for name in ("forged", "nonsense"):
        assert run(held.code, str(lists / name)) == refused
    assert run(held.code, at["keys.json"]) == refused
    assert run(held.code, saved("qr", 0, store.qr_signer)) == refused
    ahead = clock.now() + timedelta(hours=2)
    assert run(held.code, saved("ahead", 0, at=ahead)) == refused
    assert run(held.code, str(lists / "absent")) == 2
    assert "Иванова" not in capsys.readouterr().err


def test_every_outcome_has_its_own_exit_status():
    assert set(EXIT_STATUS) == set(Outcome)
    assert len(set(EXIT_STATUS.values())) == len(Outcome)


def test_neither_folder_nor_settings_nor_network_are_needed(held: Held, tmp_path: Path):
    at = files(tmp_path, held)
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit(99)\n"
        "socket.socket.connect = refuse\n"
        "from emk_app import cli\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", code, "verify", held.code, "--trust-list", at["keys.json"]],
        cwd=empty,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert list(empty.iterdir()) == []


def test_what_a_check_found_stays_out_of_logs(held: Held):
    found: OfflineCheck = check(held.saved)
    assert "Иванова" not in repr(found)
