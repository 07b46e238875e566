"""Finding a clinic in the demo register."""

from __future__ import annotations

import re
from typing import Any

import pytest

from emk_app.demo import register
from emk_app.domain.clinics import (
    ClinicKind,
    ClinicNotAvailable,
    LicenceStatus,
    check_available,
    words_of,
)
from emk_app.domain.errors import NotFound
from emk_app.domain.numbers import Inn, Ogrn, Okpo
from emk_app.domain.regions import REGIONS
from emk_app.domain.typos import keys_of, nearest
from emk_app.services import directory
from tests.conftest import make_new
from tests.scenes import Scenes


@pytest.fixture(scope="module")
def loaded(migrated: Scenes) -> int:
    make_new(migrated)
    return register.load()


def test_register_covers_every_region_with_valid_numbers_and_is_marked_as_demo():
    clinics = list(register.entries())
    assert len(clinics) >= 2000
    assert {clinic.region_code for clinic in clinics} == set(REGIONS)
    assert len(REGIONS) == 89
    for clinic in clinics:
        assert Inn.parse(clinic.inn).digits == clinic.inn
        assert Ogrn.parse(clinic.ogrn).digits == clinic.ogrn
        assert Okpo.parse(clinic.okpo).digits == clinic.okpo
        assert re.fullmatch(r"1\.2\.643\.5\.1\.13\.13\.12\.2\.\d{1,2}\.\d{1,6}", clinic.oid)
        assert clinic.is_demo
    assert len({clinic.oid for clinic in clinics}) == len(clinics)
    assert len({clinic.okpo for clinic in clinics}) == len(clinics)


def test_register_is_the_same_at_every_start():
    assert [*register.entries()] == [*register.entries()]


def test_loading_twice_adds_nothing(loaded: int):
    assert loaded >= 2000
    assert register.load() == 0


def test_words_in_any_order_and_case_find_the_clinic(loaded: int):
    found = directory.search("екатеринбург ПОЛИКЛИНИКА")
    assert found.total >= 1
    assert all("Екатеринбург" in clinic.name for clinic in found.clinics)


def test_yo_and_ye_are_one_letter(loaded: int):
    assert directory.search("орел").total == directory.search("Орёл").total > 0


def test_beginning_of_okpo_finds_the_clinic(loaded: int):
    some = directory.search("Казань").clinics[0]
    assert some in directory.search(some.okpo[:6]).clinics


def test_filters_narrow(loaded: int):
    found = directory.search(
        region="77", kind=ClinicKind.HOSPITAL, with_electronic_policy=True, point="23", limit=100
    )
    assert 0 < found.total < 24
    for clinic in found.clinics:
        assert clinic.region_code == "77"
        assert clinic.kind is ClinicKind.HOSPITAL
        assert clinic.has_electronic_policy
        assert "23" in clinic.points


def test_nothing_found_is_an_empty_answer(loaded: int):
    assert directory.search("такой больницы нет").clinics == ()


def test_wildcards_of_the_database_are_plain_letters(loaded: int):
    assert directory.search("%").total == 0
    assert directory.search("_").total == 0


def test_unknown_clinic_is_not_found(loaded: int):
    with pytest.raises(NotFound):
        directory.get(loaded + 1)


@pytest.mark.parametrize(
    ("licence", "point"),
    [
        (LicenceStatus.SUSPENDED, "23"),
        (LicenceStatus.ENDED, None),
        (LicenceStatus.ACTIVE, "27"),
    ],
)
def test_clinic_without_licence_or_point_is_not_available(licence: LicenceStatus, point: str):
    with pytest.raises(ClinicNotAvailable):
        check_available(licence, frozenset({"23", "25"}), point)


def test_licensed_clinic_is_available():
    check_available(LicenceStatus.ACTIVE, frozenset({"23", "25"}), "23")
    check_available(LicenceStatus.ACTIVE, frozenset({"23"}), None)


def names(query: str, **filters: Any) -> list[str]:
    return [clinic.short_name for clinic in directory.search(query, **filters).clinics]


def test_unfinished_words_and_middles_of_words_find(loaded: int):
    assert "Казань" in names("каза полик")[0]
    assert "Казань" in names("азань")[0]
    assert directory.search("азан").total >= directory.search("казан").total > 0


def test_one_letter_finds_what_begins_with_it(loaded: int):
    for letter in "кмя1":
        found = directory.search(letter)
        assert found.clinics, letter
        for clinic in found.clinics:
            words = words_of(f"{clinic.name} {clinic.address} {clinic.region_name}")
            assert any(word.startswith(letter) for word in words)


def test_whole_words_come_before_beginnings(loaded: int):
    found = names("казань 1")
    numbers = [re.findall(r"[-№ ](\d+)[“»]", name) for name in found]
    assert ["1"] in numbers
    last = max(at for at, each in enumerate(numbers) if each == ["1"])
    assert last + 1 == sum(each == ["1"] for each in numbers)


def test_those_that_can_be_chosen_come_first(loaded: int):
    found = directory.search("", region="16", limit=100).clinics
    can_be = [c.licence_status is LicenceStatus.ACTIVE and c.is_connected for c in found]
    assert can_be == sorted(can_be, reverse=True)
    assert True in can_be and False in can_be


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("екатиринбург", "екатеринбург"),
        ("поликлинка казань", "поликлиника казань"),
        ("болница", "больница"),
        ("опликлиника", "поликлиника"),
        ("полекл", "поликлиника"),
        ("ночосебирск", "новосибирск"),
    ],
)
def test_mistyped_word_is_looked_for_as_it_was_meant(typed: str, meant: str, loaded: int):
    found = directory.search(typed)
    assert found.corrected == meant
    assert found.clinics == directory.search(meant).clinics


def test_word_that_is_found_is_never_corrected(loaded: int):
    assert directory.search("казань").corrected == ""
    narrowed = directory.search("казань", region="77")
    assert (narrowed.total, narrowed.corrected) == (0, "")


@pytest.mark.parametrize("typed", ["зззззз", "12345678901", "казань йцукенгш", "поликлиника 99999"])
def test_what_nobody_can_have_meant_finds_nothing(typed: str, loaded: int):
    assert directory.search(typed) == directory.Found((), 0, counts=directory.search(typed).counts)


def test_letters_that_sound_alike_are_one(loaded: int):
    assert directory.search("йошкар").total == directory.search("иошкар").total > 0
    assert directory.search("КАЗАНЬ!!!").total == directory.search("«казань»").total > 0


@pytest.mark.parametrize("query", ["", "казань", "больница", "поликлиника 1", "0100"])
@pytest.mark.parametrize("filters", [{}, {"region": "16"}, {"point": "24", "in_force": True}])
def test_counts_are_what_each_filter_would_find(query: str, filters: dict[str, Any], loaded: int):
    found = directory.search(query, **filters)
    counts = found.counts
    if counts.regions is not None:
        for code in ("16", "77", "66"):
            total = directory.search(query, **{**filters, "region": code}).total
            assert counts.regions.get(code, 0) == total
    if counts.kinds is not None:
        for kind in ClinicKind:
            total = directory.search(query, **{**filters, "kind": kind}).total
            assert counts.kinds.get(kind.value, 0) == total
    if counts.with_electronic_policy is not None:
        total = directory.search(query, **filters, with_electronic_policy=True).total
        assert counts.with_electronic_policy == total


def test_counts_are_there_before_anything_is_typed(loaded: int):
    found = directory.search()
    assert found.total == loaded
    assert found.counts.regions == dict.fromkeys(REGIONS, register.A_REGION)


def test_too_many_to_count_are_more_than_are_told(loaded: int):
    found = directory.search("поликлиника")
    assert (found.total, found.is_total_known) == (directory.COUNTED, False)
    assert found.counts == directory.Counts()
    assert directory.search("поликлиника", region="16").is_total_known


def test_filter_of_the_licence_hides_those_without(loaded: int):
    every = directory.search("", region="16", limit=100)
    standing = directory.search("", region="16", in_force=True, limit=100)
    assert 0 < standing.total < every.total == register.A_REGION
    assert all(each.licence_status is LicenceStatus.ACTIVE for each in standing.clinics)


@pytest.mark.parametrize("filters", [{}, {"region": "16"}, {"in_force": True}])
def test_rare_word_among_common_ones_finds_what_all_of_them_find(
    filters: dict[str, Any], loaded: int, monkeypatch: pytest.MonkeyPatch
):
    """The short way, by the rarest word, leads where the long way does."""
    some = directory.search("казань", limit=100).clinics[::7] + directory.search("12").clinics[::5]
    queries = [clinic.name for clinic in some]
    queries += [" ".join(word[:4] for word in name.split()) for name in queries]
    queries += ["поликлиника казань зззз", "казань казан каз ка к", "больница № 1 г казань"]
    short = [directory.search(query, **filters) for query in queries]
    assert sum(bool(found.clinics) for found in short) > 5
    monkeypatch.setattr("emk_app.db.repositories.clinics.SEVERAL", 100)
    assert short == [directory.search(query, **filters) for query in queries]


@pytest.mark.parametrize("way", [(True, False), (False, True)])
def test_way_that_the_database_is_told_changes_nothing_that_is_found(
    way: tuple[bool, bool], loaded: int, monkeypatch: pytest.MonkeyPatch
):
    queries = ("казань поликлиника", "больница 12", "центр г казань", "поликлиника казань зззз")
    chosen = [directory.search(query, in_force=True) for query in queries]
    assert all(found.is_total_known for found in chosen)
    monkeypatch.setattr("emk_app.db.repositories.clinics._way", lambda *_, **__: way)
    assert chosen == [directory.search(query, in_force=True) for query in queries]


def test_long_and_strange_queries_are_only_words(loaded: int):
    for query in ('" OR words : "', "NEAR(a b)", "казань*", "r77", "#", "\x00", "я" * 5000, "'--"):
        directory.search(query)
    assert directory.search("r77").total == 0
    assert directory.search(" ".join(["казань"] * 60)).total > 0


def test_typed_letters_share_a_key_with_what_was_meant():
    for typed, meant in (
        ("плик", "поликлиника"),
        ("оплик", "поликлиника"),
        ("поолик", "поликлиника"),
    ):
        assert keys_of(typed) & keys_of(meant), typed
    assert nearest("болница", ["больница", "станица", "баня"]) == ["больница"]
