"""A Report as a message and its thread: verdict first, the root finding with its proof, the rest below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.blocks import elements as kit
from bot.blocks import values
from bot.blocks.finding import root
from bot.blocks.limits import BUDGET, Block, Message, fallback, size
from bot.blocks.members import SIGNS, members
from bot.blocks.request import ACT
from bot.blocks.thread import gap_list, thread
from bot.durations import utc
from bot.model import CheckStatus, ObjectRef, Offer, Report, Verdict

OFFERS = 5
_DETAIL = ((3, 4, 8), (2, 2, 8), (1, 1, 8), (1, 1, 3), (1, 1, 0))  # quotes, remedies, members: as many as fit


@dataclass(frozen=True, slots=True)
class Answer:
    """The message that takes the place of "checking …", and what follows in its thread."""

    message: Message
    thread: tuple[Message, ...] = ()


def answer(report: Report, asker: str, offers: Sequence[Offer] = ()) -> Answer:
    """`asker` is the Slack id of the person who asked, "" outside Slack. `offers` become buttons, at most five."""
    text = fallback(f"{_verdict(report)} ({_where(report.target)})")
    asked = f", asked by <@{asker}>" if asker else ""
    return Answer(Message(f"{text}{asked}", tuple(_main(report, asker, tuple(offer_buttons(offers))))), thread(report))


def offer_buttons(offers: Sequence[Offer]) -> Iterator[Block]:
    """A button for each that would help: anybody may press it, the policy decides."""
    pressed = [(offer, values.of_offer(offer)) for offer in offers]
    fitting = [(offer, value) for offer, value in pressed if value][:OFFERS]
    if fitting:
        yield kit.actions(
            *(kit.button(f"{offer.label} …", f"{ACT}:{n}", value) for n, (offer, value) in enumerate(fitting))
        )


def _verdict(report: Report) -> str:
    return f"{SIGNS[report.verdict]} {report.verdict.value.capitalize()}: {report.headline}"


def _where(target: ObjectRef) -> str:
    return f"{target}, cluster {target.cluster}" if target.cluster else str(target)


def _main(report: Report, asker: str, buttons: Sequence[Block]) -> list[Block]:
    """The verdict and the root finding always; the rest where it fits, for it stands in the thread too."""
    head = [kit.header(_verdict(report)), kit.context(*_small_print(report), asker=asker)]
    blocks = head
    for quotes, remedies, lines in _DETAIL:
        blocks = [*head, *members(report, lines), *_root(report, quotes, remedies), *buttons]
        if size(blocks) <= BUDGET:
            break
    for part in _optional(report):
        if size([*blocks, *part]) <= BUDGET:
            blocks += part
    return blocks


def _root(report: Report, quotes: int, remedies: int) -> Iterator[Block]:
    if report.faults:
        first = report.faults[0]
        symptoms = [finding.cause.title for finding in report.findings if finding.code in first.symptoms]
        titled = not report.headline.startswith(first.cause.title)
        yield root(first, symptoms=symptoms, titled=titled, quotes=quotes, remedies=remedies)
    elif report.verdict is Verdict.HEALTHY and report.checks:
        yield kit.rich(kit.line(kit.words(_passed(report))))


def _small_print(report: Report) -> Iterator[str]:
    yield _where(report.target)
    if report.version:
        yield f"Kubernetes {report.version}"
    yield f"read at {utc(report.taken_at)}"
    if report.took_ms:
        yield f"took {report.took_ms / 1000:.1f} s"


def _passed(report: Report) -> str:
    passed = sum(check.status is CheckStatus.PASSED for check in report.checks)
    return f"{passed} checks ran and passed." if passed != 1 else "1 check ran and passed."


def _optional(report: Report) -> Iterator[list[Block]]:
    spoilers = [gap for gap in report.gaps if gap.kind.spoils]
    yield from gap_list("Could not be read", spoilers, most=3 if report.verdict is Verdict.UNKNOWN else 1)
    below = _below(report)
    if below:
        yield [kit.context(f"In the thread: {', '.join(below)}.")]


def _below(report: Report) -> list[str]:
    """What the thread holds, in a few words."""
    others = len(report.faults) - 1
    parts = [f"{others} more finding{'s' if others > 1 else ''}"] if others > 0 else []
    if report.advice:
        parts.append("what else is worth mending")
    if report.timeline:
        parts.append("the timeline")
    if report.blast_radius:
        parts.append("who else is affected")
    if report.gaps:
        parts.append("what was not read")
    if report.checks:
        parts.append("the checks")
    return parts
