"""Who may ask, what a channel may be told, and what was heard already."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import structlog
from msgspec.structs import replace

from bot.errors import StoreUnavailableError
from bot.model import Target
from bot.slack import people
from bot.slack.door import User
from bot.slack.posts import LaterError, PostRefusedError

log = structlog.get_logger(__name__)

Lookup = Callable[[str], Awaitable[User | None]]
Monotonic = Callable[[], float]

_HEARD_SECONDS = 900.0  # Slack sends an event again after 5 minutes at the latest
_MOST_HEARD = 10_000
_CLAIM_SECONDS = 1.0  # of the three in which a form has to be opened


class Doorkeeper:
    """Asks Slack about a person. No answer means no."""

    def __init__(self, lookup: Lookup, team_id: str) -> None:
        self._lookup = lookup
        self._team_id = team_id

    async def refusal(self, user_id: str) -> str:
        """Why this person gets no answer, "" when they do."""
        if not user_id:
            return people.NOBODY
        try:
            user = await self._lookup(user_id)
        except (PostRefusedError, LaterError) as error:
            log.warning("Slack could not say who asks", user=user_id, error=str(error))
            return people.UNSURE
        refusal = people.refusal(user, self._team_id)
        if refusal:
            log.info("refused to answer", user=user_id, reason=refusal)
        return refusal


class Heard:
    """What Slack sends again is not done again.

    `claimed` asks the other replicas: whether none of them has taken it. None where there is but this one.
    """

    def __init__(self, monotonic: Monotonic, claimed: Callable[[str], Awaitable[bool]] | None = None) -> None:
        self._monotonic = monotonic
        self._claimed = claimed
        self._until: dict[str, float] = {}

    async def by_others(self, key: str) -> bool:
        """Whether another replica has taken it. Where nobody can say it is done: a person waits for the answer."""
        if self._claimed is None:
            return False
        try:
            async with asyncio.timeout(_CLAIM_SECONDS):
                return not await self._claimed(key)
        except (StoreUnavailableError, TimeoutError) as error:
            log.warning("nobody can say whether another replica has heard this", id=key, error=str(error))
            return False

    def first_time(self, key: str) -> bool:
        now = self._monotonic()
        # In the order of hearing, so the old ones stand first.
        while self._until and (len(self._until) > _MOST_HEARD or next(iter(self._until.values())) <= now):
            del self._until[next(iter(self._until))]
        if key in self._until:
            return False
        self._until[key] = now + _HEARD_SECONDS
        return True


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """A channel's default cluster, and patterns of the namespaces that may be asked about there."""

    cluster: str = ""
    namespaces: tuple[str, ...] = ("*",)

    def applied(self, target: Target) -> Target:
        """The target with the channel's cluster where it names none."""
        return replace(target, cluster=target.cluster or self.cluster)

    def allows(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)

    def covers(self, namespace: str) -> bool:
        """The same for a name that may be a pattern: one that may be wider than the channel's own is refused."""
        if set("*?") & set(namespace):
            return "*" in self.namespaces or namespace in self.namespaces
        return self.allows(namespace)


def rule_of(rules: Mapping[str, ChannelRule], channel: str) -> ChannelRule:
    """A channel that is not listed has no default cluster and no limits."""
    return rules.get(channel, ChannelRule())
