"""A request's life until it is approved, for everybody who asks, agrees, denies or cancels, wherever they do it.

What is returned is the present state and the reason: an old, doubled or forged click changes nothing and learns both.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from bot.actions.action import Action
from bot.actions.policy import Matter, Ruling, Standing, may_ask, may_decide, may_run
from bot.actions.withdrawal import NONE, Decided, shortened, withdrawn
from bot.model import ActionKind, Person, Plan, Purpose, Request, Rule, State, Vote
from bot.redact import redact
from bot.store import Store
from config.policy import Rule as PolicyRule


class Ask(Struct, frozen=True, kw_only=True):
    """What somebody wants done, and why. `channel` and `thread_ts` are where they ask.

    `cause` is the code of the finding that it mends, and `evidence` what that finding quoted.
    """

    plan: Plan
    requester: Person
    reason: str
    channel: str
    thread_ts: str = ""
    cause: str = ""
    evidence: str = ""


class Proposed(NamedTuple):
    """The request that was made, or the open one that was `joined` because it does the same; else the refusal."""

    request: Request | None
    refusal: str = ""
    joined: bool = False


class Approvals:
    """`standing` says who a person is in a matter, `changed` is told that there is something to do or to show.

    Every method may raise StoreUnavailableError, and then nothing was changed.
    """

    def __init__(
        self,
        store: Store,
        rules: Sequence[PolicyRule],
        actions: Mapping[ActionKind, Action],
        *,
        standing: Callable[[Person, Matter, Sequence[Rule]], Awaitable[Standing]],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._rules = rules
        self._actions = actions
        self._standing = standing
        self._now = now
        self._new_id = new_id
        self._changed = changed

    async def propose(self, ask: Ask) -> Proposed:
        """Asks the approvers, if the policy lets the person ask. The plan was made just before, with its dry run."""
        requester = await self._of(ask.requester, ask.plan, ask.channel)
        ruling = may_ask(self._rules, Matter.of(ask.plan, ask.channel), requester)
        if ruling.rule is None or not ruling.allowed:
            return Proposed(None, refusal=ruling.reason)
        at = self._now()
        request = Request(
            id=self._new_id(),
            plan=ask.plan,
            requester=requester.person,
            reason=shortened(ask.reason),
            channel=ask.channel,
            thread_ts=ask.thread_ts,
            approval_channel=ruling.rule.approval_channel or ask.channel,
            approvals_needed=ruling.rule.approvals,
            rule=f"policy rule {ruling.number}",
            cause=ask.cause,
            evidence=redact(ask.evidence),
            created_at=at,
            changed_at=at,
            expires_at=at + timedelta(minutes=ruling.rule.ttl_minutes),
        )
        stored, is_new = await self._store.requests.create(request, at)
        if not is_new and ask.channel:
            await self._store.messages.want(stored.id, Purpose.PROGRESS, ask.channel, ask.thread_ts)
        await self.show(stored)
        return Proposed(stored, joined=not is_new)

    async def prospect(self, plan: Plan, requester: Person, channel: str) -> Ruling:
        """Whether the person may ask for it, and by which rule: to be told before they write why."""
        return may_ask(self._rules, Matter.of(plan, channel), await self._of(requester, plan, channel))

    async def may_decide(self, request: Request, person: Person, *, approves: bool) -> Ruling:
        """Whether the person's yes or no would count."""
        ruling, _ = await self._may_decide(request, person, approves=approves)
        return ruling

    async def decide(self, request_id: str, person: Person, *, approves: bool, reason: str = "") -> Decided:
        """Counts the person's yes or no, if the policy makes them an approver and the requester still may ask."""
        request = await self._store.requests.get(request_id)
        if request is None:
            return Decided(None, counted=False, why=NONE)
        if request.state is not State.PENDING:
            return Decided(request, counted=False, why=f"It is no longer pending: it is {request.state}.")
        ruling, known = await self._may_decide(request, person, approves=approves)
        if not ruling.allowed:
            return Decided(request, counted=False, why=ruling.reason)
        at = self._now()
        vote = Vote(request=request_id, approver=known, approves=approves, at=at, reason=shortened(reason))
        counted = await self._store.requests.vote(vote, at=at)
        if counted.request is not None:
            await self.show(counted.request)
        return Decided(*counted)

    async def cancel(self, request_id: str, person: Person, reason: str = "") -> Decided:
        """Takes it back: the requester may, and every approver. Not once it is being carried out."""
        request = await self._store.requests.get(request_id)
        if request is None:
            return Decided(None, counted=False, why=NONE)
        known = person
        if person.id != request.requester.id and not request.state.is_final:
            ruling, known = await self._may_decide(request, person, approves=False)
            if not ruling.allowed:
                return Decided(request, counted=False, why=ruling.reason)
        decided = await withdrawn(self._store, request, known, reason, self._now())
        if decided.request is not None:
            await self.show(decided.request)
        return decided

    async def approvers(self, request: Request) -> tuple[str, ...] | None:
        """The people and user groups who are to decide: none where the requester may not ask for it any more.

        None where it cannot be told just now, for want of Slack's answer.
        """
        ruling = await self.prospect(request.plan, request.requester, request.channel)
        if ruling.rule is None:
            return None if ruling.passing else ()
        return ruling.rule.approvers if ruling.allowed or ruling.passing else ()

    async def may_run(self, request: Request) -> Ruling:
        """The policy's word on it now, just before it is done: about the requester and those who agreed."""
        votes = await self._store.requests.votes(request.id)
        people = [request.requester, *(vote.approver for vote in votes if vote.approves)]
        requester, *approvers = await asyncio.gather(
            *(self._of(person, request.plan, request.channel) for person in people)
        )
        return may_run(self._rules, Matter.of(request.plan, request.channel), requester, approvers)

    async def expire(self) -> None:
        """Ends what nobody decided on, or began to carry out, in time."""
        for request in await self._store.requests.expire(self._now()):
            await self.show(request)

    async def show(self, request: Request) -> None:
        """Wants the messages that the request has by now; may be repeated."""
        for purpose, channel, thread_ts in places(request):
            await self._store.messages.want(request.id, purpose, channel, thread_ts)
        self._changed()

    async def show_all(self, since: timedelta) -> None:
        """The same for all that changed lately: who changed it may have died before it was to be shown."""
        entries = await self._store.requests.trail(since=self._now() - since)
        for request_id in dict.fromkeys(entry.request for entry in entries):
            request = await self._store.requests.get(request_id)
            if request is not None:
                await self.show(request)

    async def _may_decide(self, request: Request, person: Person, *, approves: bool) -> tuple[Ruling, Person]:
        matter = Matter.of(request.plan, request.channel)
        requester, approver = await asyncio.gather(
            self._of(request.requester, request.plan, request.channel), self._of(person, request.plan, request.channel)
        )
        return may_decide(self._rules, matter, requester, approver, approves=approves), approver.person

    async def _of(self, person: Person, plan: Plan, channel: str) -> Standing:
        action = self._actions.get(plan.kind)
        if action is None:
            return Standing(person=person, refusal=f"This version of token-doctor has no action {plan.kind}.")
        return await self._standing(person, Matter.of(plan, channel), action.needs(plan))


def places(request: Request) -> tuple[tuple[Purpose, str, str], ...]:
    """The messages that a request has by now: purpose, channel, and the thread they belong into.

    Approvers who are asked where it was asked for are asked in that thread, and see its progress in the same message.
    """
    found: list[tuple[Purpose, str, str]] = []
    if request.approval_channel:
        thread_ts = request.thread_ts if request.approval_channel == request.channel else ""
        found.append((Purpose.DECISION, request.approval_channel, thread_ts))
    if request.channel and request.channel != request.approval_channel:
        found.append((Purpose.PROGRESS, request.channel, request.thread_ts))
    if request.channel and request.state.is_final:
        found.append((Purpose.OUTCOME, request.channel, request.thread_ts))
    return tuple(found)
