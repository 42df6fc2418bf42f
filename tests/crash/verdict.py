"""What must hold when everything has come to rest. Pure: each sentence is one thing that does not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Row

from bot.actions.execution import DOUBT
from bot.blocks import request as blocks
from bot.blocks.limits import Message as Rendered
from bot.model import TRANSITIONS, ActionKind, Purpose, Request, State, TrailEntry, Vote
from bot.slack.outgoing import content
from demo.slack import Message
from demo.slack import people as p
from tests.crash.plan import ENDS, Plan

Row_ = Row[Any]


@dataclass(frozen=True)
class Evidence:
    """`effects` counts by request what was done to the cluster, `strays` are effects that no request explains.

    `told` are the bot's messages that still stand, by channel and ts; `names` the stories' by request.
    """

    plan: Plan
    requests: Sequence[Request]
    names: Mapping[str, str]
    votes: Mapping[str, Sequence[Vote]]
    trail: Sequence[TrailEntry]
    rows: Sequence[Any]
    effects: Mapping[str, int]
    strays: Sequence[str]
    told: Mapping[tuple[str, str], Message]
    link: str


def judged(evidence: Evidence) -> list[str]:
    return [*_requests(evidence), *_lives(evidence), *_effects(evidence), *_rows(evidence), *_doubled(evidence)]


def doubled(evidence: Evidence) -> list[Message]:
    """Messages about a request that the database does not know of."""
    known = {(row.channel, row.ts) for row in evidence.rows}
    return [message for place, message in evidence.told.items() if message.metadata and place not in known]


def _requests(evidence: Evidence) -> Iterator[str]:
    """Each story has its request, and it stands as it may."""
    by_name: dict[str, list[Request]] = {story.name: [] for story in evidence.plan.stories}
    for request in evidence.requests:
        by_name[evidence.names[request.id]].append(request)
    for story in evidence.plan.stories:
        found = by_name[story.name]
        if not found:
            yield f"{story.name}: no request was ever stored"
        # A second one may have been made by a late second try, when the first had ended: nobody decides on it.
        for place, request in enumerate(sorted(found, key=lambda one: one.created_at)):
            allowed = {State.PENDING} if place else ENDS[story.fate]
            if request.state not in allowed:
                yield f"{_named(evidence, request)}: {story.fate} ended as {request.state}: {request.outcome}"
    for request in evidence.requests:
        if not request.state.is_final and request.state is not State.PENDING:
            yield f"{_named(evidence, request)}: left {request.state}, leased until {request.lease_until}"
        if request.state.is_final and request.lease_until is not None:
            yield f"{_named(evidence, request)}: a lease is left on what has ended"


def _lives(evidence: Evidence) -> Iterator[str]:
    """The trail is one unbroken line of allowed steps, begins once and ends once, and approvals were really given."""
    for request in evidence.requests:
        entries = [entry for entry in evidence.trail if entry.request == request.id]
        who = _named(evidence, request)
        if not entries or entries[0].was is not None or entries[-1].became is not request.state:
            yield f"{who}: its trail does not lead from its beginning to {request.state}"
        for before, entry in pairwise(entries):
            stays = entry.was is entry.became and entry.became in {State.PENDING, State.RUNNING}
            if entry.was is not before.became or not (stays or entry.became in TRANSITIONS[before.became]):
                yield f"{who}: its trail goes from {before.became} over {entry.was} to {entry.became}"
        ends = [entry.became for entry in entries if entry.became.is_final]
        if len(ends) != int(request.state.is_final):
            yield f"{who}: it ended {len(ends)} times: {ends}"
        given = {vote.approver.id for vote in evidence.votes[request.id] if vote.approves}
        approved = [entry for entry in entries if entry.became is State.APPROVED]
        if len(approved) > 1 or (approved and len(given - {request.requester.id}) < request.approvals_needed):
            yield f"{who}: approved {len(approved)} times, by {sorted(given)}"
        claims = [entry for entry in entries if entry.became is State.RUNNING]
        if len(claims) != request.fence:
            yield f"{who}: claimed {len(claims)} times, and its fence is {request.fence}"


def _effects(evidence: Evidence) -> Iterator[str]:
    """What succeeded was done once, what was not approved never."""
    for request in evidence.requests:
        done = evidence.effects.get(request.id, 0)
        allowed = {1} if request.state is State.SUCCEEDED else {0}
        if request.state is State.FAILED and DOUBT in request.outcome:
            allowed = {0, 1}
        if done not in allowed:
            yield f"{_named(evidence, request)}: {request.state}, and done {done} times ({request.outcome})"
    known = {request.id for request in evidence.requests}
    yield from (f"something was done for {one!r}, which is no request" for one in evidence.effects.keys() - known)
    yield from evidence.strays


def _rows(evidence: Evidence) -> Iterator[str]:
    """Every message that the database knows of stands in Slack, and shows what the database says."""
    by_id = {request.id: request for request in evidence.requests}
    for row in evidence.rows:
        request = by_id[row.request]
        who = f"{_named(evidence, request)}: its {row.purpose} message"
        message = evidence.told.get((row.channel, row.ts))
        if row.given_up:
            yield f"{who} was given up: {row.error}"
        elif row.shown != request.version:  # a claim that the dead left on what is shown lapses, and keeps nobody back
            yield f"{who} shows version {row.shown} of {request.version}, claimed until {row.claimed_until}"
        elif message is None:
            yield f"{who} is not in Slack: {row.ts!r}"
        elif message.thread_ts != row.thread_ts and row.purpose != Purpose.OUTCOME:
            yield f"{who} stands in the thread {message.thread_ts!r}"
        elif not any(_shows(message, rendered) for rendered in _rendered(evidence, request, row)):
            yield f"{who} shows something else: {message.text!r}"
    wanted = {(request.id, purpose) for request in evidence.requests for purpose in _purposes(request)}
    for request_id, purpose in wanted - {(row.request, row.purpose) for row in evidence.rows}:
        yield f"{_named(evidence, by_id[request_id])}: nobody wants its {purpose} message"


def _doubled(evidence: Evidence) -> Iterator[str]:
    """Who may look for a message that got lost posts none twice; without that right it is a rare, known cost."""
    if evidence.plan.may_look:
        counted = Counter(str(message.metadata) for message in doubled(evidence))
        yield from (f"a message stands there {count + 1} times: {mark}" for mark, count in counted.items())


def _purposes(request: Request) -> Iterator[str]:
    yield Purpose.DECISION
    yield Purpose.PROGRESS
    if request.state.is_final:
        yield Purpose.OUTCOME


def _rendered(evidence: Evidence, request: Request, row: Row_) -> Iterator[Rendered]:
    """A link that Slack did not give in time is left out."""
    votes = tuple(evidence.votes[request.id])
    *_, last = (entry for entry in evidence.trail if entry.request == request.id)
    end = last if request.state is State.CANCELLED else None
    for thread in ("", f"{evidence.link}/{request.channel}/p{request.thread_ts.replace('.', '')}"):
        shown = blocks.Shown(request, votes, thread, (p.APPROVERS,), end)
        match row.purpose:
            case Purpose.DECISION:
                yield blocks.decision(shown)
            case Purpose.PROGRESS:
                yield blocks.progress(shown)
            case _:
                yield blocks.outcome(shown)


def _shows(message: Message, rendered: Rendered) -> bool:
    plain = [{key: value for key, value in block.items() if key != "block_id"} for block in message.blocks]
    return plain == content(rendered)["blocks"]


def _named(evidence: Evidence, request: Request) -> str:
    return f"{evidence.names[request.id]} ({request.id})"


def kinds_of(requests: Sequence[Request]) -> Counter[ActionKind]:
    return Counter(request.plan.kind for request in requests)
