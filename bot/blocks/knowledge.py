"""`errors`, `explain` and `help`."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.blocks import elements as kit
from bot.blocks.limits import BUDGET, Block, Message, cut, fallback, size
from bot.diagnosis.runbooks import to_fill_in
from bot.messages import Message as Entry
from bot.model import Cause, Severity

SIGNS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
_ENTRIES = 4
_RUNBOOK = 8_000


def entries(found: Sequence[Entry], causes: Mapping[str, Cause]) -> Message:
    """What a line means: the catalogue's entries with their causes. `found` is not empty."""
    blocks = [kit.rich(*_entry(entry, causes)) for entry in found[:_ENTRIES]]
    if len(found) > _ENTRIES:
        left = len(found) - _ENTRIES
        blocks.append(kit.context(f"… {left} more; in a terminal: token-doctor errors"))
    return Message(fallback(f"{found[0].meaning} Likely cause: {causes[found[0].cause].title}."), tuple(blocks))


def _entry(entry: Entry, causes: Mapping[str, Cause]) -> Iterator[kit.Group]:
    yield kit.line(kit.bold(entry.meaning))
    versions = "" if entry.versions == "all" else f", Kubernetes {entry.versions}"
    yield kit.line(kit.italic(f"written by the {entry.origin}{versions}; source: {entry.source}"))
    yield kit.quoted(entry.example, 400)
    for code in entry.causes:
        cause = causes[code]
        yield kit.line(kit.words(f"{SIGNS[cause.severity]} "), kit.bold(cause.title))
        yield kit.bullets(
            [kit.line(*kit.prose(remedy.dated, 320)) for remedy in cause.remedies[:2]]
            or [kit.line(kit.words(cause.explanation, 320))]
        )
        yield kit.line(kit.words("More: "), kit.code(f"/token explain {code}"))


def no_entry() -> Message:
    sentence = "No known error line is in this text: it may not be about a token at all."
    return Message(
        fallback(sentence),
        (kit.rich(kit.line(kit.words(sentence)), kit.line(kit.words("All known lines: "), kit.code("/token errors"))),),
    )


def catalogue(known: Sequence[Entry]) -> Message:
    """All known lines with their cause's code, by who writes them."""
    groups: list[kit.Group] = []
    for origin in dict.fromkeys(entry.origin for entry in known):
        lines = [f"{entry.cause}: {entry.example}" for entry in known if entry.origin is origin]
        groups += [kit.line(kit.bold(f"Written by the {origin}")), kit.quoted("\n".join(lines), 2_600)]
    return Message(fallback(f"The {len(known)} error lines that are known."), _fitting(groups, "token-doctor errors"))


def cause(known: Cause, runbook: str) -> Message:
    """A cause and its runbook, which is Markdown of our own."""
    blocks: list[Block] = [
        kit.header(f"{SIGNS[known.severity]} {known.title}"),
        kit.context(f"{known.severity.value.capitalize()} · {known.code}"),
    ]
    text = _for_slack(_without_title(runbook))
    shown = _whole_paragraphs(text)
    blocks.append(kit.markdown(shown))
    if shown != text:
        blocks.append(kit.context(f"… the rest in a terminal: token-doctor explain {known.code}"))
    if words := to_fill_in(runbook):
        blocks.append(kit.context(words))
    return Message(fallback(f"{known.title}: {known.explanation}"), tuple(blocks))


def _without_title(runbook: str) -> str:
    """The header says it already."""
    first, _, rest = runbook.strip().partition("\n")
    return rest.strip() if first.startswith("# ") else runbook.strip()


def _for_slack(markdown: str) -> str:
    """Without what Slack's Markdown does not promise: a code block's language, a list that goes on behind one."""
    markdown = re.sub(r"^```\w+$", "```", markdown, flags=re.MULTILINE)
    return re.sub(r"^(\d+\.) ", r"**\1** ", markdown, flags=re.MULTILINE)


def _whole_paragraphs(text: str) -> str:
    """As much Markdown as fits, cut between paragraphs, with no code block left open."""
    short = cut(text, _RUNBOOK)
    if short == text:
        return text
    end = short.rfind("\n\n")
    short = short[:end] if end > 0 else short
    return f"{short}\n```" if short.count("```") % 2 else short


def causes(groups: Mapping[str, Sequence[Cause]]) -> Message:
    """All causes by group, each with its code."""
    shown: list[kit.Group] = []
    for name, some in groups.items():
        lines = [f"{known.code}: {known.title}" for known in some]
        shown += [kit.line(kit.bold(name.capitalize())), kit.quoted("\n".join(lines), 2_600)]
    total = sum(map(len, groups.values()))
    return Message(fallback(f"The {total} causes that can be explained."), _fitting(shown, "token-doctor explain"))


def _fitting(groups: list[kit.Group], command: str) -> tuple[Block, ...]:
    """As many groups as fit a message, and where the rest is."""
    kept = list(groups)
    tail = kit.context(f"All of it in a terminal: {command}")
    while size([kit.rich(*kept), tail]) > BUDGET:
        kept.pop()
    return (kit.rich(*kept), tail)


HELP = (
    (
        "/token check shop/checkout-5d9c7b-x7k2p",
        "why a workload's token is refused; cluster:namespace/kind/name works too",
    ),
    (
        "/token digest shop",
        "what expires and what never does, in a namespace; without one, in all that may be asked about here",
    ),
    ("/token legacy shop", "the token Secrets that never expire, whose they are and who uses them"),
    ('/token errors "token has expired"', "what a log line means; without a line, all that are known"),
    ("/token explain token-expired", "a cause with its runbook; without a code, all causes"),
    ("/token restart shop/checkout", "new pods with fresh tokens, once it is approved"),
    ("/token create-secret shop/ci", "a token Secret for a service account, once it is approved"),
    ("/token requests", "what is open: yours, and what waits for you"),
    ("/token audit shop/checkout", "who asked for what, who agreed, what came of it; without a target, everything"),
    ("/token help", "this"),
)


def help_(name: str) -> Message:
    """What works now. `name` is the bot's own."""
    items = [kit.line(kit.code(command), kit.words(f" {what}")) for command, what in HELP]
    blocks = (
        kit.rich(
            kit.line(kit.words("🩺 "), kit.bold("token-doctor says why a Kubernetes workload's token is refused")),
            kit.bullets(items),
            kit.line(kit.words("On an alert: its menu → More message shortcuts → “Check tokens here”.")),
            kit.line(kit.words("In a thread: "), kit.code(f"@{name} check shop/checkout"), kit.words(", and so on.")),
            kit.line(
                kit.words("A token is never given to Slack. In a terminal: "),
                kit.code("pbpaste | token-doctor decode"),
                kit.words(" and "),
                kit.code("token-doctor review < token.txt"),
            ),
        ),
    )
    commands = ", ".join(command for command, _ in HELP)
    return Message(fallback(f"token-doctor says why a workload's token is refused. Commands: {commands}."), blocks)
