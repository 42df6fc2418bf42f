"""The cases of a cause: recorded snapshots, as they are or with a few places changed.

cause: token-expired
fail:                                   # the cause must be found
  - recorded: expired-and-cached        # tests/causes/recorded/expired-and-cached.json
    certainty: likely                   # optional, as is severity
    root: token-cached-in-process       # optional: what must come first
    symptoms: [api-unauthorized]        # optional: what must stand under this cause
    says: [since 1.24]                  # optional: what its explanation and remedies must say, and what they must not
    never_says: [regenerates]
pass:                                   # a healthy pod: it must not be found
  - recorded: healthy-plain
near_miss:                              # very like the fault, and not it
  - name: quiet for an hour, while it logs its work
    recorded: recovered
    set: {/logs/value/0/lines/0/at: "@-1h"}     # a JSON pointer into the snapshot; @ is relative to taken_at
    log: {app: ["-2m GET /cart 200"]}           # replaces a container's log; offsets before taken_at
    source: pkg/serviceaccount/claims.go        # where a made-up text was read, when it is not recorded
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from bot.model import Certainty, Finding, Report, Severity, Snapshot

FOLDER = Path(__file__).parent
RECORDED = FOLDER / "recorded"
Kind = Literal["fail", "pass", "near_miss"]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Case:
    """One case of a cause's file."""

    cause: str
    kind: Kind
    recorded: str
    name: str = ""
    certainty: Certainty | None = None
    severity: Severity | None = None
    root: str = ""
    symptoms: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    set: dict[str, Any] = field(default_factory=dict)
    log: dict[str, list[str]] = field(default_factory=dict)
    server_log: list[str] | None = None
    source: str = ""

    def __str__(self) -> str:
        return f"{self.cause}-{self.kind}-{self.title}".replace(" ", "-")

    @property
    def title(self) -> str:
        return self.name or self.recorded

    def snapshot(self) -> Snapshot:
        """The recording with this case's changes; msgspec refuses a change that fits no field's type."""
        document = json.loads((RECORDED / f"{self.recorded}.json").read_text())["snapshot"]
        now = datetime.fromisoformat(document["taken_at"]).astimezone(UTC)
        if self.log:
            document["logs"] = {"value": [_log(name, lines, now) for name, lines in self.log.items()]}
        if self.server_log is not None:
            document["api_server_logs"] = {"value": [_log("kube-apiserver", self.server_log, now)]}
        for pointer, value in self.set.items():
            _put(document, pointer, _resolved(value, now))
        return msgspec.convert(document, Snapshot, strict=False)


def complaints(case: Case, report: Report) -> Iterator[str]:
    """What is wrong about the answer to the case's snapshot."""
    found = {finding.code: finding for finding in report.findings}
    finding = found.get(case.cause)
    if case.kind != "fail":
        if finding:
            yield f"{case.cause} was found: {finding.explanation}"
        return
    if finding is None:
        yield f"{case.cause} was not found, only {', '.join(found) or 'nothing'}"
        return
    if not finding.evidence:
        yield "a finding without evidence"
    if case.certainty not in {None, finding.certainty}:
        yield f"it is {finding.certainty}, not {case.certainty}"
    if case.severity not in {None, finding.severity}:
        yield f"it is {finding.severity}, not {case.severity}"
    if case.root not in {"", report.findings[0].code}:
        yield f"{report.findings[0].code} comes first, not {case.root}"
    yield from _wrong_words(case, finding)
    if unexplained := set(case.symptoms) - set(finding.symptoms):
        yield f"{', '.join(sorted(unexplained))} stand not under it, only {', '.join(finding.symptoms) or 'nothing'}"


def _wrong_words(case: Case, finding: Finding) -> Iterator[str]:
    told = " ".join((finding.explanation, *(remedy.text for remedy in finding.remedies)))
    for words in case.says:
        if words not in told:
            yield f"it does not say “{words}”: {told}"
    for words in case.never_says:
        if words in told:
            yield f"it says “{words}”: {told}"


def cases() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        kinds: tuple[Kind, ...] = ("fail", "pass", "near_miss")
        for kind in kinds:
            for case in document.get(kind, ()):
                yield msgspec.convert({"cause": document["cause"], "kind": kind, **case}, Case)


def _put(document: Any, pointer: str, value: object) -> None:  # noqa: ANN401  # any JSON there is
    """Sets the place; missing objects on the way are made, null takes it away."""
    *way, last = pointer.strip("/").split("/")
    place = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if isinstance(place, list):
        place[int(last) : int(last) + 1] = [] if value is None else [value]
    elif value is None:
        place.pop(last, None)
    else:
        place[last.replace("~1", "/")] = value


def _resolved(value: object, now: datetime) -> object:
    if isinstance(value, str) and value.startswith("@"):
        return (now + _offset(value[1:])).isoformat()
    if isinstance(value, dict):
        return {key: _resolved(inner, now) for key, inner in value.items()}
    return [_resolved(inner, now) for inner in value] if isinstance(value, list) else value


def _log(container: str, lines: list[str], now: datetime) -> dict[str, object]:
    name, _, previous = container.partition(" ")
    parts = [line.split(" ", 1) for line in lines]
    read = [{"at": (now + _offset(offset)).isoformat(), "text": text} for offset, text in parts]
    return {"container": name, "previous": previous == "previous", "lines": read}


def _offset(text: str) -> timedelta:
    """`-5m`, `+30s`, `-1d12h`."""
    sign = -1 if text.startswith("-") else 1
    parts = re.findall(r"(\d+)([smhd])", text)
    return sign * timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
