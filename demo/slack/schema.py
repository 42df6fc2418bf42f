"""Small checks that add up to Block Kit's schema; each yields Slack's sentence and a JSON pointer.

The sentences were read in Slack's own answers quoted in public issues, for instance
adobe/spacecat-api-service#176, incidentbot/incidentbot#328 and slackapi/bolt-js#2509.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Problem = str
Check = Callable[[object, str], Iterator[Problem]]


def problem(sentence: str, path: str) -> Problem:
    return f"{sentence} [json-pointer:{path}]"


def string(most: int, least: int = 1) -> Check:
    """Slack counts characters, not bytes."""

    def check(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield problem("must provide a string", path)
        elif len(value) < least:
            yield problem(f"must be more than {least - 1} characters", path)
        elif len(value) > most:
            yield problem(f"must be less than {most + 1} characters", path)

    return check


def one_of(*values: object) -> Check:
    def check(value: object, path: str) -> Iterator[Problem]:
        if value not in values:
            yield problem("must be a valid enum value", path)

    return check


def boolean(value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield problem("must provide a boolean", path)


def integer(least: int, most: int) -> Check:
    def check(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield problem("must provide an integer", path)
        elif not least <= value <= most:
            yield problem(f"must be between {least} and {most}", path)

    return check


def number(value: object, path: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield problem("must provide a number", path)


def anything(_value: object, _path: str) -> Iterator[Problem]:
    yield from ()


def array(item: Check, most: int, least: int = 1) -> Check:
    def check(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield problem("must provide an array", path)
            return
        if len(value) > most:
            yield problem(f"no more than {most} items allowed", path)
        if len(value) < least:
            yield problem(f"no fewer than {least} items allowed", path)
        for index, entry in enumerate(value):
            yield from item(entry, f"{path}/{index}")

    return check


@dataclass(frozen=True, slots=True)
class Shape:
    """An object's keys: `required`, one at least of `any_of`, and the check of each known key."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    one_only: tuple[str, ...] = field(default=())

    def __call__(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield problem("must provide an object", path)
            return
        for key in self.required:
            if value.get(key) is None:
                yield problem(f"missing required field: {key}", path)
        if self.any_of and not any(value.get(key) is not None for key in self.any_of):
            yield problem(f"missing required field: {self.any_of[0]}", path)
        if sum(value.get(key) is not None for key in self.one_only) > 1:
            yield problem(f"only one of {', '.join(self.one_only)} may be used", path)
        for key, entry in value.items():
            if key not in self.fields:
                yield problem(f"invalid additional property: {key}", path)
            elif entry is not None:
                yield from self.fields[key](entry, f"{path}/{key}")


def typed(shapes: Mapping[str, Check], allowed: frozenset[str] | None = None) -> Check:
    """An object told apart by its `type`; `allowed` narrows which types this place takes."""

    def check(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield problem("must provide an object", path)
            return
        kind = value.get("type")
        if kind is None:
            yield problem("missing required field: type", path)
        elif not isinstance(kind, str) or kind not in shapes or (allowed is not None and kind not in allowed):
            yield problem(f"unsupported type: {kind}", f"{path}/type")
        else:
            yield from shapes[kind](value, path)

    return check


def plain_text(most: int) -> Check:
    return Shape({"type": one_of("plain_text"), "text": string(most), "emoji": boolean}, required=("type", "text"))


def text_object(most: int) -> Check:
    """plain_text or mrkdwn: Slack tries both schemas and then says that none matched."""
    either = {"type": one_of("plain_text", "mrkdwn"), "text": string(most)}
    kinds: dict[str, Check] = {
        "plain_text": Shape({**either, "emoji": boolean}, required=("text",)),
        "mrkdwn": Shape({**either, "verbatim": boolean}, required=("text",)),
    }
    inner = typed(kinds)

    def check(value: object, path: str) -> Iterator[Problem]:
        problems = list(inner(value, path))
        if problems:
            yield problem("failed to match all allowed schemas", path)
        yield from problems

    return check
