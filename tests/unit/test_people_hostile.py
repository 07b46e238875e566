"""Whatever is sent to a field, its reader answers with a value or a problem, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emk_app.domain.contacts import Email, Login, Phone
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.numbers import Inn, Ogrn, Okpo, Snils
from emk_app.domain.passports import Passport
from emk_app.domain.people import FullName, parse_birth_date, parse_date, parse_name_part
from emk_app.domain.places import PostalAddress, parse_address_text, parse_postal_index
from emk_app.domain.policies import Enp, OmsPolicy, PolicyKind
from emk_app.presenting.field_texts import word, words

TODAY = date(2026, 11, 23)

READERS: dict[str, Callable[[str], object]] = {
    "name": lambda text: parse_name_part(text, required=True),
    "patronymic": lambda text: parse_name_part(text, required=False),
    "full name": lambda text: FullName.parse(last=text, first=text, patronymic=text),
    "date": parse_date,
    "birth date": lambda text: parse_birth_date(text, TODAY, youngest=14),
    "snils": Snils.parse,
    "inn": Inn.parse,
    "okpo": Okpo.parse,
    "ogrn": Ogrn.parse,
    "enp": Enp.parse,
    **{
        f"{kind} policy": lambda text, kind=kind: OmsPolicy.parse(kind, number=text, series=text)
        for kind in PolicyKind
    },
    "phone": Phone.parse,
    "mobile": Phone.parse_mobile,
    "email": Email.parse,
    "login": Login.parse,
    "index": parse_postal_index,
    "address text": parse_address_text,
    "address": lambda text: PostalAddress.parse(index=text, text=text),
    "passport": lambda text: Passport.parse(
        series=text,
        number=text,
        issued_on=text,
        unit=text,
        born_on=date(1990, 5, 14),
        today=TODAY,
    ),
}

ALPHABETS = [
    st.characters(),
    st.sampled_from("0123456789-. /"),
    st.sampled_from("0123456789+()-"),
    st.sampled_from("٠١٢٣۴५६７８９𝟙²Ⅷ"),
    st.sampled_from("ИвановаЁё'’- "),
    st.sampled_from("\u202e\u2066\u200b\ufeff\x00\x1b\r\n\u0301\u0308\ud800😀👨\u200d👩"),
    st.sampled_from("abcXN-.@жßıİﬁ"),
    st.sampled_from("שלוםسلام你好"),
]

hostile = st.one_of(*(st.text(alphabet, max_size=40) for alphabet in ALPHABETS))


@pytest.mark.parametrize("name", READERS)
@given(text=hostile)
@example(text="x" * 1_000_000)
@example(text="1" * 1_000)
@example(text="9" * 60)
@example(text="+" * 59)
@example(text="a@xn--\u0430.xn--")
@example(text="a@xn--99999999999.ru")
@example(text="a@xn--.ru")
@example(text="'; DROP TABLE people; --")
@example(text="<script>alert(1)</script>")
@example(text="иван@почта.рф\r\nBcc: a@b.ru")
@example(text="\ud800")
def test_reader_raises_nothing_but_problems(name: str, text: str) -> None:
    try:
        READERS[name](text)
    except InvalidValue as problem:
        sentences = [word(problem)]
    except Invalid as problem:
        sentences = list(words(problem).values())
    else:
        return
    for sentence in sentences:
        sentence.encode("utf-8")
        assert sentence.isprintable()
        assert len(sentence) < 250
