"""The configuration, for the commands that need it; what is wrong with it is told line by line."""

import sys
from pathlib import Path

from bot.visible import visible
from config.settings import Settings, WrongConfigurationError, load

WRONG = 2


def loaded(config: Path | None) -> Settings | None:
    """The settings; None where they cannot be used, which has been told on standard error then."""
    try:
        return load(config)
    except WrongConfigurationError as wrong:
        name = f" in {wrong.source}" if wrong.source else ""
        say(f"Error: The configuration{name} cannot be used:")
        for mistake in wrong.mistakes:
            say(f"  {mistake}")
        return None


def say(line: str) -> None:
    sys.stderr.write(f"{visible(line)}\n")
    sys.stderr.flush()
