"""The consent on paper: a PDF that carries its fonts, says what it must and runs nothing."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2

from emk_app.domain.consent import CURRENT, TEXTS, ConsentText
from emk_app.domain.intake import Field
from emk_app.presenting import consent_form
from tests.factories import FORM


def words_of(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    text = " ".join(page.get_textpage().get_text_range() for page in pages)
    return " ".join(text.replace("\u00ad", "").replace("\ufffe", "").split())


def test_empty_form_says_every_section_and_has_lines_to_write_on():
    said = words_of(consent_form.blank())
    assert CURRENT.title in said
    assert f"Версия текста: {CURRENT.version}" in said
    for heading, _ in CURRENT.sections:
        assert heading in said
    for label, _ in consent_form.FIELDS:
        assert label in said
    assert "Иванова" not in said
    assert "Подпись" in said


def test_filled_form_names_the_person_and_their_document():
    said = words_of(consent_form.filled(FORM))
    assert "Иванова Мария Сергеевна" in said
    assert "27.03.1990" in said
    assert "109012, г. Москва, ул. Ильинка, д. 4, кв. 7" in said
    series, number = FORM[Field.PASSPORT_SERIES], FORM[Field.PASSPORT_NUMBER]
    assert f"Паспорт гражданина РФ {series} {number}" in said


def test_what_was_not_typed_yet_or_is_no_answer_is_left_to_the_pen():
    odd = {Field.LAST_NAME: "Ли", Field.IDENTITY_KIND: "nonsense", Field.PASSPORT_NUMBER: "1"}
    said = words_of(consent_form.filled(odd))
    assert "Ли" in said
    assert "nonsense" not in said


def test_what_is_typed_is_text_and_never_markup():
    said = words_of(consent_form.filled({Field.LAST_NAME: '#panic("x") *a* $1$ "]}\\'}))
    assert '#panic("x") *a* $1$ "]}\\' in said


def test_form_is_accessible_and_brings_its_own_fonts():
    with pikepdf.open(io.BytesIO(consent_form.blank())) as pdf:
        assert pdf.Root.Lang == "ru"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.docinfo["/Title"] == CURRENT.title
        fonts = [font for page in pdf.pages for font in page.Resources.Font.values()]
        assert fonts
        for font in fonts:
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert any(key in descriptor for key in ("/FontFile2", "/FontFile3"))


def test_form_of_a_very_long_text_numbers_its_pages():
    long = ConsentText("1", "Длинный", tuple((f"Часть {n}", "слово " * 200) for n in range(30)))
    assert "Страница 2 из" in words_of(consent_form.pdf(long, {"name": "Ю" * 300}))


def test_every_version_there_has_been_can_still_be_printed():
    for text in TEXTS.values():
        assert text.sections[-1][0] in words_of(consent_form.pdf(text))
