"""The bot as `token-doctor run` starts it, but for two things: it dies where it is told to, and it is less patient.

A process of its own, forked from one that has imported everything: so a death costs no seconds.
"""

import asyncio
import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import bot.app
from bot import log
from bot.errors import DoctorError
from bot.slack.pace import Rate
from bot.slack.socket import SocketMode
from config.settings import load

LEASE_SECONDS = 3.0
REFUSED = 4
_PR_SET_PDEATHSIG = 1
_PATIENCE: Mapping[str, Mapping[str, object]] = {
    "bot.actions.hold": {"LEASE_SECONDS": LEASE_SECONDS, "BEAT_SECONDS": 0.5},
    "bot.actions.executor": {"LEASE_SECONDS": LEASE_SECONDS, "_POLL_SECONDS": 0.2, "_STORE_RETRY_SECONDS": 0.2},
    "bot.actions.execution": {"_RETRY_SECONDS": 0.5, "LOOKS": 2},
    "bot.remedy": {"_BEYOND_PROOF": 1 / 300},
    "bot.announce": {"_LEASE_SECONDS": 6.0, "_PATIENCE_SECONDS": 4.0, "_POLL_SECONDS": 0.2},
    "bot.jobs": {"_EXPIRY_SECONDS": 0.5, "_RECOVERY_SECONDS": 3.0},
    "bot.slack.door": {"POSTS": Rate(50, 50.0), "UPDATES": Rate(50, 50.0)},
    "bot.slack.remembered": {"SECONDS": 5.0},
    "bot.app": {"SocketMode": partial(SocketMode, watch_seconds=1.0)},
}
"""The waits of the real bot, about a tenth as long; nothing else is another than in the real one."""


class Life(NamedTuple):
    """What a process is given; its output is appended. Who first passes the checkpoint that `trap` names dies there."""

    config: Path
    output: Path
    trap: Path
    variables: Mapping[str, str]


def live(life: Life, ready: Connection) -> None:
    """The process: `ready` is told once it serves."""
    _ends_with_parent()
    number = os.open(life.output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(number, sys.stdout.fileno())
    os.dup2(number, sys.stderr.fileno())
    os.environ.update(life.variables)
    for module, waits in _PATIENCE.items():
        _shorten(module, waits)
    log.configure("info", json=True)
    try:
        finished = asyncio.run(bot.app.run(load(life.config), ready.send, partial(_checkpoint, life.trap)))
    except DoctorError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        sys.exit(REFUSED)
    sys.exit(0 if finished else 3)


def _checkpoint(trap: Path, name: str) -> None:
    try:
        if trap.read_text() != name:
            return
        trap.unlink()
    except FileNotFoundError:  # none is set, or another one was quicker
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _shorten(module: str, waits: Mapping[str, object]) -> None:
    found = importlib.import_module(module)
    for name, value in waits.items():
        if not hasattr(found, name):
            raise AttributeError(f"{module}.{name} is called otherwise by now: bring tests/crash/bot.py up to date.")
        setattr(found, name, value)


def _ends_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
