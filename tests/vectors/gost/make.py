"""Make ``engine.json``: certificates, signatures and digests by OpenSSL's GOST engine.

The engine (Debian's ``libengine-gost-openssl``) is a second implementation of the standards to
check ours against; the tests read the file and need no engine. Each run makes new keys:

    python tests/vectors/gost/make.py /usr/lib/x86_64-linux-gnu/engines-3
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SETS = {
    "1.2.643.2.2.35.1": ("gost2012_256", "A"),
    "1.2.643.2.2.35.2": ("gost2012_256", "B"),
    "1.2.643.2.2.35.3": ("gost2012_256", "C"),
    "1.2.643.2.2.36.0": ("gost2012_256", "XA"),
    "1.2.643.2.2.36.1": ("gost2012_256", "XB"),
    "1.2.643.7.1.2.1.1.1": ("gost2012_256", "TCA"),
    "1.2.643.7.1.2.1.1.2": ("gost2012_256", "TCB"),
    "1.2.643.7.1.2.1.1.3": ("gost2012_256", "TCC"),
    "1.2.643.7.1.2.1.1.4": ("gost2012_256", "TCD"),
    "1.2.643.7.1.2.1.2.1": ("gost2012_512", "A"),
    "1.2.643.7.1.2.1.2.2": ("gost2012_512", "B"),
    "1.2.643.7.1.2.1.2.3": ("gost2012_512", "C"),
}
TEXT = '{"number":"000123","name":"Ёлкина Мария Сергеевна"}'
SUBJECT = "/SN=Ёлкина/GN=Мария Сергеевна/CN=Ёлкина Мария Сергеевна/SNILS=11223344595"
LENGTHS = (0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 1000, 1024)
PASSWORD = "Пароль 1"
CONFIG = """
openssl_conf = start
[start]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = name
utf8 = yes
string_mask = utf8only
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[person]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def main(engines: str) -> None:
    made: dict[str, Any] = {"at": "2026-12-01T09:00:00+00:00", "text": TEXT, "password": PASSWORD}
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ |= {"OPENSSL_CONF": f"{folder}/openssl.cnf", "OPENSSL_ENGINES": engines}
        Path("openssl.cnf").write_text(CONFIG, encoding="utf-8")
        Path("text").write_text(TEXT, encoding="utf-8")
        new_key("root", "gost2012_512", "A")
        openssl(
            "req -new -x509 -key root.key -out root.pem -days 36500 -extensions ca -subj",
            "/CN=Пробный корень",
            "-config",
            "openssl.cnf",
            "-md_gost12_512",
        )
        new_key("ca", "gost2012_256", "TCA")
        issue("ca", "root", "/CN=Пробный центр", "ca", "md_gost12_512")
        made["root"] = der("root")
        made["ca"] = der("ca")
        made["people"] = {each: person(*kind) for each, kind in SETS.items()}
        made["containers"] = {
            "aes": container(),
            "gost": container(
                *["-keypbe", "gost89", "-certpbe", "gost89", "-macalg", "md_gost12_512"]
            ),
            "gost_mac": container("-macalg", "md_gost12_512"),
        }
        made["digests"] = {
            bits: [digest(f"md_gost12_{bits}", length) for length in LENGTHS]
            for bits in ("256", "512")
        }
    path = Path(__file__).with_name("engine.json")
    path.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def person(algorithm: str, parameter_set: str) -> dict[str, str]:
    hashed = "md_gost12_" + algorithm[-3:]
    new_key("person", algorithm, parameter_set)
    issue("person", "ca", SUBJECT, "person", "md_gost12_256")
    openssl(
        f"cms -sign -binary -cades -md {hashed} -in text -signer person.pem -inkey person.key "
        "-certfile ca.pem -outform DER -out person.sig"
    )
    openssl(
        "cms -verify -binary -cades -content text -inform DER -in person.sig -CAfile root.pem "
        "-purpose any -out verified"
    )
    return {"certificate": der("person"), "signature": read("person.sig")}


def new_key(name: str, algorithm: str, parameter_set: str) -> None:
    openssl(f"genpkey -algorithm {algorithm} -pkeyopt paramset:{parameter_set} -out {name}.key")


def issue(name: str, issuer: str, subject: str, section: str, hashed: str) -> None:
    openssl(f"req -new -key {name}.key -out {name}.csr -config openssl.cnf -subj", subject)
    openssl(
        f"x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -days 36000 "
        f"-extfile openssl.cnf -extensions {section} -{hashed} -out {name}.pem"
    )


def container(*options: str) -> str:
    openssl(
        "pkcs12 -export -inkey person.key -in person.pem -out person.pfx -passout",
        f"pass:{PASSWORD}",
        *options,
    )
    return read("person.pfx")


def digest(name: str, length: int) -> str:
    """Return the digest of that many bytes 0, 1, 2 … 250, 0, 1 …"""
    Path("bytes").write_bytes(bytes(n % 251 for n in range(length)))
    return openssl(f"dgst -{name} -r bytes").split()[0].decode()


def der(name: str) -> str:
    openssl(f"x509 -in {name}.pem -outform DER -out {name}.der")
    return read(f"{name}.der")


def read(name: str) -> str:
    return base64.b64encode(Path(name).read_bytes()).decode()


def openssl(line: str, *more: str) -> bytes:
    return subprocess.run(
        ["openssl", *line.split(), *more], check=True, stdout=subprocess.PIPE
    ).stdout


if __name__ == "__main__":
    main(sys.argv[1])
