"""The electronic signature over HTTP, behind the real guard."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from emk_app import clock
from emk_app.api import esignatures as api
from emk_app.api.routing import routes
from emk_app.domain.actors import Actor
from emk_app.domain.esignature import Outcome
from emk_app.edge.guard import Guard
from emk_app.services import applying
from emk_app.services.applying import DraftView
from emk_app.settings import settings
from tests.api.test_scans import ORIGIN, cookie_of
from tests.factories import make_draft, make_holder, make_operator
from tests.files.signers import Person, signature
from tests.services.test_esigning import PASSWORD, ROOT, packed, person

pytestmark = [
    pytest.mark.usefixtures("world", "roots"),
    pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER"),
]


OTHER_PART = b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\ntext\r\n--x--\r\n'


@pytest.fixture
def roots() -> Iterator[None]:
    settings().trusted_roots.mkdir(parents=True)
    (settings().trusted_roots / "root.cer").write_bytes(ROOT.certificate)
    yield
    shutil.rmtree(settings().trusted_roots)


@pytest.fixture
async def site() -> AsyncIterator[httpx.AsyncClient]:
    app = Guard(Starlette(routes=routes(api.ENDPOINTS)))
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as client:
        yield client


@pytest.fixture
def moment() -> datetime:
    """The routes read the clock themselves."""
    return clock.now()


@pytest.fixture
def signer(moment: datetime) -> Person:
    return person(dates=(moment - timedelta(days=1), moment + timedelta(days=1)))


@pytest.fixture
def holder(moment: datetime) -> Actor:
    return make_holder(moment)


@pytest.fixture
def draft(holder: Actor, moment: datetime) -> DraftView:
    return make_draft(holder, moment)


def base(draft: DraftView) -> str:
    return f"/api/esignatures/{draft.number.slug}"


def file(content: bytes, name: str = "text.json.sig") -> tuple[str, bytes, str]:
    return (name, content, "application/octet-stream")


async def test_holder_takes_the_text_signs_it_and_takes_the_parts_back(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime, signer: Person
):
    cookie = cookie_of(holder, moment)
    text = await site.get(f"{base(draft)}/text", headers=cookie)
    assert text.status_code == 200
    made = signature(signer, text.content)
    # A browser sends a file that was not chosen as an empty one.
    sent = await site.post(
        f"{base(draft)}/files",
        headers=cookie,
        files={"signature": file(made), "certificate": file(b"", "")},
    )
    assert (sent.status_code, sent.json()) == (201, {"outcome": "valid"})
    with_certificate = await site.post(
        f"{base(draft)}/files",
        headers=cookie,
        files={"signature": file(made), "certificate": file(signer.certificate, "я.cer")},
    )
    assert with_certificate.status_code == 201
    for part, content, name in (
        ("text", text.content, f"{draft.number.slug}.json"),
        ("signature", made, f"{draft.number.slug}.json.sig"),
        ("certificate", signer.certificate, f"{draft.number.slug}.cer"),
    ):
        kept = await site.get(f"{base(draft)}/kept/{part}", headers=cookie)
        assert kept.content == content
        assert kept.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert kept.headers["cache-control"] == "no-store"
        assert kept.headers["content-security-policy"].startswith("sandbox;")


async def test_container_signs(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime, signer: Person
):
    cookie = cookie_of(holder, moment)
    sent = await site.post(
        f"{base(draft)}/container",
        headers=cookie,
        files={"container": file(packed(signer), "я.pfx")},
        data={"container_password": PASSWORD},
    )
    assert (sent.status_code, sent.json()) == (201, {"outcome": "valid"})
    wrong = await site.post(
        f"{base(draft)}/container",
        headers=cookie,
        files={"container": file(packed(signer), "я.pfx")},
        data={"container_password": "другой"},
    )
    assert wrong.status_code == 422
    assert wrong.json()["code"] == Outcome.WRONG_PASSWORD
    assert wrong.json()["message"]
    assert "другой" not in wrong.text


async def test_refusal_names_its_outcome_and_says_why(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime, signer: Person
):
    cookie = cookie_of(holder, moment)
    for files, outcome in (
        ({"signature": file(signature(signer))}, Outcome.TEXT_DIFFERS),
        ({"signature": file(b"x" * 100)}, Outcome.SIGNATURE_NOT_READABLE),
        ({"signature": file(b"", ""), "certificate": file(signer.certificate)}, Outcome.FILE_EMPTY),
        ({"signature": file(b"x" * (129 * 1024))}, Outcome.SIGNATURE_TOO_LARGE),
    ):
        answer = await site.post(f"{base(draft)}/files", headers=cookie, files=files)
        assert answer.status_code == 422
        assert set(answer.json()) == {"code", "message", "id"}
        assert answer.json()["code"] == outcome
        assert answer.json()["message"].endswith(".")


async def test_nobody_and_strangers_and_staff_get_nothing(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime
):
    reads = ("text", "kept/text", "kept/signature", "kept/certificate", "kept/secret")
    whole = [("GET", path) for path in reads] + [("POST", "files"), ("POST", "container")]
    stranger = cookie_of(make_holder(moment), moment)
    operator = cookie_of(make_operator(moment), moment)
    for method, path in whole:
        address = f"{base(draft)}/{path}"
        assert (await site.request(method, address)).status_code == 401
        assert (await site.request(method, address, headers=stranger)).status_code == 404
        answer = await site.request(method, address, headers=operator)
        # A draft is its holder's alone; of what was handed in, staff may see what is kept.
        assert answer.status_code == (404 if path.startswith("kept/") else 403)


async def test_page_of_another_site_sends_nothing(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime
):
    for path in ("files", "container"):
        answer = await site.post(
            f"{base(draft)}/{path}",
            headers=cookie_of(holder, moment) | {"origin": "https://evil.example"},
            files={"signature": file(b"x")},
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("path", ["files", "container"])
async def test_body_over_the_bound_is_not_read(
    path: str, site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime
):
    answer = await site.post(
        f"{base(draft)}/{path}",
        headers=cookie_of(holder, moment),
        files={"signature": file(b"\0" * (6 * 1024 * 1024))},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["files", "container"])
async def test_what_is_no_form_is_told_so(
    path: str, site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime
):
    for headers, body in (
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nbroken"),
        ({"content-type": "multipart/form-data"}, b""),
        ({"content-type": "application/json"}, b"{}"),
    ):
        answer = await site.post(
            f"{base(draft)}/{path}", headers=cookie_of(holder, moment) | headers, content=body
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "broken_upload")


async def test_application_handed_in_is_not_signed_any_more(
    site: httpx.AsyncClient, holder: Actor, draft: DraftView, moment: datetime, signer: Person
):
    applying.submit(holder, draft.id, now=moment)
    answer = await site.post(
        f"{base(draft)}/files",
        headers=cookie_of(holder, moment),
        files={"signature": file(signature(signer))},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
