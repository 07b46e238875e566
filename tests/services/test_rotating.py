"""Changing the keys that sign while processes run: the drill, and every refusal."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    pkcs12,
)
from sqlmodel import col, select

from emk_app import cli, clock, keys, working
from emk_app.crypto import certificates
from emk_app.crypto.backends import Backends
from emk_app.crypto.errors import KeyFolderBroken, KeyRefused
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.pades import Extract, check_pdf, sign_pdf
from emk_app.crypto.signing import KeyUse, sign_document, verify_document
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.books import Verdict
from emk_app.domain.errors import NotPermitted
from emk_app.keys import key_folder, keystore
from emk_app.services import issuing, rotating, sharing, verifying
from emk_app.services.rotating import KeyView
from emk_app.settings import settings
from tests.factories import make_book, make_holder, spoil_versions

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture
def folder(world: None) -> Iterator[Path]:
    """Lend the process's own folder of keys, and put it back."""
    keystore()
    place, kept = key_folder(), key_folder().with_name("keys-kept")
    shutil.copytree(place, kept)
    yield place
    shutil.rmtree(place)
    kept.rename(place)
    keystore()


@pytest.fixture
def now() -> datetime:
    """Return the real time: keys of this moment are younger than the tests' usual one."""
    return clock.now()


def signing(use: KeyUse) -> KeyView:
    return next(key for key in rotating.keys(SYSTEM) if key.use is use and key.signs)


def rotate(use: KeyUse, now: datetime) -> tuple[str, str]:
    """Put a new key in the place of the one that signs; return the old and the new."""
    old = signing(use).name
    new = rotating.add(SYSTEM, use, now=now)
    assert signing(use).name == old
    rotating.activate(SYSTEM, new, now=now)
    assert signing(use).name == new
    return old, new


WORKER = """
import sys
from datetime import timedelta
from emk_app import clock
from emk_app.crypto import cose
from emk_app.keys import keystore
from tests.unit.test_crypto_cose import CLAIMS
from dataclasses import replace
for line in sys.stdin:
    said = line.strip()
    now = clock.now().replace(microsecond=0)
    if said:
        print(cose.check_token(said, keystore().trust_list, now).outcome.value, flush=True)
    else:
        claims = replace(CLAIMS, issued_at=now, expires_at=now + timedelta(days=30))
        print(cose.issue_token(keystore().qr_signer, claims), flush=True)
"""


class Worker:
    """A process that runs on while keys change."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )

    def ask(self, line: str = "") -> str:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def test_drill_of_rotation_under_two_running_processes(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    def command(*said: str) -> str:
        assert cli.main(["keys", *said]) == 0
        return capsys.readouterr().out.strip()

    a = signing(KeyUse.QR).name
    workers = [Worker(), Worker()]
    try:
        by_a = workers[0].ask()
        assert [each.ask(by_a) for each in workers] == ["genuine"] * 2
        b = command("add", "qr")
        command("activate", b)
        by_b = workers[1].ask()
        assert [each.ask(token) for each in workers for token in (by_a, by_b)] == ["genuine"] * 4
        command("retire", a)
        assert [each.ask(token) for each in workers for token in (by_a, by_b)] == ["genuine"] * 4
        command("compromise", a)
        assert [each.ask(by_a) for each in workers] == ["key_withdrawn"] * 2
        assert [each.ask(by_b) for each in workers] == ["genuine"] * 2
        shown = command("list")
    finally:
        for each in workers:
            each.end()
    assert f"{a}  qr  compromised  -" in shown
    assert f"{b}  qr  active  signs" in shown


def test_books_of_a_withdrawn_key_are_refused_and_signed_anew_and_links_go_on(
    folder: Path, now: datetime
):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    code = link.url[-26:]
    old, new = rotate(KeyUse.BOOK, now)
    assert verifying.look(code, "Chrome", now=now).verdict is Verdict.VALID
    rotating.retire(SYSTEM, old, now=clock.now())
    assert verifying.look(code, "Chrome", now=now).verdict is Verdict.VALID
    rotating.compromise(SYSTEM, old, now=now)
    assert verifying.look(code, "Chrome", now=now).verdict is Verdict.NOT_GENUINE
    working.once(now=now)
    again = verifying.look(code, "Chrome", now=now)
    assert (again.verdict, again.version) == (Verdict.VALID, 2)
    facts = issuing.check_signature(holder, book_id, now=now)
    assert facts.witness.signature.key_id == bytes.fromhex(new)
    assert facts.witness.is_genuine
    # Once: the next round finds nothing under that key.
    working.once(now=now + timedelta(days=1))
    assert issuing.check_signature(holder, book_id, now=now).version == 2


def test_what_was_changed_under_a_withdrawn_key_is_not_signed_anew(folder: Path, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    spoil_versions(book_id, canonical_sealed=secrets.token_bytes(400))
    old, _ = rotate(KeyUse.BOOK, now)
    rotating.compromise(SYSTEM, old, now=now)
    working.once(now=now)
    assert issuing.check_signature(holder, book_id, now=now).version == 1


def test_every_change_is_in_the_audit(folder: Path, now: datetime):
    old, new = rotate(KeyUse.LIST, now)
    rotating.retire(SYSTEM, old, now=now)
    with reading() as db:
        found = db.exec(
            select(AuditEntry.action, AuditEntry.target)
            .where(col(AuditEntry.target).startswith("key:"))
            .order_by(col(AuditEntry.id))
        ).all()
    assert found == [
        ("add_key", f"key:{new}"),
        ("activate_key", f"key:{new}"),
        ("retire_key", f"key:{old}"),
    ]
    assert keystore().list_signer.key_id.hex() == new


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_nobody_changes_keys_from_a_screen(folder: Path, role: Role, now: datetime):
    name = signing(KeyUse.QR).name
    for act in (rotating.activate, rotating.retire, rotating.compromise):
        with pytest.raises(NotPermitted):
            act(Actor(1, role), name, now=now)
    with pytest.raises(NotPermitted):
        rotating.add(Actor(1, role), KeyUse.QR, now=now)


def test_what_would_leave_nobody_to_sign_is_refused(folder: Path, now: datetime):
    name = signing(KeyUse.QR).name
    for act in (rotating.retire, rotating.compromise):
        with pytest.raises(KeyRefused, match="activate another one first"):
            act(SYSTEM, name, now=now)
        with pytest.raises(KeyRefused, match="no key ffff"):
            act(SYSTEM, "ffff", now=now)
    old, _ = rotate(KeyUse.QR, now)
    rotating.compromise(SYSTEM, old, now=now)
    with pytest.raises(KeyRefused, match="signs no more"):
        rotating.activate(SYSTEM, old, now=now)
    for act in (rotating.retire, rotating.compromise):
        with pytest.raises(KeyRefused, match="compromised already"):
            act(SYSTEM, old, now=now)


def test_new_signer_needs_the_authority_s_key(folder: Path, now: datetime):
    (folder / "authority/issuing.key").unlink()
    with pytest.raises(KeyRefused, match="bring it for the while"):
        rotating.add(SYSTEM, KeyUse.BOOK, now=now)
    assert cli.main(["keys", "add", "book"]) == 1


def test_register_that_can_t_be_used_leaves_the_keys_of_before(folder: Path):
    before = keystore()
    register = folder / "signing/keys.json"
    kept = register.read_bytes()
    register.write_bytes(b"{}")
    assert keystore() is before
    register.write_bytes(kept)
    assert keystore().version == before.version


def test_folder_of_before_the_list_gets_its_signer(folder: Path):
    register = folder / "signing/keys.json"
    said = json.loads(register.read_text())
    lines = [line for line in said["keys"] if line["use"] != "list"]
    register.write_text(json.dumps({"keys": lines}))
    store = Keystore.open(folder, now=clock.now())
    assert {key.use for key in store.trust_list.keys} == set(KeyUse)
    assert Keystore.open(folder).list_signer.key_id == store.list_signer.key_id


# Keys that lie elsewhere.


def container(place: Path, passphrase: bytes, *, key: object = None, days: int = 0) -> Path:
    """Write a PKCS#12 container of another authority, with its root beside it."""
    at = clock.now() - timedelta(days=days)
    root_key, issuing_key, own = (certificates.new_key() for _ in range(3))
    root = certificates.root_certificate(root_key, at)
    issuing = certificates.issuing_certificate(issuing_key.public_key(), root, root_key, at)
    signer = certificates.signer_certificate("Печать", own.public_key(), issuing, issuing_key, at)
    (place / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    path = place / "signer.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"signer",
            own if key is None else key,  # type: ignore[arg-type]
            signer if key is None else None,
            [root, issuing],
            BestAvailableEncryption(passphrase),
        )
    )
    return path


def signs_extracts(store: Keystore) -> bool:
    """Say whether a PDF signed by the book's key is genuine, and a changed one is not."""
    bare = typst.compile(b'#set page(paper: "a4")\nEMK', pdf_standards=["a-2b"], timestamp=0)
    extract = Extract("770100001226", 1, "0" * 64, "A" * 26, "B" * 40)
    made = sign_pdf(bare, store.book_signer, extract, now=clock.now())
    at = made.index(b"/MediaBox")
    changed = made[:at] + b"/MediaBax" + made[at + 9 :]
    found = check_pdf(made, store.trust_list)
    assert found.signature.key_id == store.book_signer.key_id
    return found.is_genuine and not check_pdf(changed, store.trust_list).is_genuine


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the files of secrets, and the module."""
    path = tmp_path / "secret"
    path.write_text("1234567890\n")
    path.chmod(0o600)
    backends = Backends(passphrase=path, module=MODULE, token="emk", pin=path)
    made = replace(settings(), key_backends=backends)
    monkeypatch.setattr(rotating, "settings", lambda: made)
    monkeypatch.setattr(keys, "settings", lambda: made)
    return path


def test_key_of_a_container_signs_books(folder: Path, secret: Path, tmp_path: Path, now: datetime):
    path = container(tmp_path, b"1234567890")
    with pytest.raises(KeyRefused, match="does not lead to a known root"):
        rotating.add_container(SYSTEM, KeyUse.BOOK, path, root=None, now=clock.now())
    root = tmp_path / "root.pem"
    name = rotating.add_container(SYSTEM, KeyUse.BOOK, path, root=root, now=clock.now())
    rotating.activate(SYSTEM, name, now=clock.now())
    path.unlink()
    store = keystore()
    assert store.book_signer.key_id.hex() == name
    signature = sign_document(store.book_signer, b"{}")
    assert verify_document(b"{}", signature, store.trust_list, clock.now()).is_valid
    assert signs_extracts(store)
    secret.write_text("another")
    with pytest.raises(KeyFolderBroken, match="passphrase is of another one"):
        Keystore.open(folder, settings_of(secret), clock.now())
    secret.chmod(0o640)
    with pytest.raises(KeyFolderBroken, match="open to others"):
        Keystore.open(folder, settings_of(secret), clock.now())
    with pytest.raises(KeyFolderBroken, match="is not set"):
        Keystore.open(folder)


def settings_of(secret: Path) -> Backends:
    return Backends(passphrase=secret, module=MODULE, token="emk", pin=secret)


def test_unusable_containers_are_refused(folder: Path, secret: Path, tmp_path: Path, now: datetime):
    def refused(path: Path, use: KeyUse = KeyUse.BOOK) -> str:
        with pytest.raises(KeyRefused) as error:
            rotating.add_container(SYSTEM, use, path, root=tmp_path / "root.pem", now=clock.now())
        return str(error.value)

    assert "expired on" in refused(container(tmp_path, b"1234567890", days=3000))
    assert "begins on" in refused(container(tmp_path, b"1234567890", days=-3))
    assert "for another use" in refused(container(tmp_path, b"1234567890"), KeyUse.LIST)
    assert "another one" in refused(container(tmp_path, b"other"))
    alien = rsa.generate_private_key(65537, 2048)
    assert "no key with its certificate" in refused(container(tmp_path, b"1234567890", key=alien))
    assert {key.use for key in rotating.keys(SYSTEM)} == set(KeyUse)
    assert len(rotating.keys(SYSTEM)) == 3


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: Path) -> Path:
    """Make a token of SoftHSM; without the module the test fails, for CI installs it."""
    assert MODULE.exists(), "SoftHSM is missing: .ci/apt softhsm2"
    (tmp_path / "tokens").mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    subprocess.run(
        [
            *("softhsm2-util", "--init-token", "--free", "--label", "emk"),
            *("--so-pin", "1234567890", "--pin", "1234567890"),
        ],
        check=True,
        capture_output=True,
        env=os.environ,
    )
    return tmp_path


def test_key_of_a_module_signs_books(folder: Path, module: Path, secret: Path):
    session = (
        pkcs11.lib(str(MODULE)).get_token(token_label="emk").open(user_pin="1234567890", rw=True)
    )
    curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve}, local=True
    )
    public, _ = parameters.generate_keypair(store=True, label="book-2027")
    key = load_der_public_key(pkcs11.util.ec.encode_ec_public_key(public))
    session.close()
    issuing = x509.load_pem_x509_certificate((folder / "authority/issuing.crt").read_bytes())
    issuing_key = load_pem_private_key((folder / "authority/issuing.key").read_bytes(), None)
    certificate = certificates.signer_certificate(
        "Модуль",
        key,
        issuing,
        issuing_key,
        clock.now(),  # type: ignore[arg-type]
    )
    chain = module / "chain.pem"
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, issuing)))
    with pytest.raises(KeyRefused, match="key 'nothing'"):
        rotating.add_in_module(SYSTEM, KeyUse.BOOK, "nothing", chain, root=None, now=clock.now())
    name = rotating.add_in_module(
        SYSTEM, KeyUse.BOOK, "book-2027", chain, root=None, now=clock.now()
    )
    rotating.activate(SYSTEM, name, now=clock.now())
    store = keystore()
    assert store.book_signer.key_id.hex() == name
    assert not (folder / f"signing/{name}.key").exists()
    for text in (b"{}", b"[]", b"1"):
        signature = sign_document(store.book_signer, text)
        assert verify_document(text, signature, store.trust_list, clock.now()).is_valid
    assert signs_extracts(store)
    with pytest.raises(KeyFolderBroken, match="EMK_PKCS11_MODULE"):
        Keystore.open(folder)
    absent = replace(settings_of(secret), module=module / "absent.so")
    with pytest.raises(KeyFolderBroken, match="can't be loaded"):
        Keystore.open(folder, absent)
    # A certificate of another key in the register's place.
    other = certificates.signer_certificate(
        "Чужой",
        certificates.new_key().public_key(),
        issuing,
        issuing_key,
        clock.now(),  # type: ignore[arg-type]
    )
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in (other, issuing)))
    with pytest.raises(KeyRefused, match="of another key"):
        rotating.add_in_module(SYSTEM, KeyUse.BOOK, "book-2027", chain, root=None, now=clock.now())


def test_expired_signers_stop_new_signatures_and_nothing_else(
    folder: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    later = now + timedelta(days=800)
    monkeypatch.setattr(clock, "now", lambda: later)
    # As a process that is started then.
    monkeypatch.setattr(keys, "_opened", None)
    (tmp_path / "words").write_text("шесть слов для закрытой копии данных")
    (tmp_path / "words").chmod(0o600)
    backup = ("backup", str(tmp_path / "b"), "--passphrase-file", str(tmp_path / "words"))
    for command in (
        ("keys",),
        ("audit", "verify"),
        ("exchange", "key"),
        ("outbox", "list"),
        backup,
    ):
        assert cli.main(command) == 0, command
    capsys.readouterr()
    for command in (("keys", "check"), ("serve",)):
        assert cli.main(command) == 1
        assert "expired on" in capsys.readouterr().err
    with pytest.raises(KeyRefused, match=r"qr signer .* expired on"):
        sharing.code(holder, link.id, now=now)
    assert issuing.check_signature(holder, book_id, now=later).witness.is_genuine
    # The way out has to be open.
    for use in KeyUse:
        rotate(use, later)
    assert cli.main(["keys", "check"]) == 0
    assert signs_extracts(keystore())


def test_signing_keys_are_apart_from_those_of_encryption(folder: Path):
    store = keystore()
    secrets_of_seals = {store.index_key, store.session_key, store.audit_key}
    for path in (folder / "signing").glob("*.key"):
        key = load_pem_private_key(path.read_bytes(), None)
        number = key.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]
        assert number not in secrets_of_seals
        assert number.hex() not in (folder / "sealing/master.json").read_text()
        assert key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert not {path.suffix for path in (folder / "sealing").iterdir()} & {".crt", ".p12"}
    assert store.book_signer.key_id != store.qr_signer.key_id
