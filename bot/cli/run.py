"""`run`: the bot, until it is stopped."""

import asyncio
import sys
from pathlib import Path

from bot import log
from bot.app import run as serve
from bot.visible import visible
from config.settings import WrongConfigurationError, load

_STOPPED = 0
_WRONG_CONFIGURATION = 2
_CUT_SHORT = 3


def run(config: Path | None) -> int:
    """Serves Slack until SIGTERM or SIGINT. Raises SlackRefusedError, and WrongUsageError for a kubeconfig."""
    try:
        settings = load(config)
    except WrongConfigurationError as wrong:
        name = f" in {wrong.source}" if wrong.source else ""
        _say(f"Error: The configuration{name} cannot be used:")
        for mistake in wrong.mistakes:
            _say(f"  {mistake}")
        return _WRONG_CONFIGURATION
    log.configure("info", json=not sys.stderr.isatty())
    return _STOPPED if asyncio.run(serve(settings, _say)) else _CUT_SHORT


def _say(line: str) -> None:
    sys.stderr.write(f"{visible(line)}\n")
    sys.stderr.flush()
