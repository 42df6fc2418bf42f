"""A census on demand, until its answer is there: how far it is, or why there is none."""

from collections.abc import Mapping

from bot.blocks import elements as kit
from bot.blocks.digest_words import number, scanned
from bot.blocks.limits import Message, fallback
from bot.model import Scanned

_CLUSTERS = 8


def reading(what: str, asker: str, far: Mapping[str, str] | None = None) -> Message:
    """The first look of its message. `far` says how far each cluster is."""
    head = kit.line(kit.words(f"🔎 reading {what} — asked by ", 400), kit.person(asker))
    items = [
        kit.line(kit.code(name or "cluster", 100), kit.words(f" {line}", 300)) for name, line in (far or {}).items()
    ]
    groups = [head, *([kit.bullets(items[:_CLUSTERS])] if items else [])]
    return Message(f"{fallback(f'Reading {what}')}, asked by <@{asker}>", (kit.rich(*groups),))


def far(read: Scanned, passed: int, total: int | None) -> str:
    """`4 200 pods … so far; 12 of 41 namespaces`."""
    of = f" of {number(total)}" if total is not None else ""
    return f"{scanned(read, where=False)} so far; {number(passed)}{of} namespaces done"


def failed(what: str, asker: str, sentence: str, next_step: str = "") -> Message:
    """Why there is no answer, and what to do."""
    groups = [
        kit.line(kit.words("⚪ "), kit.bold("Not read"), kit.words(f": {what}", 300)),
        kit.line(*kit.prose(sentence)),
        *([kit.line(*kit.prose(next_step))] if next_step else []),
    ]
    text = fallback(f"⚪ Not read: {what}. {sentence}")
    return Message(f"{text} Asked by <@{asker}>", (kit.rich(*groups), kit.context(asker=asker)))
