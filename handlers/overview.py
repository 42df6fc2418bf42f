"""What is open and what was done, for one person: `/token requests`, `/token audit` and the Home tab."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.actions.approvals import Approvals
from bot.blocks import home
from bot.blocks.limits import Message
from bot.model import Person, Request, State, Target
from bot.store import Store
from handlers.middleware import ChannelRule, rule_of

_LATELY = timedelta(days=1)
_MINE = 20
_PENDING = 25
_ENTRIES = 40
_NEWEST = 50


class Listed(NamedTuple):
    mine: tuple[Request, ...]
    waiting: tuple[Request, ...]


class Overview:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: Store, approvals: Approvals, rules: Mapping[str, ChannelRule]) -> None:
        self._store = store
        self._approvals = approvals
        self._rules = rules

    async def of(self, user: str, now: datetime) -> Listed:
        """The person's requests, open or ended within a day, and those that policy lets them decide."""
        mine, pending = await asyncio.gather(
            self._store.requests.list_(requester=user, limit=_MINE),
            self._store.requests.list_(states=(State.PENDING,), limit=_PENDING),
        )
        rulings = await asyncio.gather(
            *(self._approvals.may_decide(request, Person(id=user), approves=True) for request in pending)
        )
        recent = tuple(one for one in mine if not one.state.is_final or now - one.changed_at < _LATELY)
        waiting = tuple(one for one, ruling in zip(pending, rulings, strict=True) if ruling.allowed)
        return Listed(recent, waiting)

    async def stamp(self) -> tuple[tuple[str, int], ...]:
        """Something that is another as soon as one of the newest requests has changed."""
        return tuple((one.id, one.version) for one in await self._store.requests.list_(limit=_NEWEST))

    async def requests(self, user: str, now: datetime) -> Message:
        """`/token requests`."""
        return home.requests(*await self.of(user, now))

    async def audit(self, target: Target | None, channel: str) -> Message:
        """`/token audit`: the newest entries, of namespaces that may be asked about in this channel."""
        entries = await self._store.requests.trail(target=target, limit=_ENTRIES)
        ids = tuple(dict.fromkeys(entry.request for entry in entries))
        found = await asyncio.gather(*map(self._store.requests.get, ids))
        rule = rule_of(self._rules, channel)
        known = {one.id: one for one in found if one and rule.allows(one.plan.ref.namespace)}
        shown = [entry for entry in entries if entry.request in known]
        return home.audit(shown, known, str(target) if target else "")
