"""Who may ask, what a channel may be told, and what was heard already."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import structlog
from msgspec.structs import replace

from bot.model import Target
from bot.slack.door import User
from bot.slack.posts import LaterError, PostRefusedError

log = structlog.get_logger(__name__)

Lookup = Callable[[str], Awaitable[User | None]]
Monotonic = Callable[[], float]

_REMEMBERED_SECONDS = 60.0
_HEARD_SECONDS = 900.0  # Slack sends an event again after 5 minutes at the latest
_MOST_HEARD = 10_000

OUTSIDER = "token-doctor answers only people of its own workspace."
BOT = "token-doctor does not answer bots."
DEACTIVATED = "This account is deactivated, so token-doctor does not answer it."
NOBODY = "Slack does not know who asks, so token-doctor does not answer."
UNSURE = "Slack could not say who asks, so token-doctor does not answer. Ask again in a minute."


class Doorkeeper:
    """Asks Slack about a person, and remembers the answer for a minute. No answer means no."""

    def __init__(self, lookup: Lookup, team_id: str, monotonic: Monotonic) -> None:
        self._lookup = lookup
        self._team_id = team_id
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, asyncio.Task[User | None]]] = {}

    async def refusal(self, user_id: str) -> str:
        """Why this person gets no answer, "" when they do."""
        if not user_id:
            return NOBODY
        try:
            user = await asyncio.shield(self._asked(user_id))
        except (PostRefusedError, LaterError) as error:
            self._known.pop(user_id, None)
            log.warning("Slack could not say who asks", user=user_id, error=str(error))
            return UNSURE
        refusal = self._judged(user)
        if refusal:
            log.info("refused to answer", user=user_id, reason=refusal)
        return refusal

    def _asked(self, user_id: str) -> asyncio.Task[User | None]:
        """One question to Slack at a time for each person, however many commands come at once."""
        now = self._monotonic()
        self._known = {key: entry for key, entry in self._known.items() if entry[0] > now}
        if user_id not in self._known:
            task = asyncio.ensure_future(self._lookup(user_id))
            self._known[user_id] = (now + _REMEMBERED_SECONDS, task)
        return self._known[user_id][1]

    def _judged(self, user: User | None) -> str:
        if user is None:
            return NOBODY
        if user.deleted:
            return DEACTIVATED
        if user.is_bot:
            return BOT
        if user.is_stranger or self._team_id not in user.teams:
            return OUTSIDER
        return ""


class Heard:
    """What Slack sends again is not done again."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}

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


def rule_of(rules: Mapping[str, ChannelRule], channel: str) -> ChannelRule:
    """A channel that is not listed has no default cluster and no limits."""
    return rules.get(channel, ChannelRule())
