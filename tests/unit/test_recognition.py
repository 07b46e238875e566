"""Scans read by the real reader: what it may say, what it never says, and how it ends."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from emk_app.demo import papers
from emk_app.domain import intake, mrz, policies
from emk_app.domain.checks import (
    READ_FROM,
    Check,
    CheckOutcome,
    Finding,
    Reason,
    ScanText,
    read_findings,
)
from emk_app.domain.documents import MediaType, ScanKind
from emk_app.domain.intake import Applicant, Field
from emk_app.domain.people import FullName, Sex
from emk_app.domain.policies import Enp, PolicyKind
from emk_app.storage import reader, recognition
from emk_app.storage.reader import Want
from emk_app.storage.recognition import Reading, Recogniser, Unread
from tests.factories import FORM
from tests.files import good, passports
from tests.files.hostile import HOSTILE
from tests.files.passports import Specimen

COUNT = int(os.environ.get("EMK_TEST_SCANS", "10"))
BORN_ON = date(1990, 3, 27)
CLAIMS = 10
"""Each scan is held against its own form and those of nine others."""
PASSED, FAILED, UNKNOWN = CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.UNKNOWN


def test_extra_is_installed_where_it_is_tested() -> None:
    assert importlib.util.find_spec("rapidocr")
    assert importlib.util.find_spec("onnxruntime")


@pytest.fixture(scope="module")
def eyes() -> Iterator[Recogniser]:
    made = Recogniser(with_pictures=True)
    yield made
    made.close()


@pytest.fixture
def blind() -> Iterator[Recogniser]:
    """What works without the extra."""
    made = Recogniser(with_pictures=False)
    yield made
    made.close()


def form(specimen: Specimen, enp: Enp | None = None) -> Applicant:
    """The form that this passport's owner fills in without a mistake."""
    fields = {field.value: text for field, text in FORM.items()} | {
        Field.POLICY_KIND: PolicyKind.UNIFIED.value,
        Field.POLICY_NUMBER: (enp or Enp.issue(77, BORN_ON, specimen.sex, 12345)).digits,
    }
    return replace(
        intake.read(fields, date(2026, 11, 25)),
        name=specimen.name,
        born_on=specimen.born_on,
        sex=specimen.sex,
        identity=specimen.passport,
    )


def said(reading: Reading) -> ScanText:
    assert reading.unread is None
    return ScanText(reading.rows, reading.is_layer)


def on_passport(applicant: Applicant, reading: Reading) -> dict[Check, Finding]:
    found = read_findings(applicant, ScanKind.PASSPORT, said(reading))
    assert [each.check for each in found] == list(READ_FROM[ScanKind.PASSPORT])
    return {each.check: each for each in found}


def truth(applicant: Applicant) -> dict[Check, object]:
    passport = applicant.passport
    assert passport is not None
    return {
        Check.PASSPORT_NAME: applicant.name,
        Check.PASSPORT_NUMBER: str(passport),
        Check.PASSPORT_BIRTH: applicant.born_on,
        Check.PASSPORT_SEX: applicant.sex,
        Check.PASSPORT_ISSUE: (passport.issued_on, passport.unit_code),
    }


@pytest.mark.slow
def test_nearly_all_scans_are_read_and_none_proves_what_it_does_not_say(
    eyes: Recogniser,
) -> None:
    scans = list(passports.specimens(COUNT))
    forms = [form(each) for each in scans]
    unproved: list[str] = []
    for at, specimen in enumerate(scans):
        reading = eyes.read(specimen.content, specimen.media_type, Want.ZONE)
        if reading.unread is not None:
            unproved.append(f"{at} {specimen.quality}: {reading.unread}")
            continue
        own = truth(forms[at])
        for step in range(CLAIMS):
            claimed = forms[(at + step) % COUNT]
            stated = truth(claimed)
            for check, finding in on_passport(claimed, reading).items():
                if finding.outcome is PASSED:
                    assert stated[check] == own[check]
                if finding.outcome is FAILED:
                    assert stated[check] != own[check]
        missed = [
            check
            for check, finding in on_passport(forms[at], reading).items()
            if finding.outcome is not PASSED
        ]
        if missed:
            unproved.append(f"{at} {specimen.quality} turned {specimen.turned}: {missed}")
    assert len(unproved) <= max(1, COUNT // 20), unproved


def test_policy_is_read_and_a_foreign_one_contradicts(eyes: Recogniser) -> None:
    (specimen,) = passports.specimens(1)
    numbers = [Enp.issue(77, date(1960 + year, 3, 27), Sex.FEMALE, 321 * year) for year in range(6)]
    for at, enp in enumerate(numbers):
        shown = str(enp) if at % 2 else enp.digits
        picture = papers.picture(ScanKind.POLICY, {"Номер": shown, "СНИЛС": "112-233-445 95"})
        reading = eyes.read(picture, MediaType.JPEG, Want.POLICY)
        (own,) = read_findings(form(specimen, enp), ScanKind.POLICY, said(reading))
        assert (own.outcome, own.facts["read"]) == (PASSED, enp.digits)
        (other,) = read_findings(form(specimen, numbers[at - 1]), ScanKind.POLICY, said(reading))
        assert (other.outcome, other.reason) == (FAILED, Reason.DIFFERS_ON_SCAN)


def test_paper_without_a_zone_is_left_to_people(eyes: Recogniser) -> None:
    (specimen,) = passports.specimens(1)
    old = replace(specimen.passport, issued_on=date(2009, 5, 6))
    page = papers.passport(specimen.name, specimen.sex, specimen.born_on, old)
    reading = eyes.read(papers.jpeg(page), MediaType.JPEG, Want.ZONE)
    for passport, reason in ((old, Reason.BEFORE_ZONES), (specimen.passport, Reason.NOT_READ)):
        found = on_passport(replace(form(specimen), identity=passport), reading)
        assert {(each.outcome, each.reason) for each in found.values()} == {(UNKNOWN, reason)}


def test_page_behind_others_is_found(eyes: Recogniser) -> None:
    (specimen,) = passports.specimens(1)
    page = papers.passport(specimen.name, specimen.sex, specimen.born_on, specimen.passport)
    reading = eyes.read(passports.pdf(good.paper(), page), MediaType.PDF, Want.ZONE)
    assert on_passport(form(specimen), reading)[Check.PASSPORT_NUMBER].outcome is PASSED


@pytest.mark.parametrize(
    "picture",
    [Image.new("RGB", (1240, 877), "white"), Image.new("L", (40, 40), 9), good.paper()],
    ids=["white", "tiny", "lines"],
)
def test_picture_without_text_says_nothing(eyes: Recogniser, picture: Image.Image) -> None:
    reading = eyes.read(papers.jpeg(picture), MediaType.JPEG, Want.ZONE)
    assert mrz.find(reading.rows) == ()


def test_text_of_a_pdf_is_read_without_the_extra(blind: Recogniser) -> None:
    (specimen,) = passports.specimens(1)
    reading = blind.read(passports.text_pdf(specimen), MediaType.PDF, Want.ZONE)
    assert reading.is_layer
    found = on_passport(form(specimen), reading)
    assert {each.outcome for each in found.values()} == {PASSED}
    assert found[Check.PASSPORT_NAME].facts["source"] == "layer"


def test_pictures_are_not_read_without_the_extra(blind: Recogniser) -> None:
    (specimen,) = passports.specimens(1)
    assert blind.read(specimen.content, MediaType.JPEG, Want.ZONE).unread is Unread.NO_READER
    pages = blind.read(good.scanned_pdf(2), MediaType.PDF, Want.ZONE)
    assert pages.unread is Unread.NO_READER


def process_of(recogniser: Recogniser) -> int:
    process = recogniser._process
    assert process is not None
    return process.pid


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_reader_is_locked_in_and_behind_everybody_else(eyes: Recogniser) -> None:
    eyes.read(papers.jpeg(good.paper()), MediaType.JPEG, Want.ZONE)
    pid = process_of(eyes)
    status = status_of(pid)
    assert (status["Seccomp"], status["NoNewPrivs"], status["Threads"]) == ("2", "1", "1")
    assert os.getpriority(os.PRIO_PROCESS, pid) == reader.NICENESS
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert f"Max address space         {reader.MEMORY}" in limits
    assert "Max file size             0" in limits


def test_reader_without_the_extra_is_locked_in_too(blind: Recogniser) -> None:
    blind.read(good.text_pdf(), MediaType.PDF, Want.ZONE)
    status = status_of(process_of(blind))
    assert (status["Seccomp"], status["Threads"]) == ("2", "1")


def ask(recogniser: Recogniser) -> Reading:
    (specimen,) = passports.specimens(1)
    return recogniser.read(passports.text_pdf(specimen), MediaType.PDF, Want.ZONE)


def until(is_so: Callable[[], bool]) -> None:
    patience = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.02)


def test_reader_stays_warm_and_is_shared(blind: Recogniser) -> None:
    ask(blind)
    first = process_of(blind)
    readings: list[Reading] = []
    threads = [threading.Thread(target=lambda: readings.append(ask(blind))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({reading.rows for reading in readings}) == 1
    assert len(readings) == 4
    assert process_of(blind) == first


def test_reader_that_was_killed_is_started_again(blind: Recogniser) -> None:
    ask(blind)
    first = process_of(blind)
    os.kill(first, signal.SIGKILL)
    until(lambda: blind._process is None or blind._process.poll() is not None)
    assert mrz.find(ask(blind).rows)
    assert process_of(blind) != first


def test_page_over_which_the_reader_was_killed_is_read_by_another(blind: Recogniser) -> None:
    ask(blind)
    first = process_of(blind)
    os.kill(first, signal.SIGSTOP)
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    assert mrz.find(ask(blind).rows)
    killer.join()
    assert process_of(blind) != first


def test_page_that_kills_every_reader_is_left_to_people(
    blind: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = reader.Page(reader.Outcome.READY).pack()
    program = f"import os; os.write(1, {ready!r}); os.read(0, 1); os.abort()"
    with monkeypatch.context() as patch:
        patch.setattr(recognition, "PROGRAM", program)
        assert ask(blind).unread is Unread.FAILED
    assert mrz.find(ask(blind).rows)


def test_reader_that_is_late_is_ended(blind: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(blind)
    first = process_of(blind)
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(recognition, "PAGE_SECONDS", 0.2)
    assert ask(blind).unread is Unread.FAILED
    until(lambda: not Path(f"/proc/{first}").exists())
    monkeypatch.undo()
    assert mrz.find(ask(blind).rows)


def test_reader_is_renewed_after_a_number_of_pages(
    blind: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognition, "PAGES_OF_A_LIFE", 2)
    pids: list[int] = []
    for _ in range(4):
        assert mrz.find(ask(blind).rows)
        pids.append(process_of(blind))
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_reader_that_nobody_asks_goes_home() -> None:
    resting = Recogniser(with_pictures=False, idle_seconds=0.1)
    ask(resting)
    until(lambda: resting._process is None)
    assert mrz.find(ask(resting).rows)
    resting.close()


def test_reader_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from emk_app.domain.documents import MediaType\n"
        "from emk_app.storage.recognition import Recogniser, Want\n"
        "made = Recogniser(with_pictures=False)\n"
        "made.read(sys.stdin.buffer.read(), MediaType.PDF, Want.ZONE)\n"
        "print(made._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    import subprocess
    import sys

    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(good.text_pdf())
        parent.stdin.close()
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    until(lambda: not Path(f"/proc/{pid}").exists() or status_of(pid)["State"].startswith("Z"))


def test_page_that_takes_too_much_of_the_processor_is_ended_by_the_kernel(
    blind: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(blind)
    monkeypatch.setattr(recognition, "PAGE_CPU_SECONDS", 3)
    ask(blind)
    limits = Path(f"/proc/{process_of(blind)}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
    soft, hard = (int(word) for word in line.split()[3:5])
    assert 4 <= soft <= 3 + 1 + 30
    assert hard == reader.CPU_SECONDS


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"EMKR",
        b"XXXX\x01\x00\x00\x01\x00\x00\x00\x00",
        b"EMKR\x01\x00\x00\x01\xff\xff\xff\xff",
        b"EMKR\x63\x00\x00\x01\x00\x00\x00\x00",
        b"EMKR\x01\x00\x00\x01\x00\x00\x00\x01\xff",
    ],
    ids=["nothing", "cut", "no mark", "endless", "no such outcome", "not ascii"],
)
def test_answer_out_of_order_is_no_answer(
    blind: Recogniser, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    ready = reader.Page(reader.Outcome.READY).pack()
    program = f"import os; os.write(1, {ready!r}); os.read(0, 1); os.write(1, {answer!r})"
    monkeypatch.setattr(recognition, "PROGRAM", program)
    assert ask(blind).unread is Unread.FAILED
    assert blind._process is None


RAW = {b"\xff\xd8\xff": MediaType.JPEG, b"%PDF-": MediaType.PDF}


@pytest.mark.slow
def test_hostile_files_as_they_came_end_in_an_answer_and_the_reader_works_on(
    eyes: Recogniser, blind: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each that never ends would be ended by the kernel twice, after eight seconds of a processor.
    monkeypatch.setattr(recognition, "PAGE_CPU_SECONDS", 3)
    fed = 0
    for number, hostile in enumerate(HOSTILE):
        content = hostile.make()
        media_type = next((RAW[head] for head in RAW if content.startswith(head)), None)
        if media_type is None:
            continue
        fed += 1
        # A page costs a second, so few of them are looked at.
        sees = number % 18 == 0 or (media_type is MediaType.JPEG and number % 8 == 0)
        (eyes if sees else blind).read(content, media_type, Want.ZONE)
    assert fed >= 60
    monkeypatch.undo()
    (specimen,) = passports.specimens(1)
    reading = eyes.read(specimen.content, specimen.media_type, Want.ZONE)
    assert on_passport(form(specimen), reading)[Check.PASSPORT_NUMBER].outcome is PASSED


def test_numbers_of_other_papers_are_no_policy() -> None:
    assert policies.found_in(["4000 0000 0000 0002", "1234567890123456", "77 5490"]) == ()
    enp = Enp.issue(50, date(2003, 11, 2), Sex.FEMALE, 7)
    assert policies.found_in([f"№ {enp}", enp.digits, f"x{enp.digits}9"]) == (enp,)


def test_near_name_is_neither_a_yes_nor_a_no() -> None:
    (specimen,) = passports.specimens(1)
    rows = mrz.encode(
        FullName("Подъячева", "Артём", "Сергеевич"),
        series=specimen.passport.series,
        number=specimen.passport.number,
        born_on=specimen.born_on,
        sex=specimen.sex,
        issued_on=specimen.passport.issued_on,
        unit_code=specimen.passport.unit_code,
    )
    found = on_passport(form(specimen), Reading(rows))[Check.PASSPORT_NAME]
    assert (found.outcome, found.reason) == (UNKNOWN, Reason.NEARLY)
    assert 80 <= int(found.facts["likeness"]) < 100
