"""What machines are set up with is what their own programs accept."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy import cluster
from emk_app import settings

DEPLOY = cluster.HERE
UNITS = sorted((DEPLOY / "systemd").iterdir())


def environment(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_nginx_takes_the_configuration(tmp_path: Path):
    certificate = tmp_path / "fullchain.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=x"
    keys = ["-out", certificate, "-keyout", tmp_path / "privkey.pem"]
    subprocess.run(
        [cluster.find("openssl"), *made.split(), *keys],
        check=True,
        capture_output=True,
    )
    (tmp_path / "emk").mkdir()
    for path in (DEPLOY / "nginx").iterdir():
        text = path.read_text(encoding="utf-8").replace("/etc/ssl/emk", str(tmp_path))
        text = text.replace("/var/log/nginx", str(tmp_path))
        (tmp_path / "emk" / path.name).write_text(text, encoding="utf-8")
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\nevents {{}}\n"
        f"http {{ include {tmp_path}/emk/emk.conf; }}\n",
        encoding="utf-8",
    )
    tried = subprocess.run(
        [cluster.find("nginx"), "-t", "-q", "-c", main],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert tried.stdout == ""
    assert tried.returncode == 0


def test_log_of_nginx_keeps_no_code_and_no_address_of_a_tab():
    conf = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY / "nginx").iterdir())
    (form,) = re.findall(r"log_format emk ((?:'[^']*'\s*)+);", conf)
    assert "$emk_path" in form
    assert not re.search(r"\$(request|request_uri|uri|args|http_\w+|cookie_\w+)\b(?!_)", form)
    assert {*re.findall(r"access_log ([^;]*);", conf)} == {"off", "/var/log/nginx/emk.log emk"}
    assert re.findall(r"error_log \S+ (\w+);", conf) == ["crit"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_has_what_its_process_needs(unit: Path):
    text = unit.read_text(encoding="utf-8")
    if unit.suffix == ".service":
        for line in ("User=emk", "UMask=0077", "NoNewPrivileges=yes", "LimitCORE=0"):
            assert line in text.splitlines()
        assert not re.search(r"(PASSWORD|TOKEN|_URL)=", text)


def test_systemd_takes_the_units(tmp_path: Path):
    verify = cluster.find("systemd-analyze")
    # The program need not be installed for its unit to be right.
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/emk", str(cluster.ROOT))
        (tmp_path / path.name).write_text(text.replace("=emk\n", "=root\n"), encoding="utf-8")
    instance = (tmp_path / "emk@.service").rename(tmp_path / "emk@8001.service")
    names = [instance, *(tmp_path / each.name for each in UNITS if "@" not in each.name)]
    tried = subprocess.run(
        [verify, "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    said = [line for line in tried.stderr.splitlines() if str(tmp_path) in line or "emk" in line]
    assert not said


def test_example_of_the_environment_starts_production():
    text = (DEPLOY / "emk.env.example").read_text(encoding="utf-8")
    read = settings.read(environment(text))
    assert read.is_production
    assert read.redis_url
    assert read.database_url.startswith("postgresql+psycopg://")


def test_redis_forgets_screens_and_never_locks():
    text = (DEPLOY / "redis.conf").read_text(encoding="utf-8")
    said = dict(line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    assert said["maxmemory-policy"] == "volatile-lru"
    assert said["save"] == '""' and said["appendonly"] == "no"
    assert said["requirepass"] and said["maxmemory"] and said["bind"].startswith("127.0.0.1")


def test_compose_file_runs_what_the_units_run():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    backends = [each for name, each in services.items() if name.startswith("backend-")]
    assert len(backends) == 2
    for backend in backends:
        assert backend["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
        assert backend["init"] and backend["read_only"] and backend["cap_drop"] == ["ALL"]
    # Nobody comes from outside but through nginx.
    assert [name for name, each in services.items() if "ports" in each] == ["nginx"]
    for each in services.values():
        assert "image" in each or "build" in each
        for volume in each.get("volumes", []):
            source = volume.split(":")[0]
            made = source in {*compose["volumes"], "./tls"}
            assert made or (DEPLOY / source).exists(), source
    assert not [each for each in services.values() if "latest" in each.get("image", "")]
