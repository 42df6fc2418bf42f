"""`requests`: what was asked for, by whom, and how it stands; and the way to take one back."""

import getpass
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.actions.withdrawal import withdrawn
from bot.cli.page import Page, Piece, page
from bot.cli.stored import with_store
from bot.durations import relative, utc
from bot.errors import WrongUsageError
from bot.kube.kubeconfig import choose, paths
from bot.model import Person, Request, State, TrailEntry, Vote
from bot.store import Store

STYLES = {
    State.PENDING: "yellow",
    State.APPROVED: "cyan",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.FAILED: "bold red",
    State.STALE: "magenta",
    State.DENIED: "red",
}
_OPEN = (State.PENDING, State.APPROVED, State.RUNNING)
_ENDED = tuple(state for state in State if state not in _OPEN)
_MOST_ENDED = 20
_TOO_LATE = 1


def list_(config: Path | None, program: str) -> int:
    return with_store(config, lambda store: _list(store, program))


def show(config: Path | None, id_: str, program: str) -> int:
    """Raises WrongUsageError for an id that no request has."""

    async def work(store: Store) -> int:
        request = await _found(store, id_, program)
        votes, trail = await store.requests.votes(request.id), await store.requests.trail(request=request.id)
        _request(page(), request, votes, trail)
        return 0

    return with_store(config, work)


def cancel(config: Path | None, id_: str, reason: str, program: str) -> int:
    """1 where it is too late. Who may open the database may cancel, and the trail says who it was."""

    async def work(store: Store) -> int:
        request = await _found(store, id_, program)
        decided = await withdrawn(store, request, _oneself(), reason, datetime.now(UTC))
        word = "It was cancelled." if decided.counted else decided.why
        page().put((request.id, "bold"), f"  {request.plan.summary}. {word}")
        return 0 if decided.counted else _TOO_LATE

    return with_store(config, work)


async def _list(store: Store, program: str) -> int:
    out, now = page(), datetime.now(UTC)
    waiting = await store.requests.list_(states=_OPEN)
    ended = await store.requests.list_(states=_ENDED, limit=_MOST_ENDED)
    if not waiting and not ended:
        out.put("Nobody has asked for anything yet.")
        return 0
    for title, found in (("Open", waiting), ("Ended, the latest first", ended)):
        if found:
            out.put((title, "bold"))
            out.rows([_row(request, now) for request in found], indent=2)
            out.gap()
    out.put((f"One of them with its trail: {program} requests show ID", "dim"))
    return 0


def _row(request: Request, now: datetime) -> tuple[Piece, tuple[Piece, ...]]:
    who = request.requester.name or request.requester.id
    when = f"asked by {who} {relative(request.created_at, now)}"
    if request.state in {State.PENDING, State.APPROVED}:
        when += f", expires {relative(request.expires_at, now)}"
    return (request.state.value, STYLES.get(request.state, "dim")), (
        (request.id, "bold"),
        f"  {request.plan.summary}  ",
        (when, "dim"),
    )


def _request(out: Page, request: Request, votes: Sequence[Vote], trail: Sequence[TrailEntry]) -> None:
    out.put((f"{request.state.upper()}  {request.plan.summary}", STYLES.get(request.state, "bold")))
    out.put((f"request {request.id} · {request.plan.kind} · {request.plan.risk} risk", "dim"))
    out.gap()
    out.rows(list(_facts(request, votes)), indent=2)
    out.gap()
    out.put(("What it does", "bold"))
    for line in request.plan.difference:
        out.verbatim((line, {"+": "green", "-": "red"}.get(line[:1], "")), indent=2)
    for note in request.plan.notes:
        out.put(note, indent=2, marker=out.arrow)
    out.gap()
    out.put(("What happened (UTC)", "bold"))
    out.rows([entry_row(entry) for entry in trail], indent=2)


def _facts(request: Request, votes: Sequence[Vote]) -> Iterator[tuple[Piece, tuple[Piece, ...]]]:
    target = f"{request.plan.ref}" + (f" of cluster {request.plan.ref.cluster}" if request.plan.ref.cluster else "")
    facts = {
        "object": target,
        "asked by": request.requester.name or request.requester.id,
        "reason": request.reason,
        "mends": request.cause,
        "allowed by": f"{request.rule}, {request.approvals_needed} needed" if request.rule else "",
        "expires": utc(request.expires_at) if request.state in {State.PENDING, State.APPROVED} else "",
        "progress": request.step if request.state is State.RUNNING else "",
        "outcome": request.outcome if request.state.is_final else "",
    }
    yield from ((name, (value,)) for name, value in facts.items() if value)
    for vote in votes:
        word = "approved" if vote.approves else "denied"
        why = f": {vote.reason}" if vote.reason else ""
        yield f"{word} by", (f"{vote.approver.name or vote.approver.id}, {utc(vote.at)}{why}",)


def entry_row(entry: TrailEntry) -> tuple[Piece, tuple[Piece, ...]]:
    """A line of the trail. Of the same state again (an approval that was not the last) only the reason is told."""
    change = entry.became.value if entry.was is not entry.became else "still " + entry.became.value
    when = utc(entry.at).removesuffix(" UTC")
    return (when, "dim"), ((change, STYLES.get(entry.became, "")), f"  {entry.who}", (f"  {entry.why}", "dim"))


async def _found(store: Store, id_: str, program: str) -> Request:
    request = await store.requests.get(id_.strip().lower())
    if request is None:
        raise WrongUsageError("No request has this id.", next_step=f"All of them: {program} requests")
    return request


def _oneself() -> Person:
    """The kubeconfig's user, else this machine's: what the trail calls whoever sits at the terminal."""
    try:
        name = choose(paths(None, os.environ), None).user_name
    except WrongUsageError:
        name = ""
    return Person(id=f"terminal:{name or getpass.getuser()}")
