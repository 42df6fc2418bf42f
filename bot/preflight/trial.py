"""What trying a precondition came to, and what all of them come to together. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from bot.model import Noun


class Section(StrEnum):
    """What a trial is about, in the order in which they are told."""

    CONFIGURATION = "configuration"
    SLACK = "slack"
    CLUSTERS = "clusters"
    DATABASE = "database"
    CLOCKS = "clocks"
    POLICY = "policy"
    DIGESTS = "digests"


class Outcome(StrEnum):
    """`NOT_TRIED`: nobody could say, for want of an answer or of the right to ask."""

    OK = "ok"
    NOT_TRIED = "not tried"
    WARNING = "warning"
    FAILED = "failed"


class Trial(Noun, frozen=True, kw_only=True):
    """One precondition. `mend` is the next step in words, `command` one that can be run as it stands."""

    section: Section
    outcome: Outcome
    text: str
    mend: str = ""
    command: str = ""


def ok(section: Section, text: str) -> Trial:
    return Trial(section=section, outcome=Outcome.OK, text=text)


def warning(section: Section, text: str, mend: str, *, command: str = "") -> Trial:
    return Trial(section=section, outcome=Outcome.WARNING, text=text, mend=mend, command=command)


def failed(section: Section, text: str, mend: str, *, command: str = "") -> Trial:
    return Trial(section=section, outcome=Outcome.FAILED, text=text, mend=mend, command=command)


def not_tried(section: Section, text: str, mend: str = "") -> Trial:
    return Trial(section=section, outcome=Outcome.NOT_TRIED, text=text, mend=mend)


_EXIT_CODES = {Outcome.FAILED: 1, Outcome.WARNING: 1, Outcome.NOT_TRIED: 3, Outcome.OK: 0}


def worst(trials: Iterable[Trial]) -> Outcome:
    """What counts: something that is wrong, else something that nobody knows."""
    found = {trial.outcome for trial in trials}
    return next((outcome for outcome in reversed(Outcome) if outcome in found), Outcome.OK)


def exit_code(trials: Iterable[Trial]) -> int:
    return _EXIT_CODES[worst(trials)]


def verdict(trials: Sequence[Trial], *, required: bool) -> str:
    """One sentence: what a person reads first. `required`: only what the bot cannot start without was tried."""
    all_, failures = len(trials), _count(trials, Outcome.FAILED)
    warnings, open_ = _count(trials, Outcome.WARNING), _count(trials, Outcome.NOT_TRIED)
    rest = [
        *([f"{warnings} {'warning' if warnings == 1 else 'warnings'}"] if warnings else []),
        *([f"{open_} could not be tried"] if open_ else []),
    ]
    ready = "token-doctor can start" if required else "token-doctor is ready"
    if failures:
        not_ready = "token-doctor cannot start" if required else "token-doctor is not ready"
        return f"{not_ready}: {', '.join([f'{failures} of {all_} preconditions failed', *rest])}."
    if warnings:
        return f"{ready}, with {', and '.join(rest)}."
    if open_:
        return f"No verdict: {open_} of {all_} preconditions could not be tried; the others hold."
    return f"{ready}: all {all_} preconditions hold."


def _count(trials: Iterable[Trial], outcome: Outcome) -> int:
    return sum(trial.outcome is outcome for trial in trials)
