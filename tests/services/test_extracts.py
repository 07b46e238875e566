"""Extracts on paper: made once, read by machines, closed by the holder; refusals first."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from emk_app.crypto import pades
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import BookContent, BookNotShareable, BookVaccination, Verdict
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.people import FullName
from emk_app.keys import keystore
from emk_app.presenting.extracts import LINK_LABEL, PAGES, printed
from emk_app.services import extracts, issuing, sharing
from emk_app.services.extracts import Said
from tests.factories import make_book, make_holder, make_officer

pytestmark = pytest.mark.usefixtures("world")


def make(holder: Actor, book_id: int, now: datetime) -> None:
    extracts.make(holder, book_id, label=LINK_LABEL, printed=printed, now=now)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_has_extracts(role: Role, now: datetime):
    for act in (
        lambda: make(Actor(1, role), 1, now),
        lambda: extracts.file(Actor(1, role), 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_a_foreign_book_does_not_exist(now: datetime):
    book_id = make_book(make_holder(now), now)
    stranger = make_holder(now)
    with pytest.raises(NotFound):
        make(stranger, book_id, now)
    with pytest.raises(NotFound):
        extracts.file(stranger, book_id, now=now)


def test_a_book_that_may_not_be_shown_has_no_extract(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now, received=False)
    with pytest.raises(BookNotShareable) as refused:
        make(holder, book_id, now)
    assert refused.value.verdict is Verdict.NOT_RECEIVED
    with pytest.raises(NotFound):
        extracts.file(holder, book_id, now=now)


def test_the_extract_says_what_the_book_says(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    make(holder, book_id, now)
    made = extracts.file(holder, book_id, now=now)
    found = pades.check_pdf(made.content, keystore().trust_list)
    card = issuing.card(holder, now=now)
    assert card is not None and card.content is not None
    assert found.is_genuine
    assert found.extract is not None
    assert found.extract.version_hash == card.version_hash
    text = "\n".join(_texts(made.content))
    for words in (card.number.shown, card.content.holder.last, "Выписка", card.version_hash[:16]):
        assert words in text
    # What a camera reads off the paper.
    (code,) = zxingcpp.read_barcodes(
        _pictures(made.content)[0], formats=zxingcpp.barcode_formats_from_str("QRCode")
    )
    assert code.text.endswith(f"/v/{found.extract.share}#{found.extract.token}")
    with pikepdf.open(io.BytesIO(made.content)) as pdf:
        assert len(pdf.pages) == PAGES
        assert pdf.Root.MarkInfo.Marked
        with pdf.open_metadata() as said:
            assert said.pdfa_status == "2B"


def test_it_is_made_once_and_again_after_its_code_is_closed(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    make(holder, book_id, now)
    first = extracts.file(holder, book_id, now=now).content
    make(holder, book_id, now + timedelta(hours=1))
    assert extracts.file(holder, book_id, now=now).content == first
    (link,) = sharing.links(holder, now=now)
    assert link.label == LINK_LABEL
    sharing.revoke(holder, link.id, now=now)
    with pytest.raises(NotFound):
        extracts.file(holder, book_id, now=now)
    closed = extracts.check(first, "Chrome", now=now)
    assert closed.file.is_genuine
    assert closed.look is not None
    assert closed.look.verdict is Verdict.LINK_REVOKED
    assert not closed.is_present
    make(holder, book_id, now)
    assert extracts.file(holder, book_id, now=now).content != first


def test_an_upload_is_a_look_and_says_how_the_book_stands_now(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    make(holder, book_id, now)
    content = extracts.file(holder, book_id, now=now).content
    good = extracts.check(content, "Chrome", now=now)
    assert good.is_present
    assert [look.label for look in sharing.looks(holder)] == [LINK_LABEL]
    issuing.suspend(make_officer(now), book_id, "Проверка", now=now)
    stopped = extracts.check(content, "Chrome", now=now)
    assert stopped.file.is_genuine
    assert stopped.look is not None
    assert stopped.look.verdict is Verdict.SUSPENDED
    assert not stopped.is_present


def test_a_file_that_is_not_ours_is_no_look(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    make(holder, book_id, now)
    content = bytearray(extracts.file(holder, book_id, now=now).content)
    content[len(content) // 3] ^= 1
    for strange in (bytes(content), b"%PDF-1.7", b""):
        found = extracts.check(strange, "Chrome", now=now)
        assert found.look is None
        assert not found.is_present
    assert sharing.looks(holder) == ()


def test_whatever_a_book_says_fits_on_two_pages(now: datetime):
    content = _content(now)
    vaccination = BookVaccination(
        "measles", "Корь, краснуха и эпидемический паротит", "done", date(2026, 5, 4), "RV",
        "Вактривир, живая культуральная комбинированная вакцина", "A-1234567", None,
    )  # fmt: skip
    long = FullName("Константинопольская-Вознесенская", "Александра-Виктория", "Святославовна")
    words = "Не поднимать груз тяжелее пяти килограммов, работать только днём. " * 7
    full = replace(
        content,
        holder=long,
        vaccinations=(vaccination,) * 60,
        conclusion=Conclusion(Fitness.FIT_WITH_RESTRICTIONS, words, None, words),
        clinic_name="Государственное бюджетное учреждение здравоохранения " * 4,
    )
    bare = replace(content, vaccinations=(), lines=content.lines[:3])
    for said in (full, content, bare):
        made = printed(Said(said, "ab" * 32, now, "https://localhost/v/A#B", now))
        texts = _texts(made)
        assert len(texts) == PAGES
    text = " ".join("".join(_texts(printed(_said(full, now)))).split())
    shown = text.count("A-1234567")
    # What is not printed is said to be left out.
    assert shown == 60 or f"И ещё {60 - shown}" in text.replace("\xa0", " ")
    assert long.first in text


def test_the_same_words_make_the_same_sheet(now: datetime):
    said = _said(_content(now), now)
    assert printed(said) == printed(said)


def test_what_people_write_is_no_markup(now: datetime):
    content = replace(_content(now), clinic_name='#panic("x") $x$ *y* \\ <a> @b')
    assert '#panic("x") $x$ *y*' in " ".join("".join(_texts(printed(_said(content, now)))).split())


def _said(content: BookContent, now: datetime) -> Said:
    return Said(content, "ab" * 32, now, "https://localhost/v/A#B", now)


def _content(now: datetime) -> BookContent:
    holder = make_holder(now)
    make_book(holder, now)
    card = issuing.card(holder, now=now)
    assert card is not None and card.content is not None
    return card.content


def _texts(content: bytes) -> list[str]:
    pdf = pypdfium2.PdfDocument(content)
    return [page.get_textpage().get_text_bounded() for page in pdf]


def _pictures(content: bytes) -> list:
    pdf = pypdfium2.PdfDocument(content)
    return [page.render(scale=3).to_pil() for page in pdf]
