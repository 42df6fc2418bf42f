"""The last door of the terminal: whatever fails is told in one sentence and ends in the right exit code."""

import sys
import traceback
from collections.abc import Callable

from typer import Abort, TyperException

from bot.errors import DoctorError
from bot.visible import visible

_NO_VERDICT = 3
_INTERRUPTED = 130


def exit_code(work: Callable[[], int | None], *, program: str, debug: bool) -> int:
    """Does the work, and tells on standard error what went wrong, with the traceback only under --debug."""
    try:
        return work() or 0
    except DoctorError as error:
        return _told(error, debug=debug)
    except TyperException as error:
        told = error.format_message().replace("Value error, ", "")  # Typer's choices are told as pydantic words them
        _say(told, f"See {_command_of(error) or program} --help.")
        return error.exit_code
    except (KeyboardInterrupt, Abort):
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last door: a person is told a sentence and never a traceback
        _trace(error, debug=debug)
        _say(
            f"token-doctor itself failed: {_summary(error)}.",
            "" if debug else "Run it again with --debug, and report what it prints.",
        )
        return _NO_VERDICT


def _command_of(error: TyperException) -> str:
    """`token-doctor check`, where the words after it are wrong; empty where no command was reached."""
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else ""


def _told(error: DoctorError, *, debug: bool) -> int:
    _trace(error, debug=debug)
    # A report's mend is a part of a sentence; here it stands alone.
    _say(str(error), f"{error.next_step[:1].upper()}{error.next_step[1:]}")
    return error.exit_code


def _say(sentence: str, next_step: str) -> None:
    lines = [f"Error: {sentence}", *([f"       {next_step}"] if next_step else [])]
    sys.stderr.write(visible("\n".join(lines)) + "\n")


def _summary(error: Exception) -> str:
    first, *_ = (*str(error).splitlines(), "")
    return f"{type(error).__name__}: {first.rstrip('.')}" if first else type(error).__name__


def _trace(error: Exception, *, debug: bool) -> None:
    if debug:
        sys.stderr.write(visible("".join(traceback.format_exception(error))))
