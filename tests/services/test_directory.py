"""Finding a clinic in the demo register."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emk_app.demo import register
from emk_app.domain.clinics import (
    ClinicKind,
    ClinicNotAvailable,
    LicenceStatus,
    check_available,
)
from emk_app.domain.errors import NotFound
from emk_app.domain.numbers import Inn, Ogrn, Okpo
from emk_app.domain.regions import REGIONS
from emk_app.services import directory
from tests.conftest import make_new


@pytest.fixture(scope="module")
def loaded(migrated: Path | None) -> int:
    make_new(migrated)
    return register.load()


def test_register_covers_every_region_with_valid_numbers_and_is_marked_as_demo():
    clinics = list(register.clinics())
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
    assert [c.model_dump() for c in register.clinics()] == [
        c.model_dump() for c in register.clinics()
    ]


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
    assert directory.search("такой больницы нет") == directory.Found((), 0)


def test_wildcards_of_the_database_are_plain_letters(loaded: int):
    assert directory.search("%").total == 0
    assert directory.search("_").total == 0


def test_unknown_clinic_is_not_found(world: None):
    with pytest.raises(NotFound):
        directory.get(1)


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
