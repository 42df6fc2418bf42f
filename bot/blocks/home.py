"""The Home tab, and the same lists as answers to `/token requests` and `/token audit`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.blocks import elements as kit
from bot.blocks.limits import BUDGET, VIEW, Block, Message, fallback, size
from bot.blocks.request import APPROVE, CANCEL, DENY, status, where
from bot.model import Person, Request, State, TrailEntry

View = dict[str, object]

_SUMMARY = 250
_REQUESTS = 10
_MOST_BLOCKS = 90  # of 100
_HOW = (
    ("/token check shop/checkout", "why a workload's token is refused"),
    ("/token digest shop", "what expires in a namespace, and what never does"),
    ("/token restart shop/checkout", "new pods with fresh tokens, once somebody has approved it"),
    ("/token create-secret shop/ci", "a token Secret for a service account, likewise"),
    ("/token requests", "what is open"),
    ("/token audit shop/checkout", "who did what to it"),
    ("/token help", "everything else"),
)


@dataclass(frozen=True, slots=True)
class ClusterState:
    """`trouble` says why it cannot be reached, "" where it answers; `checked_at` is when it was last checked."""

    name: str
    version: str = ""
    trouble: str = ""
    checked_at: datetime | None = None


def home(
    mine: Sequence[Request], waiting: Sequence[Request], clusters: Sequence[ClusterState], *, trouble: str = ""
) -> View:
    """A person's Home tab. `trouble` is why the requests are not known."""
    parts = [
        *(_both(mine, waiting) if not trouble else _listed("Requests", (), trouble, decides=False)),
        [kit.rich(kit.line(kit.bold("Clusters")), kit.bullets([_cluster(each) for each in clusters]))],
        [_how_to()],
    ]
    blocks: list[Block] = []
    for part in parts:
        if len(blocks) + len(part) <= _MOST_BLOCKS and size([*blocks, *part]) <= VIEW:
            blocks += part
    return {"type": "home", "blocks": blocks}


def requests(mine: Sequence[Request], waiting: Sequence[Request]) -> Message:
    """`/token requests`."""
    blocks: list[Block] = []
    for part in _both(mine, waiting):
        if size([*blocks, *part]) <= BUDGET:
            blocks += part
    return Message(f"Waiting for you: {len(waiting)}. Your own: {len(mine)}.", tuple(blocks))


def audit(entries: Sequence[TrailEntry], requests: Mapping[str, Request], of: str) -> Message:
    """`/token audit`: the newest first; `of` is the target, "" for everything."""
    title = f"What was done to {of}" if of else "What was asked for and done"
    if not entries:
        sentence = f"Nothing was asked for or done{f' to {of}' if of else ''} so far."
        return Message(fallback(sentence), (kit.rich(kit.line(kit.words(sentence))),))
    items = [_entry(entry, requests.get(entry.request)) for entry in reversed(entries)]
    while True:
        left = len(entries) - len(items)
        more = (
            [kit.line(kit.words(f"… and {left} more; in a terminal: "), kit.code("token-doctor audit"))] if left else []
        )
        block = kit.rich(kit.line(kit.bold(title)), kit.bullets([*items, *more]))
        if size([block]) <= BUDGET:
            return Message(fallback(f"{title}: {len(entries)} entries."), (block,))
        items.pop()


def _both(mine: Sequence[Request], waiting: Sequence[Request]) -> Iterator[list[Block]]:
    yield from _listed("Waits for you", waiting, "Nothing waits for your approval.", decides=True)
    yield from _listed("Your requests", mine, "You have asked for nothing lately.", decides=False)


def _listed(heading: str, requests: Sequence[Request], none: str, *, decides: bool) -> Iterator[list[Block]]:
    """A heading, and each request with its buttons."""
    if not requests:
        yield [kit.rich(kit.line(kit.bold(heading)), kit.line(kit.words(none, 300)))]
        return
    yield [kit.rich(kit.line(kit.bold(heading)))]
    for request in requests[:_REQUESTS]:
        buttons = list(_buttons(request, decides=decides))
        yield [kit.rich(*_request(request)), *([kit.actions(*buttons)] if buttons else [])]
    if len(requests) > _REQUESTS:
        yield [kit.context(f"… and {len(requests) - _REQUESTS} more; in a terminal: token-doctor requests")]


def _request(request: Request) -> Iterator[kit.Group]:
    yield kit.line(kit.bold(status(request)), kit.words(": "), kit.words(request.plan.summary, _SUMMARY))
    leaves = [kit.words(f"{where(request.plan)} · ", 400), kit.named(request.requester), kit.words(", ")]
    yield kit.line(
        *leaves, kit.moment(request.created_at), kit.words(f": “{request.reason}”" if request.reason else " ")
    )
    words = request.step if request.state is State.RUNNING else request.outcome
    if words:
        yield kit.line(*kit.prose(words, 400))


def _buttons(request: Request, *, decides: bool) -> Iterator[kit.Leaf]:
    if decides and request.state is State.PENDING:
        yield kit.button("Approve …", APPROVE, request.id, style="primary")
        yield kit.button("Deny …", DENY, request.id, style="danger")
    elif request.state in {State.PENDING, State.APPROVED}:
        yield kit.button("Cancel …", CANCEL, request.id)


def _cluster(state: ClusterState) -> kit.Group:
    sign, words = ("🔴", f"cannot be reached: {state.trouble}") if state.trouble else ("🟢", state.version or "answers")
    leaves = [kit.words(f"{sign} "), kit.code(state.name or "(the only one)"), kit.words(f" {words}", 300)]
    if state.checked_at:
        leaves += [kit.words(" · last check "), kit.moment(state.checked_at)]
    return kit.line(*leaves)


def _how_to() -> Block:
    items = [kit.line(kit.code(command), kit.words(f" {what}")) for command, what in _HOW]
    return kit.rich(
        kit.line(kit.bold("How to")),
        kit.bullets(items),
        kit.line(kit.words("On an alert: its menu → More message shortcuts → “Check tokens here”.")),
    )


def _entry(entry: TrailEntry, request: Request | None) -> kit.Group:
    what = request.plan.summary if request else f"request {entry.request}"
    who = kit.named(Person(id=entry.who))
    became = f" {entry.became.value}: " if entry.was else " asked: "
    why = f" ({entry.why})" if entry.why else ""
    return kit.line(kit.moment(entry.at), kit.words(" "), who, kit.words(became), kit.words(f"{what}{why}", 400))
