"""What a process may still do once it is about to read a stranger's file: compute and answer."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import Final

MEMORY: Final = 512 * 1024 * 1024
"""Bytes of address space."""
CPU_SECONDS: Final = 5

_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2

_LOAD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050001  # errno 1, EPERM
_KILL: Final = 0x80000000
_OFFSET_OF_NUMBER: Final = 0
_OFFSET_OF_ARCHITECTURE: Final = 4

# Reading and writing what is open, memory, locks, signals of one's own, the clock, randomness and
# the exit. No open, no socket, no exec, no new process: keys and database stay out of reach even
# of code that a broken parser would run.
_ALLOWED_X86_64: Final = (
    0,  # read
    1,  # write
    3,  # close
    5,  # fstat
    8,  # lseek
    9,  # mmap
    10,  # mprotect
    11,  # munmap
    12,  # brk
    13,  # rt_sigaction
    14,  # rt_sigprocmask
    15,  # rt_sigreturn
    20,  # writev
    24,  # sched_yield
    25,  # mremap
    28,  # madvise
    39,  # getpid
    60,  # exit
    98,  # getrusage
    99,  # sysinfo
    131,  # sigaltstack
    186,  # gettid
    202,  # futex
    219,  # restart_syscall
    228,  # clock_gettime
    231,  # exit_group
    318,  # getrandom
)
_ALLOWED_AARCH64: Final = (
    63,  # read
    64,  # write
    57,  # close
    80,  # fstat
    62,  # lseek
    222,  # mmap
    226,  # mprotect
    215,  # munmap
    214,  # brk
    134,  # rt_sigaction
    135,  # rt_sigprocmask
    139,  # rt_sigreturn
    66,  # writev
    124,  # sched_yield
    216,  # mremap
    233,  # madvise
    172,  # getpid
    93,  # exit
    165,  # getrusage
    179,  # sysinfo
    132,  # sigaltstack
    178,  # gettid
    98,  # futex
    128,  # restart_syscall
    113,  # clock_gettime
    94,  # exit_group
    278,  # getrandom
)
# Architecture of the machine: (AUDIT_ARCH constant of the kernel, allowed system calls).
_FILTERS: Final = {
    "x86_64": (0xC000003E, _ALLOWED_X86_64),
    "aarch64": (0xC00000B7, _ALLOWED_AARCH64),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def limit(memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS) -> None:
    """Bound memory, processor time, files and processes; no core dumps.

    The limits are set by the process itself and not between fork and exec: that would run Python
    code in a copy of a threaded parent. Nothing of the stranger's has been read by then.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def seal_off() -> None:
    """Give up every system call that computing does not need, for good.

    Raises ``OSError`` where Linux on a known architecture refuses the filter, and ``RuntimeError``
    where a library has started a thread, which the filter would not bind: such a process must not
    go on. Elsewhere (a developer's machine) only the limits hold.
    """
    known = _FILTERS.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("a thread would stay free")
    steps = _filter_program(*known)
    program = _Program(len(steps) // 8, steps)
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_DUMPABLE, 0)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _prctl(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _filter_program(architecture: int, allowed: tuple[int, ...]) -> bytes:
    """Return the steps of the filter: (code, steps to skip if true, if false, operand)."""
    steps = [
        (_LOAD, 0, 0, _OFFSET_OF_ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _OFFSET_OF_NUMBER),
    ]
    for left, number in zip(range(len(allowed), 0, -1), allowed, strict=True):
        steps.append((_JUMP_IF_EQUAL, left, 0, number))
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _prctl(libc: ctypes.CDLL, option: int, *values: int) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
