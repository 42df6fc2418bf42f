"""`run`: the bot, until it is stopped."""

import asyncio
import sys
from pathlib import Path

from bot import log
from bot.app import run as serve
from bot.cli.configuration import WRONG, loaded, say

_STOPPED = 0
_CUT_SHORT = 3


def run(config: Path | None) -> int:
    """Serves Slack until SIGTERM or SIGINT. Raises SlackRefusedError, and WrongUsageError for a kubeconfig."""
    settings = loaded(config)
    if settings is None:
        return WRONG
    log.configure("info", json=not sys.stderr.isatty())
    return _STOPPED if asyncio.run(serve(settings, say)) else _CUT_SHORT
