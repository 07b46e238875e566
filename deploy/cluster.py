"""PostgreSQL, Redis, two backends and nginx on this machine: ``make cluster``.

With the files of this folder, in a temporary folder, on high ports, until Ctrl-C. Run it as
``.ci/postgres .venv/bin/python -m deploy.cluster``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
PORT: Final = 8000
"""Where nginx listens, unless EMK_PORT says otherwise; what is behind it takes any."""
PATIENCE: Final = 90.0
PACKAGES: Final = {
    "redis-server": "redis-server",
    "nginx": "nginx",
    "openssl": "openssl",
    "systemd-analyze": "systemd",
}
MAIN: Final = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log crit;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/http.conf;
  server {{
    listen 127.0.0.1:{port};
    listen [::1]:{port};
    server_name localhost;
    include {folder}/site.conf;
  }}
}}
"""
"""The frame that a machine's own nginx.conf and our emk.conf have; TLS is left out."""


class Failed(RuntimeError):
    """Something did not start; the message says what, with the end of its log."""


class Cluster:
    """The processes; each backend may be stopped, killed and started again."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        environ: Mapping[str, str],
        *,
        port: int | None = None,
        backends: int = 2,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.origin = f"http://localhost:{self.port}"
        self.ports = [free_port() for _ in range(backends)]
        self.figures = [free_port() for _ in range(backends)]
        """Where each backend tells its figures."""
        self._redis_port = free_port()
        self._password = secrets.token_hex(16)
        self._environ = {
            **environ,
            "EMK_ORIGIN": self.origin,
            "EMK_DATABASE_URL": database_url,
            "EMK_REDIS_URL": f"redis://:{self._password}@127.0.0.1:{self._redis_port}/0",
            "EMK_TRUSTED_PROXY_HOPS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of commands beside the backends."""
        return self._environ | {"EMK_PORT": str(self.ports[0])}

    def start(self) -> None:
        """Start everything, and return when all is ready; the database is migrated already."""
        self._start_redis()
        for number in range(len(self.ports)):
            self.start_backend(number, waits=False)
        self._start_nginx()
        for number in range(len(self.ports)):
            self.wait_ready(number)

    def start_backend(self, number: int, *, waits: bool = True) -> None:
        """Start one of the backends."""
        more = {
            "EMK_PORT": str(self.ports[number]),
            "EMK_METRICS_PORT": str(self.figures[number]),
        }
        serve = [sys.executable, "-m", "emk_app.cli", "serve"]
        self._run(f"backend-{number}", serve, self._environ | more)
        if waits:
            self.wait_ready(number)

    def wait_ready(self, number: int) -> None:
        """Wait until a backend can do work."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[number]}/readyz",
            headers={"Host": f"localhost:{self.port}"},
        )
        self._wait(f"backend-{number}", lambda: _answers(asked))

    def tell_to_stop(self, number: int) -> subprocess.Popen[bytes]:
        """Ask a backend to stop, and do not wait; return its process."""
        process = self._running.pop(f"backend-{number}")
        os.killpg(process.pid, signal.SIGTERM)
        return process

    def kill(self, number: int) -> None:
        """End a backend between two instructions."""
        process = self._running.pop(f"backend-{number}")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def sockets(self, number: int) -> int:
        """Return how many screens are connected to a backend."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.figures[number]}/metrics") as answer:
            text: str = answer.read().decode()
        found = re.search(r"^emk_sockets ([0-9.]+)", text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def check_alive(self) -> None:
        """Raise ``Failed`` where something that should run has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}:\n{self.log(name)}")

    def log(self, name: str) -> str:
        """Return what a process has written."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Stop everything, the last started first."""
        while self._running:
            _, process = self._running.popitem()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start_redis(self) -> None:
        text = (HERE / "redis.conf").read_text(encoding="utf-8")
        own = text.replace("port 6379", f"port {self._redis_port}")
        own = own.replace("requirepass change-me", f"requirepass {self._password}")
        (self.folder / "redis.conf").write_text(f"{own}dir {self.folder}\n", encoding="utf-8")
        self._run("redis", [find("redis-server"), str(self.folder / "redis.conf")], os.environ)
        self._wait("redis", lambda: is_taken(self._redis_port))

    def _start_nginx(self) -> None:
        servers = "".join(
            f"  server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;\n" for port in self.ports
        )
        http = (HERE / "nginx" / "http.conf").read_text(encoding="utf-8")
        http = re.sub(r"(  server [^\n]*\n)+", servers, http)
        site = (HERE / "nginx" / "site.conf").read_text(encoding="utf-8")
        site = site.replace("/var/log/nginx/", f"{self.folder}/")
        # The workers of a nginx that root starts would be nobody's, and its folder is ours.
        user = "user root;\n" if os.geteuid() == 0 else ""
        main = MAIN.format(user=user, folder=self.folder, port=self.port)
        for name, said in (("http.conf", http), ("site.conf", site), ("nginx.conf", main)):
            (self.folder / name).write_text(said, encoding="utf-8")
        self._run(
            "nginx",
            [find("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
            os.environ,
        )
        self._wait("nginx", lambda: is_taken(self.port))

    def _run(self, name: str, command: list[str], environ: Mapping[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for us alone: we stop them in order.
                start_new_session=True,
            )

    def _wait(self, name: str, is_there: Callable[[], bool]) -> None:
        patience = time.monotonic() + PATIENCE
        while not is_there():
            self.check_alive()
            if time.monotonic() > patience:
                raise Failed(f"{name} is not ready in {PATIENCE} s:\n{self.log(name)}")
            time.sleep(0.05)


def is_taken(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def database() -> Iterator[str]:
    """Run a throw-away PostgreSQL; give its address."""
    said = ["sh", "-c", 'echo "$EMK_TEST_DATABASE_URL"; exec cat']
    with subprocess.Popen(
        [ROOT / ".ci" / "postgres", *said],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        url = process.stdout.readline().strip()
        if not url:
            raise Failed("no PostgreSQL")
        try:
            yield url
        finally:
            process.stdin.close()


def main() -> int:
    """Run the cluster with the demo world until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="emk-cluster-") as name, database() as url:
        folder = Path(name)
        environ = {**os.environ, "EMK_ENV": "dev", "EMK_DATA": str(folder / "data")}
        cluster = Cluster(folder, url, environ, port=int(os.environ.get("EMK_PORT") or PORT))
        try:
            for command in (["db", "upgrade"], ["keys"], ["seed"]):
                subprocess.run(
                    [sys.executable, "-m", "emk_app.cli", *command],
                    cwd=ROOT,
                    env=cluster.environment,
                    check=True,
                )
            cluster.start()
            print(
                f"\n{cluster.origin}\n"
                f"  backends on ports {', '.join(map(str, cluster.ports))}, logs in {folder}\n"
                f"  codes: EMK_DATABASE_URL='{url}' EMK_DATA={folder / 'data'} make codes\n"
                "  Ctrl-C stops all",
                flush=True,
            )
            while True:
                time.sleep(1)
                cluster.check_alive()
        except KeyboardInterrupt:
            return 0
        except (Failed, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            cluster.close()


def _answers(asked: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(asked, timeout=3) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def find(program: str) -> str:
    """Return the path of a program, installed where it is missing."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    found = shutil.which(program, path=path)
    if found is None:
        subprocess.run([ROOT / ".ci" / "apt", PACKAGES[program]], check=False, stdout=sys.stderr)
        found = shutil.which(program, path=path)
    if found is None:
        raise Failed(f"no {program}: install it (Debian: {PACKAGES[program]})")
    return found


if __name__ == "__main__":
    raise SystemExit(main())
