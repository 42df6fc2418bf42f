"""Breaks the diagnosis on purpose, one place at a time: each break must turn the cause's own cases red.

`python -m tests.mutate` (`make mutate`) switches off every check in turn, then takes every symptom from its cause in
turn, and writes tests/causes/mutations.md. It exits with 1 when a break went unnoticed.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from msgspec.structs import replace

from bot.diagnosis import CAUSES, diagnose, engine
from bot.diagnosis.checks import CHECKS, Check
from bot.model import Snapshot
from tests.causes.cases import FOLDER, Case, cases, complaints

TABLE = FOLDER / "mutations.md"
_HEAD = """# What the cases notice

Written by `make mutate`: do not edit. Each line is one deliberate break of the diagnosis, and the cases of that cause's
own file in this folder that turned red over it. A break that no case notices means that a case is missing, or that a
line of the catalogue does nothing.
"""

Read = tuple[Case, Snapshot]


class AlreadyRedError(Exception):
    """A case fails as it is, so that it cannot tell of any break."""


@dataclass(frozen=True)
class Outcome:
    """A break, and the cases that noticed it; `symptom` is "" where the check was switched off."""

    cause: str
    symptom: str
    red: tuple[str, ...]

    def __str__(self) -> str:
        told = "; ".join(name.replace("|", "\\|") for name in self.red) or "**nothing**"
        return f"| {self.cause} | {self.symptom} | {told} |" if self.symptom else f"| {self.cause} | {told} |"


def run() -> list[Outcome]:
    """Every break, in the order of the checks and of the catalogue. Raises AlreadyRedError."""
    own: dict[str, list[Read]] = {}
    for case in cases():
        read = case.snapshot()
        if any(complaints(case, diagnose(read))):
            raise AlreadyRedError(f"{case} is red without any break: mend that first.")
        own.setdefault(case.cause, []).append((case, read))
    checks = [Outcome(check.name, "", _red(own.get(check.name, ()), _switched_off(check))) for check in CHECKS]
    symptoms = [
        Outcome(cause.code, symptom, _red(own.get(cause.code, ()), _unexplained(cause.code, symptom)))
        for cause in tuple(CAUSES.values())
        for symptom in cause.explains
    ]
    return [*checks, *symptoms]


def _red(own: Sequence[Read], broken: AbstractContextManager[object]) -> tuple[str, ...]:
    with broken:
        return tuple(case.title for case, snapshot in own if any(complaints(case, diagnose(snapshot))))


def _switched_off(check: Check) -> AbstractContextManager[object]:
    return patch.object(engine, "CHECKS", tuple(each for each in CHECKS if each is not check))


@contextmanager
def _unexplained(code: str, symptom: str) -> Iterator[None]:
    cause = CAUSES[code]
    CAUSES[code] = replace(cause, explains=tuple(each for each in cause.explains if each != symptom))
    try:
        yield
    finally:
        CAUSES[code] = cause


def table(outcomes: Sequence[Outcome]) -> str:
    """The page that is committed."""
    checks = [str(outcome) for outcome in outcomes if not outcome.symptom]
    symptoms = [str(outcome) for outcome in outcomes if outcome.symptom]
    lines = ["## A check is switched off", "", "| check | red cases |", "|---|---|", *checks]
    lines += ["", "## A symptom is taken from its cause", "", "| cause | symptom | red cases |", "|---|---|---|"]
    return "\n".join([_HEAD, *lines, *symptoms, ""])


def main() -> int:
    try:
        outcomes = run()
    except AlreadyRedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    TABLE.write_text(table(outcomes))
    survived = [outcome for outcome in outcomes if not outcome.red]
    for outcome in survived:
        what = f"takes {outcome.symptom} from its symptoms" if outcome.symptom else "switches its check off"
        sys.stderr.write(f"{outcome.cause}: no case notices a break that {what}.\n")
    sys.stdout.write(f"{len(outcomes)} breaks, {len(outcomes) - len(survived)} noticed: {TABLE.name}\n")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
