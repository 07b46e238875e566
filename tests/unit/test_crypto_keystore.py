"""The key folder: made once, whole or not at all, for its owner's eyes only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from emk_app.crypto.errors import KeyFolderBroken, KeyFolderUnsafe, SealBroken
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.sealing import new_data_key
from emk_app.crypto.signing import KeyStatus, KeyUse, Signer, key_id

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
Judge = Callable[[Path, x509.Certificate, Signer], bool]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "keys"


def judged_by_cryptography(_: Path, root: x509.Certificate, signer: Signer) -> bool:
    ca_policy = ExtensionPolicy.webpki_defaults_ca()
    signer_policy = ExtensionPolicy.permit_all().require_present(
        x509.KeyUsage, Criticality.CRITICAL, None
    )
    verifier = (
        PolicyBuilder()
        .store(Store([root]))
        .time(NOW)
        .extension_policies(ca_policy=ca_policy, ee_policy=signer_policy)
        .build_client_verifier()
    )
    try:
        verifier.verify(signer.certificate, list(signer.chain))
    except VerificationError:
        return False
    return True


def judged_by_openssl(place: Path, root: x509.Certificate, signer: Signer) -> bool:
    files = {"root": [root], "chain": signer.chain, "signer": [signer.certificate]}
    for name, certificates in files.items():
        pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
        (place / f"{name}.pem").write_bytes(pem)
    verdict = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-check_ss_sig"),
            *("-attime", str(int(NOW.timestamp()))),
            *("-CAfile", "root.pem", "-untrusted", "chain.pem", "signer.pem"),
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    return verdict.returncode == 0 and verdict.stdout == "signer.pem: OK\n"


JUDGES: list[Judge] = [judged_by_cryptography]
if shutil.which("openssl"):
    JUDGES.append(judged_by_openssl)


def test_missing_folder_is_not_opened(folder: Path) -> None:
    with pytest.raises(KeyFolderBroken):
        Keystore.open(folder)


@pytest.mark.parametrize("mode", [0o710, 0o750, 0o701, 0o770, 0o777])
@pytest.mark.parametrize("place", ["", "signing", "sealing"])
def test_folder_open_to_others_is_refused(folder: Path, place: str, mode: int) -> None:
    Keystore.create(folder, NOW)
    (folder / place).chmod(mode)
    with pytest.raises(KeyFolderUnsafe) as refusal:
        Keystore.open_or_create(folder, NOW)
    assert refusal.value.path == folder / place


def test_any_file_open_to_others_is_refused(folder: Path) -> None:
    Keystore.create(folder, NOW)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        for mode in (0o640, 0o604, 0o620):
            path.chmod(mode)
            with pytest.raises(KeyFolderUnsafe) as refusal:
                Keystore.open(folder)
            assert refusal.value.path == path
        path.chmod(0o600)
    Keystore.open(folder)


@pytest.mark.parametrize(
    "name",
    [
        "sealing/master.json",
        "sealing/index.key",
        "mac/session.key",
        "mac/audit.key",
        "signing/keys.json",
        "authority/root.crt",
    ],
)
def test_folder_without_a_key_is_refused_and_not_mended(folder: Path, name: str) -> None:
    Keystore.create(folder, NOW)
    kept = (folder / name).read_bytes()
    for content in (None, b"", kept[:20], b"{}", b"[]", b"null"):
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        with pytest.raises(KeyFolderBroken):
            Keystore.open_or_create(folder, NOW)


def test_signer_of_another_name_or_key_is_refused(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    book, qr = store.book_signer.key_id.hex(), store.qr_signer.key_id.hex()
    for suffix in ("crt", "key"):
        kept = (folder / f"signing/{book}.{suffix}").read_bytes()
        shutil.copyfile(folder / f"signing/{qr}.{suffix}", folder / f"signing/{book}.{suffix}")
        with pytest.raises(KeyFolderBroken):
            Keystore.open(folder)
        (folder / f"signing/{book}.{suffix}").write_bytes(kept)
    Keystore.open(folder)
    other = folder.parent / "others"
    stranger = Keystore.create(other, NOW).book_signer.key_id.hex()
    for suffix in ("crt", "key"):
        shutil.copyfile(other / f"signing/{stranger}.{suffix}", folder / f"signing/{book}.{suffix}")
    with pytest.raises(KeyFolderBroken, match="not the certificate of its name"):
        Keystore.open(folder)


def test_keys_are_never_made_over_others(folder: Path) -> None:
    first = Keystore.create(folder, NOW)
    with pytest.raises(KeyFolderBroken):
        Keystore.create(folder, NOW)
    assert Keystore.open(folder).session_key == first.session_key
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_keys_are_not_made_over_a_file_or_among_foreign_files(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "note.txt").write_text("mine")
    with pytest.raises(KeyFolderBroken):
        Keystore.open_or_create(folder, NOW)
    assert [path.name for path in folder.iterdir()] == ["note.txt"]
    plain = folder.parent / "file"
    plain.write_text("mine")
    with pytest.raises(KeyFolderBroken):
        Keystore.open_or_create(plain, NOW)
    assert plain.read_text() == "mine"


def test_empty_folder_is_filled_and_closed_to_others(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    Keystore.open_or_create(folder, NOW)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_everything_is_closed_to_others_whatever_the_umask(folder: Path) -> None:
    umask = os.umask(0)
    try:
        Keystore.create(folder, NOW)
    finally:
        os.umask(umask)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}


def test_second_start_loads_the_same_keys(folder: Path) -> None:
    first = Keystore.open_or_create(folder, NOW)
    second = Keystore.open_or_create(folder, NOW + timedelta(days=30))
    assert second.index_key == first.index_key
    assert second.session_key == first.session_key
    assert second.audit_key == first.audit_key
    assert second.root == first.root
    assert second.trust_list == first.trust_list
    assert second.book_signer.sign(b"x") == first.book_signer.sign(b"x")
    data_key = new_data_key()
    assert second.keyring.unwrap(first.keyring.wrap(data_key, "a|b"), "a|b") == data_key


def test_processes_that_start_at_once_have_the_same_keys(folder: Path) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        "from emk_app.crypto.keystore import Keystore; sys.stdin.read(1);"
        "store = Keystore.open_or_create(Path(sys.argv[1]), datetime.now(UTC));"
        "print(store.audit_key.hex(), store.qr_signer.key_id.hex())"
    )
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdin
        start.stdin.write("1")
        start.stdin.flush()
    answers = {start.communicate()[0] for start in starts}
    assert len(answers) == 1
    assert answers != {""}
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_every_key_has_one_use(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    secrets = [store.index_key, store.session_key, store.audit_key]
    assert len(set(secrets)) == 3
    blob = store.keyring.wrap(new_data_key(), "a|b")
    for secret in secrets:
        with pytest.raises(SealBroken):
            type(store.keyring)({1: secret}, 1).unwrap(blob, "a|b")
    private_keys = {
        load_pem_private_key(path.read_bytes(), None).private_numbers().private_value  # type: ignore[union-attr]
        for part in ("signing", "authority")
        for path in (folder / part).glob("*.key")
    }
    assert len(private_keys) == 5
    assert not list((folder / "sealing").glob("*.crt"))


def test_printing_the_keys_shows_none(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    shown = repr(store) + str(store)
    for secret in (store.index_key, store.session_key, store.audit_key):
        assert repr(secret) not in shown
        assert secret.hex() not in shown


def test_authority_s_private_keys_may_be_taken_away(folder: Path) -> None:
    Keystore.create(folder, NOW)
    for path in (folder / "authority").glob("*.key"):
        path.unlink()
    Keystore.open(folder)


@pytest.mark.parametrize("judge", JUDGES)
def test_another_program_accepts_both_chains(judge: Judge, folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    assert judge(folder.parent, store.root, store.book_signer)
    assert judge(folder.parent, store.root, store.qr_signer)


@pytest.mark.parametrize("judge", JUDGES)
def test_another_program_refuses_the_chain_of_another_root(judge: Judge, folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    stranger = Keystore.create(folder.parent / "others", NOW)
    assert not judge(folder.parent, stranger.root, store.book_signer)


def test_certificates_say_what_they_are_for(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    issuing = store.book_signer.chain[0]
    for certificate, path_length in ((store.root, 1), (issuing, 0)):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert constraints.critical and usage.critical
        assert constraints.value.ca and constraints.value.path_length == path_length
        assert usage.value.key_cert_sign and usage.value.crl_sign
        assert not usage.value.digital_signature and not usage.value.content_commitment
    for signer in (store.book_signer, store.qr_signer, store.list_signer):
        extensions = signer.certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage)
        assert constraints.critical and usage.critical
        assert not constraints.value.ca
        assert usage.value.digital_signature and usage.value.content_commitment
        assert not usage.value.key_cert_sign and not usage.value.key_encipherment
        own = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        above = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        issuer = issuing.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert own == x509.SubjectKeyIdentifier.from_public_key(signer.certificate.public_key())
        assert above.key_identifier == issuer.digest
        assert isinstance(signer.certificate.public_key(), ec.EllipticCurvePublicKey)


def test_certificates_have_russian_names_and_terms_inside_their_issuer_s(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    chain = [store.root, store.book_signer.chain[0], store.book_signer.certificate]
    for certificate, years in zip(chain, (10, 4, 2), strict=True):
        term = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert term == timedelta(days=365, hours=6) * years
        assert certificate.not_valid_before_utc == NOW - timedelta(hours=1)
        names = [
            certificate.subject.get_attributes_for_oid(oid)[0].value
            for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        ]
        assert all(str(name).startswith("ЭМК Онлайн") for name in names)
    assert len({certificate.serial_number for certificate in chain}) == 3


def test_trust_list_names_every_signer_as_active(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    listed = {key.use: key for key in store.trust_list.keys}
    assert listed[KeyUse.BOOK].certificate == store.book_signer.certificate
    assert listed[KeyUse.QR].certificate == store.qr_signer.certificate
    assert {key.status for key in store.trust_list.keys} == {KeyStatus.ACTIVE}
    assert store.trust_list.roots == (store.root,)
    assert store.qr_signer.key_id == key_id(store.qr_signer.certificate)


def test_register_of_keys_tells_retired_and_compromised_ones(folder: Path) -> None:
    store = Keystore.create(folder, NOW)
    register = folder / "signing/keys.json"
    lines = json.loads(register.read_text())
    for line in lines["keys"]:
        if line["use"] == "qr":
            line["status"] = "compromised"
    register.write_text(json.dumps(lines))
    with pytest.raises(KeyFolderBroken, match="no active signer"):
        Keystore.open(folder)
    assert store.trust_list.candidates(store.qr_signer.key_id, KeyUse.QR)
