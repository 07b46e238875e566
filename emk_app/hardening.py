"""What the process takes from itself before it opens anything (D57)."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def close_to_others() -> None:
    """Let nobody else read what this process and its children write, nor their memory.

    A core would hold keys and people's data in clear. Where cores go to a program, the limit does
    not count; so the process also says that it is not to be dumped, nor looked into by its equals.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def make_private(folder: Path) -> None:
    """Make the folder of the data, or close it to others if it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def is_root() -> bool:
    """Whether whoever breaks into this process would have the machine."""
    return os.geteuid() == 0
